import { useState } from "react";
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "../../../shared/account-model.ts";
import { TextField } from "../../components/field.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { refusalSentence } from "../panel/refusal-sentence.ts";
import { useCall } from "../panel/use-call.ts";

export interface PasswordDialogProps {
  readonly onClose: () => void;
  /** With how many other sessions it ended. */
  readonly onChanged: (ended: number) => void;
}

/** Who asks is confirmed apart from this, so the present password is not asked for here. */
export function PasswordDialog({ onClose, onChanged }: PasswordDialogProps) {
  const calls = useCall();
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const [error, setError] = useState<string>();
  const submit = async () => {
    const short = [...password].length < MIN_PASSWORD_LENGTH;
    setError(short ? `Use at least ${MIN_PASSWORD_LENGTH} characters.` : undefined);
    if (short) return;
    const result = await calls.run(
      "save",
      (api) => api.account.changePassword.mutate({ password }),
      (failure) => {
        setError(refusalSentence(failure));
        return refusalSentence(failure) !== undefined;
      },
    );
    if (result?.ok === true) onChanged(result.value.ended);
  };
  return (
    <FormDialog
      title="Change the password"
      verb="Change"
      busy={calls.busy("save")}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        label="New password"
        type={shown ? "text" : "password"}
        autoComplete="new-password"
        maxLength={MAX_PASSWORD_LENGTH}
        spellCheck={false}
        value={password}
        autoFocus
        hint={`At least ${MIN_PASSWORD_LENGTH} characters. A few words in a row are easy to remember.`}
        {...(error !== undefined && { error })}
        onChange={(event) => setPassword(event.target.value)}
      />
      <label className="check-line">
        <input type="checkbox" checked={shown} onChange={(event) => setShown(event.target.checked)} /> Show it
      </label>
      <p className="secondary">Every other session is signed out, and a mail tells you of the change.</p>
    </FormDialog>
  );
}
