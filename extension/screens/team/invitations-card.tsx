/** Open invitations, and making one. */
import { useState } from "react";
import type { InvitationView, TeamView } from "../../../shared/teams.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu } from "../../components/menu.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { endsWords } from "../account/model/account-words.ts";
import { refusalSentence } from "../panel/refusal-sentence.ts";
import { useCall } from "../panel/use-call.ts";
import { INVITATION_DAYS_WORDS, ROLE_DETAILS, ROLE_WORDS, rolesToInvite } from "./model/role-words.ts";

export interface InvitationsCardProps {
  readonly team: TeamView;
  readonly onChanged: () => void;
}

export function InvitationsCard({ team, onChanged }: InvitationsCardProps) {
  const [inviting, setInviting] = useState(false);
  const calls = useCall();
  const toast = useToast();
  const resend = async ({ id: invitationId, email }: InvitationView) => {
    const result = await calls.run(invitationId, (api) => api.teams.resendInvitation.mutate({ invitationId }));
    if (result?.ok === true) toast({ text: `A new link is on its way to ${email}. The earlier one stops working.` });
    onChanged();
  };
  const withdraw = async ({ id: invitationId, email }: InvitationView) => {
    const result = await calls.run(invitationId, (api) => api.teams.withdrawInvitation.mutate({ invitationId }));
    if (result?.ok === true) toast({ text: `The invitation of ${email} is withdrawn.` });
    onChanged();
  };
  return (
    <Card
      title="Invitations"
      action={
        <Button size="small" kind="quiet" icon="plus" onClick={() => setInviting(true)}>
          Invite
        </Button>
      }
    >
      {team.invitations.length === 0 ? (
        <p className="secondary card-foot">Nobody is invited at the moment.</p>
      ) : (
        <List label="Invitations">
          {team.invitations.map((invitation) => (
            <ListRow
              key={invitation.id}
              lead={<Icon name="mail" size={20} />}
              title={invitation.email}
              detail={
                <>
                  {ROLE_WORDS[invitation.role]} · by {invitation.invitedBy} ·{" "}
                  {invitation.expired ? (
                    <Badge tone="warn">Expired</Badge>
                  ) : (
                    endsWords(invitation.expiresAt, Date.now())
                  )}
                </>
              }
              trail={
                <Menu
                  label={invitation.email}
                  items={[
                    { id: "resend", label: "Send again", icon: "refresh", onSelect: () => void resend(invitation) },
                    {
                      id: "withdraw",
                      label: "Withdraw",
                      icon: "trash",
                      danger: true,
                      onSelect: () => void withdraw(invitation),
                    },
                  ]}
                  trigger={(props) => (
                    <IconButton
                      icon="more"
                      label={`More about the invitation of ${invitation.email}`}
                      tooltip="left"
                      busy={calls.busy(invitation.id)}
                      {...props}
                    />
                  )}
                />
              }
            />
          ))}
        </List>
      )}
      {inviting && (
        <InviteDialog
          team={team}
          onClose={() => setInviting(false)}
          onInvited={(email) => {
            setInviting(false);
            toast({ text: `${email} gets a mail with the invitation.` });
            onChanged();
          }}
        />
      )}
    </Card>
  );
}

type Days = keyof typeof INVITATION_DAYS_WORDS;
type InvitedRole = ReturnType<typeof rolesToInvite>[number];
const DAYS = Object.entries(INVITATION_DAYS_WORDS).map(([value, label]) => ({ value, label }));

interface InviteDialogProps {
  readonly team: TeamView;
  readonly onClose: () => void;
  readonly onInvited: (email: string) => void;
}

function InviteDialog({ team, onClose, onInvited }: InviteDialogProps) {
  const calls = useCall();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<InvitedRole>("operator");
  const [days, setDays] = useState<Days>(7);
  const [error, setError] = useState<string>();
  const submit = async () => {
    const address = email.trim();
    setError(address === "" ? "Write an e-mail address." : undefined);
    if (address === "") return;
    const result = await calls.run(
      "invite",
      (api) => api.teams.invite.mutate({ email: address, role, days }),
      (failure) => {
        setError(refusalSentence(failure));
        return refusalSentence(failure) !== undefined;
      },
    );
    if (result?.ok === true) onInvited(address);
  };
  return (
    <FormDialog
      title={`Invite to ${team.name}`}
      verb="Invite"
      icon="mail"
      busy={calls.busy("invite")}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        label="E-mail address"
        type="email"
        value={email}
        maxLength={254}
        autoFocus
        placeholder="ben@example.org"
        hint="The invitation is for this address alone. No account is needed yet."
        {...(error !== undefined && { error })}
        onChange={(event) => setEmail(event.target.value)}
      />
      <SelectField
        label="Role"
        options={rolesToInvite(team.role).map((each) => ({ value: each, label: ROLE_WORDS[each] }))}
        value={role}
        hint={ROLE_DETAILS[role]}
        // The options are these roles and no others.
        onChange={(event) => setRole(event.target.value as InvitedRole)}
      />
      <SelectField
        label="Can be accepted for"
        options={DAYS}
        value={String(days)}
        onChange={(event) => setDays(Number(event.target.value) as Days)}
      />
    </FormDialog>
  );
}
