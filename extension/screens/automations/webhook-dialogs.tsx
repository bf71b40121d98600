/** Dialogs about webhooks: make one, see its secret once, give it a new one, remove it. */
import { useId, useState } from "react";
import type { Phone } from "../../../shared/phone-model.ts";
import type { Webhook, WebhookWithSecret } from "../../../shared/webhooks.ts";
import { Button } from "../../components/button.tsx";
import { CheckField } from "../../components/check-field.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { Notice } from "../../components/notice.tsx";
import { copyText } from "../../platform/clipboard.ts";
import { sortedPhones } from "../phone/model/phone-list.ts";
import { readTarget, tagsOf, targetValue } from "./model/run-target.ts";

interface DialogProps {
  readonly busy: boolean;
  readonly onClose: () => void;
}

export interface NewWebhookDialogProps extends DialogProps {
  readonly phones: readonly Phone[];
  /** Names of those the automation uses. */
  readonly secrets: readonly string[];
  readonly onCreate: (what: Pick<Webhook, "name" | "phone" | "mayUseSecrets">) => void;
}

export function NewWebhookDialog({ phones, secrets, busy, onCreate, onClose }: NewWebhookDialogProps) {
  const form = useId();
  const sorted = sortedPhones(phones);
  const options = [
    ...sorted.map(({ id, name }) => ({ value: id as string, label: name })),
    ...[...tagsOf(phones).keys()].map((tag) => ({
      value: targetValue({ share: "any", tag }),
      label: `Any free phone of “${tag}”`,
    })),
  ];
  const [name, setName] = useState("");
  const [error, setError] = useState<string>();
  const [mayUseSecrets, setMayUseSecrets] = useState(false);
  const [place, setPlace] = useState(options[0]?.value ?? "");
  const create = () => {
    if (name.trim() === "") return setError("Give the webhook a name, such as the system that calls it.");
    const tag = readTarget(place)?.tag;
    const phone = tag === undefined ? sorted.find(({ id }) => id === place)?.id : { tag };
    if (phone !== undefined) onCreate({ name, phone, mayUseSecrets });
  };
  return (
    <Dialog
      title="New webhook"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" busy={busy} disabled={options.length === 0} type="submit" form={form}>
            Create
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="settings-fields"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          create();
        }}
      >
        <TextField
          label="Name"
          placeholder="Shop, order shipped"
          maxLength={80}
          value={name}
          {...(error !== undefined && { error })}
          onChange={(event) => {
            setName(event.target.value);
            setError(undefined);
          }}
        />
        {options.length === 0 ? (
          <Notice tone="warn">Make a phone first: its runs need one.</Notice>
        ) : (
          <SelectField
            label="Runs on"
            options={options}
            value={place}
            onChange={(event) => setPlace(event.target.value)}
          />
        )}
        {secrets.length > 0 && (
          <CheckField
            label={`May use ${secrets.join(", ")}`}
            hint="Whoever has the webhook's secret then decides when they are used. Without it, its runs do not begin."
            checked={mayUseSecrets}
            onChange={setMayUseSecrets}
          />
        )}
        <p className="field-hint">
          Whoever holds its secret can start this automation at any time, and gives the values it asks for.
        </p>
      </form>
    </Dialog>
  );
}

export interface SecretDialogProps {
  readonly made: WebhookWithSecret;
  /** A shell's call to copy. */
  readonly call: string;
  readonly onClose: () => void;
}

/** The only time the secret is seen. */
export function SecretDialog({ made, call, onClose }: SecretDialogProps) {
  const [copied, setCopied] = useState<"secret" | "call" | "failed">();
  const copy = async (what: "secret" | "call") => {
    const done = await copyText(what === "secret" ? made.secret : call);
    setCopied(done.ok ? what : "failed");
  };
  return (
    <Dialog
      title={`Secret of ${made.name}`}
      onClose={onClose}
      actions={
        <Button kind="primary" onClick={onClose}>
          I have kept it
        </Button>
      }
    >
      <Notice tone="warn" title="Copy it now.">
        It is not shown again. Keep it as you keep a password.
      </Notice>
      <div className="copy-row">
        <TextField label="Secret" readOnly value={made.secret} onFocus={(event) => event.target.select()} />
        <Button icon="copy" onClick={() => void copy("secret")}>
          {copied === "secret" ? "Copied" : "Copy"}
        </Button>
      </div>
      <div className="copy-head">
        <h3>From a shell</h3>
        <Button size="small" icon="copy" onClick={() => void copy("call")}>
          {copied === "call" ? "Call copied" : "Copy the call"}
        </Button>
      </div>
      <textarea className="control call-example" aria-label="Call" readOnly rows={8} wrap="off" value={call} />
      <p className="sr-only" role="status">
        {copied === "secret" || copied === "call" ? `The ${copied} is copied.` : ""}
      </p>
      {copied === "failed" && (
        <Notice tone="error">The browser did not let Perch copy. Select the text instead.</Notice>
      )}
    </Dialog>
  );
}

export function RotateWebhookDialog(props: DialogProps & { readonly name: string; readonly onRotate: () => void }) {
  const { name, busy, onRotate, onClose } = props;
  return (
    <Dialog
      title={`New secret for ${name}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep the old one</Button>
          <Button kind="primary" icon="refresh" busy={busy} onClick={onRotate}>
            New secret
          </Button>
        </>
      }
    >
      <p>Calls signed with the old secret are refused from then on. Its runs will start with your rights.</p>
    </Dialog>
  );
}

export function RemoveWebhookDialog(props: DialogProps & { readonly name: string; readonly onRemove: () => void }) {
  const { name, busy, onRemove, onClose } = props;
  return (
    <Dialog
      title={`Remove ${name}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" icon="trash" busy={busy} onClick={onRemove}>
            Remove
          </Button>
        </>
      }
    >
      <p>Calls to its address are refused from then on. There is no way back: a new webhook has another address.</p>
    </Dialog>
  );
}
