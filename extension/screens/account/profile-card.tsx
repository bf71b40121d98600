/** Name and address of the person, each with its change. */
import { useState } from "react";
import type { Me, SecurityOverview } from "../../../shared/accounts.ts";
import { Button } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Notice } from "../../components/notice.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { useCall } from "../panel/use-call.ts";
import { calendarDate, clockTime } from "../phone/model/run-time.ts";
import { TextDialog } from "./text-dialog.tsx";

export interface ProfileCardProps {
  readonly me: Me;
  /** Undefined while it is not known. */
  readonly security: SecurityOverview | undefined;
  readonly onChanged: () => void;
}

export function ProfileCard({ me, security, onChanged }: ProfileCardProps) {
  const [open, setOpen] = useState<"name" | "email">();
  const calls = useCall();
  const toast = useToast();
  const pending = security?.pendingEmail ?? null;
  const close = () => setOpen(undefined);
  const cancel = async () => {
    const result = await calls.run("cancel", (api) => api.account.cancelEmailChange.mutate());
    if (result?.ok === true) toast({ text: `Your address stays ${me.user.email}.` });
    onChanged();
  };
  return (
    <Card title="You">
      <List label="You">
        <ListRow
          lead={<Icon name="user" size={20} />}
          title={me.user.name ?? "No name yet"}
          detail="Name, as your team sees it"
          trail={
            <Button size="small" kind="quiet" aria-label="Change the name" onClick={() => setOpen("name")}>
              Change
            </Button>
          }
        />
        <ListRow
          lead={<Icon name="mail" size={20} />}
          title={me.user.email}
          detail="Signs you in, and gets alerts"
          trail={
            <Button size="small" kind="quiet" aria-label="Change the address" onClick={() => setOpen("email")}>
              Change
            </Button>
          }
        />
      </List>
      {pending !== null && (
        <Notice
          title={`${pending.email} is not confirmed yet.`}
          action={
            <Button size="small" busy={calls.busy("cancel")} onClick={() => void cancel()}>
              Keep the present address
            </Button>
          }
        >
          Open the link in the mail we sent there, until {clockTime(pending.expiresAt)} on{" "}
          {calendarDate(pending.expiresAt, Date.now())}. Until then {me.user.email} stays your address.
        </Notice>
      )}
      {open === "name" && (
        <TextDialog
          title="Change your name"
          label="Name"
          initial={me.user.name ?? ""}
          hint="Members of your teams see it beside what you do."
          maxLength={100}
          autoComplete="name"
          optional
          verb="Save"
          save={(fullName) => (api) => api.account.updateProfile.mutate({ fullName })}
          onClose={close}
          onSaved={() => {
            close();
            toast({ text: "Your name is changed." });
            onChanged();
          }}
        />
      )}
      {open === "email" && (
        <TextDialog
          title="Change your address"
          label="New e-mail address"
          type="email"
          initial=""
          hint="We send a link there. The address changes once you open it, and the present one is told."
          maxLength={254}
          autoComplete="email"
          verb="Send the link"
          save={(email) => (api) => api.account.changeEmail.mutate({ email })}
          onClose={close}
          onSaved={(email) => {
            close();
            toast({ text: `We sent a link to ${email}.` });
            onChanged();
          }}
        />
      )}
    </Card>
  );
}
