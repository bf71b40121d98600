/** Moving here: a copy made by another Perch is looked at first, and brought in when the person says so. */
import { useState } from "react";
import { type ImportPart, sendImport } from "../../../api/data-import.ts";
import { TextField } from "../../../components/field.tsx";
import { FormDialog } from "../../../components/form-dialog.tsx";
import { Notice } from "../../../components/notice.tsx";
import { useToast } from "../../../components/toast.tsx";
import { usePage, usePhones } from "../../../state/app-context.tsx";

export interface ImportDialogProps {
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function ImportDialog({ onClose, onChanged }: ImportDialogProps) {
  const { app } = usePage();
  const { server } = usePhones();
  const toast = useToast();
  const [file, setFile] = useState<File>();
  const [passphrase, setPassphrase] = useState("");
  const [parts, setParts] = useState<readonly ImportPart[]>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const sealed = file?.name.toLowerCase().endsWith(".age") === true;
  const send = async () => {
    if (file === undefined) return setError("Choose the file first: a .zip, or a .zip.age.");
    if (sealed && passphrase === "") return setError("This file is sealed. Write its passphrase.");
    if (server === undefined) return;
    setBusy(true);
    setError(undefined);
    const mode = parts === undefined ? "preview" : "apply";
    const answer = await sendImport(app, server, mode, { file, passphrase });
    setBusy(false);
    if (!answer.ok) return setError(answer.message);
    if (mode === "preview") return setParts(answer.parts);
    toast({ text: "Your data is here now. Parked phones and automations are as you left them." });
    onChanged();
    onClose();
  };
  const total = (parts ?? []).reduce((sum, { items }) => sum + items, 0);
  return (
    <FormDialog
      title="Move here from another Perch"
      verb={parts === undefined ? "Look into it" : "Bring it in"}
      icon={parts === undefined ? "search" : "upload"}
      busy={busy}
      onSubmit={() => void send()}
      onClose={onClose}
    >
      <p>Take the copy you made there under Download. You see what is in it before anything is brought in.</p>
      <div className="field">
        <label className="field-label" htmlFor="import-file">
          File
        </label>
        <input
          id="import-file"
          className="control"
          type="file"
          accept=".zip,.age"
          onChange={({ target }) => {
            setFile(target.files?.[0]);
            setParts(undefined);
            setError(undefined);
          }}
        />
      </div>
      {sealed && (
        <TextField
          label="Passphrase of the file"
          type="password"
          autoComplete="off"
          value={passphrase}
          onChange={(event) => {
            setPassphrase(event.target.value);
            setParts(undefined);
          }}
        />
      )}
      {parts !== undefined && (
        <section className="dialog-part" aria-label="What is in it">
          <h3>
            {total === 0 ? "Nothing in it can be brought in" : `${total.toLocaleString()} entries can be brought in`}
          </h3>
          <dl className="facts tabular">
            {parts.map(({ label, items, note }) => (
              <div key={label} className="facts-row">
                <dt>
                  {label}
                  {note !== undefined && <span className="block secondary">{note}</span>}
                </dt>
                <dd>{items.toLocaleString()}</dd>
              </div>
            ))}
          </dl>
          <p className="secondary">What is here already stays. Nothing is overwritten.</p>
        </section>
      )}
      {error !== undefined && <Notice tone="error">{error}</Notice>}
    </FormDialog>
  );
}
