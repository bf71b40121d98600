/** Setting up codes from an app: scan or type the key, then prove that it works. Nothing is asked at sign-in before. */
import { useState } from "react";
import { TOTP_DIGITS } from "../../../shared/account-model.ts";
import type { TotpEnrolment } from "../../../shared/accounts.ts";
import { TextField } from "../../components/field.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { refusalSentence } from "../panel/refusal-sentence.ts";
import { useCall } from "../panel/use-call.ts";
import { grouped } from "./model/account-words.ts";
import { CopyButton } from "./shown-once.tsx";

export interface TotpDialogProps {
  readonly enrolment: TotpEnrolment;
  readonly onClose: () => void;
  readonly onConfirmed: (backupCodes: readonly string[]) => void;
}

export function TotpDialog({ enrolment, onClose, onConfirmed }: TotpDialogProps) {
  const calls = useCall();
  const [code, setCode] = useState("");
  const [error, setError] = useState<string>();
  const submit = async () => {
    const digits = code.replace(/\s/g, "");
    const whole = digits.length === TOTP_DIGITS && /^\d+$/.test(digits);
    setError(whole ? undefined : `A code has ${TOTP_DIGITS} digits.`);
    if (!whole) return;
    const result = await calls.run(
      "confirm",
      (api) => api.account.confirmTotp.mutate({ code: digits }),
      (failure) => {
        setError(refusalSentence(failure));
        return refusalSentence(failure) !== undefined;
      },
    );
    if (result?.ok === true) onConfirmed(result.value.codes);
  };
  return (
    <FormDialog
      title="Set up codes from an app"
      verb="Turn on"
      busy={calls.busy("confirm")}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>Scan this with an authenticator app, or type the key into it.</p>
      <div className="totp-key">
        {/* As an image, so that nothing in it can run. */}
        <img
          className="totp-qr"
          src={`data:image/svg+xml,${encodeURIComponent(enrolment.qrSvg)}`}
          width={148}
          height={148}
          alt="QR code of the key beside it"
        />
        <div className="totp-secret">
          <span className="secondary">Key</span>
          <code className="mono">{grouped(enrolment.secret)}</code>
          <CopyButton size="small" text={enrolment.secret} label="Copy the key" />
        </div>
      </div>
      <TextField
        label="Code from the app"
        inputMode="numeric"
        autoComplete="one-time-code"
        maxLength={TOTP_DIGITS + 1}
        placeholder="123 456"
        value={code}
        autoFocus
        hint="Shows that it works. Until then signing in stays as it is."
        {...(error !== undefined && { error })}
        onChange={(event) => setCode(event.target.value)}
      />
    </FormDialog>
  );
}
