/** Setting a secret's value, which is never shown again, and removing one after saying what stops. */
import { useId, useState } from "react";
import { type SecretSummary, secretNameProblem, secretValueProblem } from "../../../shared/secret-model.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";

export interface SetSecretDialogProps {
  /** Whose value is set; undefined: the person names a new one. */
  readonly name: string | undefined;
  /** What there is under that name already. */
  readonly known: SecretSummary | undefined;
  /** The automation that may use it from then on. */
  readonly allowed?: string;
  readonly taken: readonly string[];
  readonly busy: boolean;
  readonly onSet: (name: string, value: string) => void;
  readonly onClose: () => void;
}

export function SetSecretDialog(props: SetSecretDialogProps) {
  const { known, allowed, taken, busy, onSet, onClose } = props;
  const form = useId();
  const [name, setName] = useState(props.name ?? "");
  const [value, setValue] = useState("");
  const [tried, setTried] = useState(false);
  const nameProblem = taken.includes(name)
    ? `There is a secret called ${name}. Replace its value, or choose another name.`
    : secretNameProblem(name);
  const valueProblem = secretValueProblem(value);
  const submit = () => {
    setTried(true);
    if (nameProblem === undefined && valueProblem === undefined) onSet(name, value);
  };
  const verb = known === undefined ? "Save" : "Replace";
  return (
    <Dialog
      title={
        props.name === undefined ? "New secret" : known === undefined ? `Set ${props.name}` : `Replace ${props.name}`
      }
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" icon="key" type="submit" form={form} busy={busy}>
            {allowed === undefined ? verb : `${verb} and allow`}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="secret-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) submit();
        }}
      >
        {props.name === undefined && (
          <TextField
            label="Name"
            value={name}
            maxLength={64}
            autoFocus
            spellCheck={false}
            placeholder="SHOP_PASSWORD"
            hint="Automations ask for it under this name."
            {...(tried && nameProblem !== undefined && { error: nameProblem })}
            onChange={(event) => setName(event.target.value.trim())}
          />
        )}
        <TextField
          label="Value"
          type="password"
          autoComplete="new-password"
          value={value}
          autoFocus={props.name !== undefined}
          hint="Kept encrypted and never shown again, not even to you."
          {...(tried && valueProblem !== undefined && { error: valueProblem })}
          onChange={(event) => setValue(event.target.value)}
        />
      </form>
      {known !== undefined && <ReplacedWords secret={known} />}
      {allowed !== undefined && (
        <p className="secondary">{allowed} may then type it, send it and use it in scripts, as its steps say.</p>
      )}
    </Dialog>
  );
}

function ReplacedWords({ secret }: { readonly secret: SecretSummary }) {
  const count = secret.grants.length;
  if (count === 0) return null;
  const which = count === 1 ? secret.grants[0]?.flowName : `${count} automations`;
  return (
    <p className="secondary">
      {secret.mine
        ? `${which} will use the new value from the next run on.`
        : `Someone else set the value so far. What they allowed has to be allowed again: ${which}.`}
    </p>
  );
}

export interface RemoveSecretDialogProps {
  readonly secret: SecretSummary;
  readonly busy: boolean;
  readonly onRemove: () => void;
  readonly onClose: () => void;
}

export function RemoveSecretDialog({ secret, busy, onRemove, onClose }: RemoveSecretDialogProps) {
  const names = secret.grants.filter(({ current }) => current).map(({ flowName }) => flowName);
  return (
    <Dialog
      title={`Remove ${secret.name}?`}
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
      <p>Its value will be gone for the whole team, and there is no way back.</p>
      {names.length === 0 ? (
        <p>No automation uses it now.</p>
      ) : (
        <>
          <p>Without it {names.length === 1 ? "this automation does" : "these automations do"} not start any more:</p>
          <ul className="secret-stops">
            {names.map((name, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: two automations may have one name
              <li key={index}>{name}</li>
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}
