/** Who is signed in, to which server, in which team, and from where. */
import { useEffect, useState } from "react";
import type { Role } from "../../../shared/access.ts";
import type { Me } from "../../../shared/accounts.ts";
import { hostOf } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Icon } from "../../components/icon.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { indexedDbDrafts } from "../../state/flow-drafts.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import type { Remote } from "../panel/use-remote.ts";
import { isAwake } from "../phone/model/phone-list.ts";
import { SessionsCard } from "./sessions-card.tsx";

const ROLE_WORDS: Readonly<Record<Role, string>> = {
  owner: "Owner",
  admin: "Admin",
  operator: "Operator: may use phones",
  viewer: "Viewer: may watch phones",
  billing: "Billing: sees bills, not phones",
};

export function AccountScreen({ me }: { readonly me: Remote<Me> }) {
  const { server, phones } = usePhones();
  const [leaving, setLeaving] = useState(false);
  const running = phones.filter(isAwake).length;
  return (
    <div className="screen">
      <header className="screen-head">
        <h1>{me.value?.user.name ?? me.value?.user.email ?? "Account"}</h1>
        {me.value?.user.name !== undefined && <p className="secondary">{me.value.user.email}</p>}
      </header>
      {me.failure !== undefined && <FailureNotice failure={me.failure} onRetry={me.reload} />}
      <Card title="Team and server">
        {me.value === undefined && me.failure === undefined ? (
          <Skeleton label="Loading account" rows={2} />
        ) : (
          <List label="Team and server">
            {me.value !== undefined && (
              <ListRow
                lead={<Icon name="user" size={20} />}
                title={me.value.team.name}
                detail={ROLE_WORDS[me.value.team.role]}
              />
            )}
            {me.value !== undefined && (
              <ListRow
                lead={<Icon name="phone" size={20} />}
                title={
                  <span className="tabular">
                    {phones.length} of {me.value.limits.phones} phones
                  </span>
                }
                detail={
                  <span className="tabular">
                    {running} of {me.value.limits.running} running at once
                  </span>
                }
              />
            )}
            <ListRow
              lead={<Icon name="server" size={20} />}
              title={server === undefined ? "No server" : hostOf(server)}
              detail="Runs your phones and holds your account"
              trail={
                <Button size="small" kind="quiet" onClick={() => void openTab("/options.html")}>
                  Change
                </Button>
              }
            />
          </List>
        )}
      </Card>
      <SessionsCard />
      <div>
        <Button icon="signOut" onClick={() => setLeaving(true)}>
          Sign out
        </Button>
      </div>
      {leaving && <SignOutDialog running={running} onClose={() => setLeaving(false)} />}
    </div>
  );
}

const drafts = indexedDbDrafts();

function SignOutDialog({ running, onClose }: { readonly running: number; readonly onClose: () => void }) {
  const { app } = usePage();
  const { server } = usePhones();
  const calls = useCall();
  const [unsaved, setUnsaved] = useState(0);
  useEffect(() => {
    if (server !== undefined) void drafts.all(server).then((all) => setUnsaved(Object.keys(all).length));
  }, [server]);
  const signOut = async () => {
    const result = await calls.run("signOut", (api) => api.account.signOut.mutate());
    // Without an answer the session may still live on the server: keep the token, so that trying again can end it.
    if (result?.ok === true && server !== undefined) {
      await drafts.clear(server);
      await app.tokens.delete(server);
    }
    onClose();
  };
  return (
    <Dialog
      title="Sign out of this browser?"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Stay</Button>
          <Button kind="primary" busy={calls.busy("signOut")} onClick={() => void signOut()}>
            Sign out
          </Button>
        </>
      }
    >
      <p>
        {running === 0
          ? "Your phones stay as they are."
          : `Your phones stay as they are; ${running === 1 ? "the running one keeps" : `${running} running ones keep`} running until parked or idle.`}
      </p>
      {unsaved > 0 && (
        <p>
          {unsaved === 1
            ? "What you wrote and did not save in one automation will be gone from this browser."
            : `What you wrote and did not save in ${unsaved} automations will be gone from this browser.`}
        </p>
      )}
    </Dialog>
  );
}
