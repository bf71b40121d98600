/** Making an API token, and the one look at it. */
import { useState } from "react";
import type { Scope } from "../../../shared/access.ts";
import { SCOPES } from "../../../shared/access.ts";
import type { CreatedToken } from "../../../shared/accounts.ts";
import { CheckField } from "../../components/check-field.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { refusalSentence } from "../panel/refusal-sentence.ts";
import { useCall } from "../panel/use-call.ts";
import { calendarDate } from "../phone/model/run-time.ts";
import { SCOPE_WORDS, TOKEN_DAYS_WORDS } from "./model/account-words.ts";
import { CopyButton, ShownOnceDialog } from "./shown-once.tsx";

type Days = keyof typeof TOKEN_DAYS_WORDS;
const DAYS = (Object.entries(TOKEN_DAYS_WORDS) as [string, string][]).map(([value, label]) => ({ value, label }));

export interface NewTokenDialogProps {
  readonly onClose: () => void;
  readonly onMade: (made: CreatedToken) => void;
}

export function NewTokenDialog({ onClose, onMade }: NewTokenDialogProps) {
  const calls = useCall();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["phones:view", "phones:control"]);
  const [days, setDays] = useState<Days>(30);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<string>();
  const nameError = tried && name.trim() === "" ? "Give the token a name, such as the program that uses it." : refused;
  const submit = async () => {
    setTried(true);
    setRefused(undefined);
    if (name.trim() === "" || scopes.length === 0) return;
    const result = await calls.run(
      "create",
      (api) => api.tokens.create.mutate({ name: name.trim(), scopes: [...scopes], days }),
      (failure) => {
        setRefused(refusalSentence(failure));
        return refusalSentence(failure) !== undefined;
      },
    );
    if (result?.ok === true) onMade(result.value);
  };
  return (
    <FormDialog
      title="New API token"
      verb="Create"
      busy={calls.busy("create")}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        label="Name"
        value={name}
        maxLength={60}
        autoFocus
        placeholder="Nightly checks"
        {...(nameError !== undefined && { error: nameError })}
        onChange={(event) => setName(event.target.value)}
      />
      <fieldset className="scopes">
        <legend className="field-label">What it may do</legend>
        {SCOPES.map((scope) => (
          <CheckField
            key={scope}
            label={SCOPE_WORDS[scope].name}
            hint={SCOPE_WORDS[scope].detail}
            checked={scopes.includes(scope)}
            onChange={(checked) => setScopes(SCOPES.filter((one) => (one === scope ? checked : scopes.includes(one))))}
          />
        ))}
        {tried && scopes.length === 0 && (
          <p className="field-error" role="alert">
            Choose at least one.
          </p>
        )}
      </fieldset>
      <SelectField
        label="Ends after"
        options={DAYS}
        value={String(days)}
        onChange={(event) => setDays(Number(event.target.value) as Days)}
      />
      <p className="secondary">Never more than your role may, and nothing that asks who you are.</p>
    </FormDialog>
  );
}

export interface CreatedTokenDialogProps {
  readonly made: CreatedToken;
  readonly onClose: () => void;
}

export function CreatedTokenDialog({ made: { token, view }, onClose }: CreatedTokenDialogProps) {
  return (
    <ShownOnceDialog
      title={`Token ${view.name}`}
      kept="I have kept it"
      lost="The token is not shown again. You would have to revoke it and make another."
      onClose={onClose}
    >
      <p>
        This is the only time it is shown. Who has it can do what it may until{" "}
        {calendarDate(view.expiresAt, Date.now())}.
      </p>
      <TextField label="Token" readOnly spellCheck={false} value={token} onFocus={(event) => event.target.select()} />
      <div className="dialog-row">
        <CopyButton text={token} />
      </div>
    </ShownOnceDialog>
  );
}
