/** The team itself: its name, whether everybody needs a second factor, whose it is, and leaving or closing it. */
import { useState } from "react";
import { roleMay } from "../../../shared/access.ts";
import type { MemberView, TeamView } from "../../../shared/teams.ts";
import { Button } from "../../components/button.tsx";
import { Switch } from "../../components/check-field.tsx";
import { SelectField } from "../../components/field.tsx";
import { Icon } from "../../components/icon.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { AskDialog } from "../account/ask-dialog.tsx";
import { readTeams } from "../account/teams-card.tsx";
import { TextDialog } from "../account/text-dialog.tsx";
import { useTeamChange } from "../account/use-team-change.ts";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";

type Open = "rename" | "require" | "transfer" | "close" | "leave";

export interface TeamSettingsCardProps {
  readonly team: TeamView;
  readonly onChanged: () => void;
}

export function TeamSettingsCard({ team, onChanged }: TeamSettingsCardProps) {
  const [open, setOpen] = useState<Open>();
  const teams = useRemote(readTeams);
  const calls = useCall();
  const toast = useToast();
  const change = useTeamChange();
  const done = () => setOpen(undefined);
  const manages = roleMay(team.role, "team:manage");
  const owns = roleMay(team.role, "team:own");
  const others = team.members.filter(({ isMe }) => !isMe);
  const without = team.members.filter(({ hasSecondFactor }) => hasSecondFactor === false);

  const require = async (required: boolean) => {
    const result = await calls.run("require", (api) => api.teams.requireSecondFactor.mutate({ required }));
    if (result?.ok !== true) return;
    done();
    toast({ text: required ? "Everybody needs a second factor now." : "A second factor is up to each member now." });
    onChanged();
  };
  const transfer = async ({ userId, name }: MemberView) => {
    const result = await calls.run("transfer", (api) => api.teams.transferOwnership.mutate({ userId }));
    if (result?.ok !== true) return;
    done();
    toast({ text: `${name} is the owner now, and you are an admin.` });
    onChanged();
  };
  const leaveOrClose = async (how: "leave" | "close") => {
    const result = await calls.run(how, (api) => api.teams[how].mutate());
    if (result?.ok !== true) return;
    done();
    toast({ text: how === "leave" ? `You left ${team.name}.` : `${team.name} is closed.` });
    await change();
  };

  return (
    <Card title="Team">
      <List label="Team">
        <ListRow
          lead={<Icon name="edit" size={20} />}
          title={team.name}
          detail="Name"
          trail={
            manages && (
              <Button size="small" kind="quiet" aria-label="Rename the team" onClick={() => setOpen("rename")}>
                Rename
              </Button>
            )
          }
        />
        <ListRow
          lead={<Icon name="shield" size={20} />}
          title="Second factor for everybody"
          detail={
            owns
              ? "Who has none cannot use the team's phones"
              : team.requireSecondFactor
                ? "Asked for by the team's owners"
                : "Not asked for"
          }
          trail={
            owns ? (
              <Switch
                label="Second factor for everybody"
                on={team.requireSecondFactor}
                onChange={(on) => (on ? setOpen("require") : void require(false))}
              />
            ) : (
              <span className="secondary">{team.requireSecondFactor ? "On" : "Off"}</span>
            )
          }
        />
        {owns && others.length > 0 && (
          <ListRow
            lead={<Icon name="key" size={20} />}
            title="Hand over ownership"
            detail="You stay as an admin"
            trail={
              <Button size="small" kind="quiet" onClick={() => setOpen("transfer")}>
                Hand over
              </Button>
            }
          />
        )}
      </List>
      {teams.value?.length === 1 ? (
        <p className="secondary">It is your only team. Make or join another one before you leave or close it.</p>
      ) : (
        <div className="card-foot team-leave">
          <Button size="small" icon="signOut" onClick={() => setOpen("leave")}>
            Leave the team
          </Button>
          {owns && (
            <Button size="small" icon="trash" onClick={() => setOpen("close")}>
              Close the team
            </Button>
          )}
        </div>
      )}
      {open === "rename" && (
        <TextDialog
          title="Rename the team"
          label="Name"
          initial={team.name}
          maxLength={60}
          verb="Save"
          save={(name) => (api) => api.teams.rename.mutate({ name })}
          onClose={done}
          onSaved={(name) => {
            done();
            toast({ text: `The team is called ${name} now.` });
            onChanged();
          }}
        />
      )}
      {open === "require" && (
        <AskDialog
          title="A second factor for everybody?"
          verb="Ask for it"
          busy={calls.busy("require")}
          onClose={done}
          onYes={() => void require(true)}
        >
          <p>Members use {team.name} only after signing in with a passkey, or a password and a code from an app.</p>
          {without.length > 0 && (
            <p>
              {namesOf(without)} {without.length === 1 && without[0]?.isMe === false ? "has" : "have"} none yet, and
              cannot use the team's phones until then.
            </p>
          )}
        </AskDialog>
      )}
      {open === "transfer" && (
        <TransferDialog others={others} busy={calls.busy("transfer")} onClose={done} onYes={transfer} />
      )}
      {open === "leave" && (
        <AskDialog
          title={`Leave ${team.name}?`}
          verb="Leave"
          stay="Stay"
          danger
          busy={calls.busy("leave")}
          onClose={done}
          onYes={() => void leaveOrClose("leave")}
        >
          <p>
            You lose its phones, automations and activity at once. Your tokens in it end. Coming back takes an
            invitation.
          </p>
        </AskDialog>
      )}
      {open === "close" && (
        <AskDialog
          title={`Close ${team.name}?`}
          verb="Close the team"
          stay="Keep it"
          danger
          busy={calls.busy("close")}
          onClose={done}
          onYes={() => void leaveOrClose("close")}
        >
          <p>
            The team, its automations, rules and secrets will be gone for all members. Its phones have to be removed
            first.
          </p>
        </AskDialog>
      )}
    </Card>
  );
}

interface TransferDialogProps {
  readonly others: readonly MemberView[];
  readonly busy: boolean;
  readonly onClose: () => void;
  readonly onYes: (member: MemberView) => Promise<void>;
}

function TransferDialog({ others, busy, onClose, onYes }: TransferDialogProps) {
  const [to, setTo] = useState(others[0]?.userId ?? "");
  const member = others.find(({ userId }) => userId === to);
  return (
    <AskDialog
      title="Hand over ownership?"
      verb={member === undefined ? "Hand over" : `Make ${member.name} the owner`}
      danger
      busy={busy}
      onClose={onClose}
      onYes={() => {
        if (member !== undefined) void onYes(member);
      }}
    >
      <SelectField
        label="To"
        options={others.map(({ userId, name, email }) => ({ value: userId, label: `${name} (${email})` }))}
        value={to}
        onChange={(event) => setTo(event.target.value)}
      />
      <p>They may then do everything, remove you included. You become an admin and cannot take it back.</p>
    </AskDialog>
  );
}

function namesOf(members: readonly MemberView[]): string {
  const names = members.map(({ name, isMe }) => (isMe ? "you" : name));
  const words = names.length < 4 ? names : [...names.slice(0, 3), `${names.length - 3} more`];
  const text = words.length === 1 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
