/** The overview of Account: who is signed in, in which team, and the way to everything else. */
import { useState } from "react";
import type { Me } from "../../../shared/accounts.ts";
import type { Api } from "../../api/client.ts";
import { hostOf } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePhones } from "../../state/app-context.tsx";
import { ClockNotice } from "../panel/clock-notice.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import type { AccountView } from "../panel/panel-ways.ts";
import { type Remote, useRemote } from "../panel/use-remote.ts";
import { isAwake } from "../phone/model/phone-list.ts";
import { BillingRow } from "./billing-row.tsx";
import type { LastAccount } from "./last-account.ts";
import { decisionTitle, protectionWords } from "./model/account-words.ts";
import { NavRow } from "./nav-row.tsx";
import { ProfileCard } from "./profile-card.tsx";
import { SignOutDialog } from "./sign-out-dialog.tsx";
import { TeamsCard } from "./teams-card.tsx";

const readSecurity = (api: Api) => api.account.security.query();
const readStanding = (api: Api) => api.account.standing.query();

export interface AccountHomeProps {
  readonly me: Remote<Me>;
  readonly last: LastAccount;
  readonly onView: (view: AccountView) => void;
}

export function AccountHome({ me, last, onView }: AccountHomeProps) {
  const { server, phones } = usePhones();
  const security = useRemote(readSecurity, last.security);
  const standing = useRemote(readStanding, last.standing);
  const [leaving, setLeaving] = useState(false);
  const running = phones.filter(isAwake).length;
  const protection = security.value && protectionWords(security.value);
  const inForce = standing.value?.find(({ state }) => state !== "lifted");
  const failed = [me, security].find(({ failure }) => failure !== undefined);
  const reload = () => {
    for (const remote of [me, security, standing]) remote.reload();
  };
  return (
    <div className="screen">
      <header className="screen-head">
        <h1>{me.value?.user.name ?? me.value?.user.email ?? "Account"}</h1>
        {me.value?.user.name !== undefined && <p className="secondary">{me.value.user.email}</p>}
      </header>
      <ClockNotice />
      {failed?.failure !== undefined && <FailureNotice failure={failed.failure} onRetry={reload} />}
      {me.value === undefined && me.failure === undefined && <Skeleton label="Loading account" rows={6} />}
      {me.value !== undefined && (
        <>
          <ProfileCard me={me.value} security={security.value} onChanged={reload} />
          <TeamsCard me={me.value} last={last} onTeam={() => onView("team")} />
          <Card>
            <ul className="list" aria-label="Account">
              {inForce !== undefined && (
                <NavRow
                  icon="info"
                  title="Standing"
                  detail={decisionTitle(inForce)}
                  note={<Badge tone="warn">Look</Badge>}
                  onOpen={() => onView("standing")}
                />
              )}
              <BillingRow role={me.value.team.role} last={last.billing} onOpen={() => onView("billing")} />
              <NavRow
                icon="shield"
                title="Security"
                detail={protection?.words ?? "Password, codes and passkeys"}
                note={protection?.weak === true && <Badge tone="warn">Weak</Badge>}
                onOpen={() => onView("security")}
              />
              <NavRow
                icon="panel"
                title="Sessions and devices"
                detail="Where you are signed in"
                onOpen={() => onView("sessions")}
              />
              <NavRow
                icon="activity"
                title="Security activity"
                detail="Sign-ins, changes, and who read your data"
                onOpen={() => onView("activity")}
              />
              <NavRow icon="key" title="API tokens" detail="For programs and CI" onOpen={() => onView("tokens")} />
              <NavRow
                icon="settings"
                title="Settings"
                detail={server === undefined ? "Server and looks" : `Looks, and the server ${hostOf(server)}`}
                onOpen={() => void openTab("/options.html")}
              />
            </ul>
          </Card>
          <p className="secondary tabular">
            {phonesWords(phones.length, me.value.limits.phones)}, {running} running
          </p>
        </>
      )}
      <div>
        <Button icon="signOut" onClick={() => setLeaving(true)}>
          Sign out
        </Button>
      </div>
      {leaving && <SignOutDialog running={running} onClose={() => setLeaving(false)} />}
    </div>
  );
}

function phonesWords(kept: number, most: number | undefined): string {
  if (most !== undefined) return `${kept} of ${most} phones`;
  return kept === 1 ? "1 phone" : `${kept} phones`;
}
