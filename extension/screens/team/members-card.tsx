/** Who is in the team, with what may be changed about each. */
import { useState } from "react";
import { type Role, roleMay } from "../../../shared/access.ts";
import type { MemberView, TeamView } from "../../../shared/teams.ts";
import { IconButton } from "../../components/button.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { AskDialog } from "../account/ask-dialog.tsx";
import { useCall } from "../panel/use-call.ts";
import { mayChange, ROLE_DETAILS, ROLE_WORDS, rolesToGive } from "./model/role-words.ts";

export interface MembersCardProps {
  readonly team: TeamView;
  readonly onChanged: () => void;
}

export function MembersCard({ team, onChanged }: MembersCardProps) {
  const [removing, setRemoving] = useState<MemberView>();
  const [owning, setOwning] = useState<MemberView>();
  const calls = useCall();
  const toast = useToast();
  const changeRole = async ({ userId, name }: MemberView, role: Role) => {
    const result = await calls.run(userId, (api) => api.teams.changeRole.mutate({ userId, role }));
    if (result?.ok === true) toast({ text: `${name} is ${ROLE_WORDS[role].toLowerCase()} now.` });
    onChanged();
  };
  const remove = async ({ userId, name }: MemberView) => {
    const result = await calls.run("remove", (api) => api.teams.removeMember.mutate({ userId }));
    if (result?.ok === true) {
      setRemoving(undefined);
      toast({ text: `${name} is out of ${team.name}.` });
    }
    onChanged();
  };
  const makeOwner = async (member: MemberView) => {
    await changeRole(member, "owner");
    setOwning(undefined);
  };
  const menuOf = (member: MemberView): readonly (MenuItem | "separator")[] => [
    ...rolesToGive(team.role).map((role) => ({
      id: role,
      label: ROLE_WORDS[role],
      detail: ROLE_DETAILS[role],
      checked: member.role === role,
      onSelect: () => {
        if (role === member.role) return;
        if (role === "owner") setOwning(member);
        else void changeRole(member, role);
      },
    })),
    "separator",
    {
      id: "remove",
      label: "Remove from the team…",
      icon: "trash",
      danger: true,
      onSelect: () => setRemoving(member),
    },
  ];
  return (
    <Card title={team.members.length === 1 ? "1 member" : `${team.members.length} members`}>
      <ul className="list" aria-label="Members">
        {team.members.map((member) => (
          <li className="list-row member" key={member.userId}>
            <span className="avatar" aria-hidden="true">
              {initials(member.name)}
            </span>
            <span className="list-text">
              <span className="list-title">
                {member.name} {member.isMe && <Badge tone="accent">You</Badge>}
              </span>
              {member.name !== member.email && (
                <span className="secondary truncate" title={member.email}>
                  {member.email}
                </span>
              )}
              {member.hasSecondFactor !== undefined && (
                <span className={member.hasSecondFactor ? "factor" : "factor factor-none"}>
                  {member.hasSecondFactor ? "Second factor" : "No second factor"}
                </span>
              )}
            </span>
            <span className="list-trail">
              <span className="secondary">{ROLE_WORDS[member.role]}</span>
              {mayChange(team.role, member) && (
                <Menu
                  label={`Role of ${member.name}`}
                  items={menuOf(member)}
                  trigger={(props) => (
                    <IconButton
                      icon="chevronDown"
                      label={`Role of ${member.name}`}
                      size="small"
                      tooltip="left"
                      busy={calls.busy(member.userId)}
                      {...props}
                    />
                  )}
                />
              )}
            </span>
          </li>
        ))}
      </ul>
      {removing !== undefined && (
        <AskDialog
          title={`Remove ${removing.name}?`}
          verb="Remove"
          stay="Keep"
          danger
          busy={calls.busy("remove")}
          onClose={() => setRemoving(undefined)}
          onYes={() => void remove(removing)}
        >
          <p>
            {removing.name} loses everything of {team.name} at once: screens close, what they started stops, their
            tokens and the invitations they sent end. What they made stays.
          </p>
        </AskDialog>
      )}
      {owning !== undefined && (
        <AskDialog
          title={`Make ${owning.name} an owner?`}
          verb="Make owner"
          busy={calls.busy(owning.userId)}
          onClose={() => setOwning(undefined)}
          onYes={() => void makeOwner(owning)}
        >
          <p>An owner may do everything, remove you included.</p>
        </AskDialog>
      )}
      {!roleMay(team.role, "team:manage") || team.members.length > 1 ? null : (
        <p className="secondary card-foot">A team of one. Invite people below to share phones and automations.</p>
      )}
    </Card>
  );
}

/** Two letters at most. */
function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? "")][0]?.toUpperCase() ?? "").join("");
}
