/** The teams of the person: which one this browser works in, the others, and those that wait for an answer. */
import { useState } from "react";
import type { Me } from "../../../shared/accounts.ts";
import type { ReceivedInvitation, TeamSummary } from "../../../shared/teams.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { ROLE_WORDS } from "../team/model/role-words.ts";
import type { LastAccount } from "./last-account.ts";
import { endsWords } from "./model/account-words.ts";
import { NavRow } from "./nav-row.tsx";
import { TextDialog } from "./text-dialog.tsx";
import { useTeamChange } from "./use-team-change.ts";

export const readTeams = (api: Api): Promise<readonly TeamSummary[]> => api.teams.list.query();
const readReceived = (api: Api): Promise<readonly ReceivedInvitation[]> => api.teams.myInvitations.query();

export interface TeamsCardProps {
  readonly me: Me;
  readonly last: LastAccount;
  readonly onTeam: () => void;
}

export function TeamsCard({ me, last, onTeam }: TeamsCardProps) {
  const teams = useRemote(readTeams, last.teams);
  const received = useRemote(readReceived, last.received);
  const calls = useCall();
  const toast = useToast();
  const change = useTeamChange();
  const [making, setMaking] = useState(false);
  const others = teams.value?.filter(({ id }) => id !== me.team.id) ?? [];

  const follow = async (team: Pick<TeamSummary, "id" | "name">) => {
    await change(team.id);
    toast({ text: `You work in ${team.name} now.` });
  };
  const switchTo = async (team: TeamSummary) => {
    const result = await calls.run(`switch ${team.id}`, (api) => api.teams.switch.mutate({ teamId: team.id }));
    if (result?.ok === true) await follow(team);
    else teams.reload();
  };
  const answer = async (invitation: ReceivedInvitation, accept: boolean) => {
    const { id: invitationId, teamName } = invitation;
    const result = await calls.run(`answer ${invitationId}`, (api) =>
      accept
        ? api.teams.acceptInvitation.mutate({ invitationId })
        : api.teams.declineInvitation.mutate({ invitationId }),
    );
    if (result?.ok === true) {
      toast({ text: accept ? `You are in ${teamName} now. Switch to it when you like.` : `${teamName} is declined.` });
    }
    teams.reload();
    received.reload();
  };

  return (
    <Card
      title={others.length === 0 ? "Team" : "Teams"}
      action={
        <Button size="small" kind="quiet" icon="plus" onClick={() => setMaking(true)}>
          New team
        </Button>
      }
    >
      <ul className="list" aria-label="Teams">
        <NavRow
          icon="team"
          title={me.team.name}
          detail={`${ROLE_WORDS[me.team.role]} · members, roles, invitations`}
          note={others.length > 0 && <Badge tone="accent">Here now</Badge>}
          onOpen={onTeam}
        />
        {others.map((team) => (
          <ListRow
            key={team.id}
            lead={<Icon name="team" size={20} />}
            title={team.name}
            detail={ROLE_WORDS[team.role]}
            trail={
              <Button
                size="small"
                busy={calls.busy(`switch ${team.id}`)}
                aria-label={`Switch to ${team.name}`}
                onClick={() => void switchTo(team)}
              >
                Switch
              </Button>
            }
          />
        ))}
        {received.value?.map((invitation) => (
          <li className="invitation" key={invitation.id}>
            <span className="list-lead">
              <Icon name="mail" size={20} />
            </span>
            <span className="list-text">
              <span className="list-title">{invitation.teamName} invites you</span>
              <span className="secondary">
                {ROLE_WORDS[invitation.role]} · from {invitation.invitedBy} ·{" "}
                {endsWords(invitation.expiresAt, Date.now())}
              </span>
              <span className="invitation-answers">
                <Button
                  size="small"
                  busy={calls.busy(`answer ${invitation.id}`)}
                  aria-label={`Join ${invitation.teamName}`}
                  onClick={() => void answer(invitation, true)}
                >
                  Join
                </Button>
                <Button
                  size="small"
                  kind="quiet"
                  aria-label={`Decline ${invitation.teamName}`}
                  onClick={() => void answer(invitation, false)}
                >
                  Decline
                </Button>
              </span>
            </span>
          </li>
        ))}
      </ul>
      {teams.value === undefined && teams.failure === undefined && <Skeleton label="Loading teams" rows={1} />}
      {teams.failure !== undefined && <FailureNotice failure={teams.failure} onRetry={teams.reload} />}
      {making && (
        <TextDialog
          title="New team"
          label="Name"
          initial=""
          maxLength={60}
          verb="Create and switch"
          save={(name) => (api) => api.teams.create.mutate({ name })}
          onClose={() => setMaking(false)}
          onSaved={(name) => {
            setMaking(false);
            void change().then(() => toast({ text: `You work in ${name} now.` }));
          }}
        >
          <p>A team has phones, automations and members of its own. You will be its owner, and work in it at once.</p>
        </TextDialog>
      )}
    </Card>
  );
}
