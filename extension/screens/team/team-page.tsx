/** The team this browser works in: its members and roles, who is invited, and what its owners decide. */

import { roleMay } from "../../../shared/access.ts";
import type { Me } from "../../../shared/accounts.ts";
import type { TeamView } from "../../../shared/teams.ts";
import type { Api } from "../../api/client.ts";
import { isRefused } from "../../api/errors.ts";
import { Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { type LastRead, type Remote, useRemote } from "../panel/use-remote.ts";
import { InvitationsCard } from "./invitations-card.tsx";
import { MembersCard } from "./members-card.tsx";
import { ROLE_WORDS } from "./model/role-words.ts";
import { RolesCard } from "./roles-card.tsx";
import { SecondFactorGate } from "./second-factor-gate.tsx";
import { TeamSettingsCard } from "./team-settings-card.tsx";
import "./team.css";

const readTeam = (api: Api): Promise<TeamView> => api.teams.get.query();

export interface TeamPageProps {
  readonly me: Remote<Me>;
  readonly last: LastRead<TeamView>;
  readonly onBack: () => void;
}

export function TeamPage({ me, last, onBack }: TeamPageProps) {
  const team = useRemote(readTeam, last);
  const { value, failure } = team;
  const reload = () => {
    team.reload();
    me.reload();
  };
  const name = value?.name ?? me.value?.team.name;
  if (isRefused(failure, "second_factor_required")) {
    return (
      <div className="screen">
        <PageHead back="Account" onBack={onBack} title={name ?? "Team"} />
        <SecondFactorGate team={name} />
      </div>
    );
  }
  return (
    <div className="screen">
      <PageHead
        back="Account"
        onBack={onBack}
        title={name ?? "Team"}
        detail={value === undefined ? undefined : `Your role: ${ROLE_WORDS[value.role]}`}
      />
      {failure !== undefined && <FailureNotice failure={failure} onRetry={team.reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Loading the team" rows={5} />}
      {value !== undefined && (
        <>
          {!roleMay(value.role, "team:manage") && (
            <Notice>Owners and admins change the team. {managersOf(value)}</Notice>
          )}
          <MembersCard team={value} onChanged={reload} />
          {roleMay(value.role, "team:manage") && <InvitationsCard team={value} onChanged={team.reload} />}
          <RolesCard mine={value.role} />
          <TeamSettingsCard team={value} onChanged={reload} />
        </>
      )}
    </div>
  );
}

/** Whom to ask. */
function managersOf({ members }: TeamView): string {
  const names = members.filter(({ role }) => roleMay(role, "team:manage")).map(({ name }) => name);
  if (names.length === 0) return "";
  const shown = names.slice(0, 3);
  return `Ask ${shown.length === 1 ? shown[0] : `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`}.`;
}
