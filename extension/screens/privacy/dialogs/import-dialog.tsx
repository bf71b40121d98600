/** Moving here: a copy made by another Perch is looked at first, and brought in when the person says so. */
import { useState } from "react";
import { type DataImport, IMPORT_KINDS, type ImportKind, sendImport } from "../../../api/data-import.ts";
import { TextField } from "../../../components/field.tsx";
import { FormDialog } from "../../../components/form-dialog.tsx";
import { Notice } from "../../../components/notice.tsx";
import { useToast } from "../../../components/toast.tsx";
import { usePage, usePhones } from "../../../state/app-context.tsx";
import { calendarDate } from "../../phone/model/run-time.ts";
import { itemWords } from "../model/privacy-words.ts";

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
  const [content, setContent] = useState<DataImport>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const sealed = file?.name.toLowerCase().endsWith(".age") === true;
  const send = async () => {
    if (file === undefined) return setError("Choose the file first: a .zip, or a .zip.age.");
    if (sealed && passphrase === "") return setError("This file is sealed. Write its passphrase.");
    if (server === undefined) return;
    setBusy(true);
    setError(undefined);
    const mode = content === undefined ? "preview" : "apply";
    const answer = await sendImport(app, server, mode, { file, passphrase });
    setBusy(false);
    if (!answer.ok) return setError(answer.message);
    if (mode === "preview") return setContent(answer.content);
    toast({ text: "Your data is here now. Parked phones and automations are as you left them." });
    onChanged();
    onClose();
  };
  return (
    <FormDialog
      title="Move here from another Perch"
      verb={content === undefined ? "Look into it" : "Bring it in"}
      icon={content === undefined ? "search" : "upload"}
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
            setContent(undefined);
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
            setContent(undefined);
          }}
        />
      )}
      {content !== undefined && <Content content={content} />}
      {error !== undefined && <Notice tone="error">{error}</Notice>}
    </FormDialog>
  );
}

const KIND_WORDS: Readonly<Record<ImportKind, string>> = {
  phone: "Phones, parked and without what was open",
  flow: "Automations",
  file: "Files of automations",
  rule: "Rules, switched off at first",
  profile: "Your name",
  statement: "Your statements",
  preference: "Your choices",
};

function Content({ content: { items, again, madeAt, email } }: { readonly content: DataImport }) {
  const fresh = items.filter(({ change }) => change === "new");
  const here = items.filter(({ change }) => change === "here").length;
  const out = items.filter(({ change }) => change === "left_out");
  const counts = IMPORT_KINDS.map((kind) => ({ kind, count: fresh.filter((one) => one.kind === kind).length }));
  return (
    <section className="dialog-part" aria-label="What is in it">
      <p className="secondary">
        Made {calendarDate(madeAt, Date.now())} for {email}.
      </p>
      <h3>{fresh.length === 0 ? "Nothing new is in it" : `${itemWords(fresh.length)} can be brought in`}</h3>
      <dl className="facts tabular">
        {counts
          .filter(({ count }) => count > 0)
          .map(({ kind, count }) => (
            <div key={kind} className="facts-row">
              <dt>{KIND_WORDS[kind]}</dt>
              <dd>{count.toLocaleString()}</dd>
            </div>
          ))}
      </dl>
      {here > 0 && <p className="secondary">{itemWords(here)} you have here already. Nothing is overwritten.</p>}
      {out.length > 0 && (
        <>
          <h3>Left out</h3>
          <ul className="bullets">
            {out.map(({ kind, name, reason }) => (
              <li key={kind + name}>
                {name}
                {reason !== undefined && `: ${reason}`}
              </li>
            ))}
          </ul>
        </>
      )}
      {again.length > 0 && (
        <>
          <h3>To be made anew</h3>
          <ul className="bullets">
            {again.map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
