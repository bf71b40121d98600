/** A copy of everything: what will be in it, how far it is, and saving it. Closing the dialog stops nothing. */
import { useRef, useState } from "react";
import type { ExportEstimate, ExportView } from "../../../../shared/privacy.ts";
import type { Api } from "../../../api/client.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { TextField } from "../../../components/field.tsx";
import { FormDialog } from "../../../components/form-dialog.tsx";
import { Icon } from "../../../components/icon.tsx";
import { Notice, Skeleton } from "../../../components/notice.tsx";
import { useToast } from "../../../components/toast.tsx";
import { useNow } from "../../../components/use-now.ts";
import { FailureNotice } from "../../panel/failure-notice.tsx";
import { useCall } from "../../panel/use-call.ts";
import { useRemote } from "../../panel/use-remote.ts";
import { byteSize, calendarDate } from "../../phone/model/run-time.ts";
import { durationWords, progressOf } from "../model/export-progress.ts";
import { saveAnswerOf } from "../post-form.ts";
import { ProgressLine } from "../progress-line.tsx";
import { isMaking } from "../use-copy.ts";

const readEstimate = (api: Api): Promise<ExportEstimate> => api.privacy.estimateExport.query();
const SHORTEST_PASSPHRASE = 8;

export interface DownloadDialogProps {
  readonly copy: ExportView | undefined;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function DownloadDialog(props: DownloadDialogProps) {
  const { copy } = props;
  if (copy !== undefined && isMaking(copy)) return <Making {...props} copy={copy} />;
  if (copy?.state === "ready") return <Ready {...props} copy={copy} />;
  return <Begin {...props} />;
}

function Begin({ copy, onClose, onChanged }: DownloadDialogProps) {
  const { value, failure, reload } = useRemote(readEstimate);
  const calls = useCall();
  // One key for one opening of the dialog: asking twice makes one copy.
  const key = useRef(crypto.randomUUID());
  const begin = async () => {
    const result = await calls.run("begin", (api) => api.privacy.export.mutate({ idempotencyKey: key.current }));
    if (result?.ok === false) key.current = crypto.randomUUID();
    onChanged();
  };
  return (
    <Dialog
      title="A copy of your data"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" icon="download" busy={calls.busy("begin")} onClick={() => void begin()}>
            Make my copy
          </Button>
        </>
      }
    >
      {copy?.state === "failed" && (
        <Notice tone="error" title="The last copy was not finished.">
          {copy.failure ?? "Make another one."}
        </Notice>
      )}
      <p>
        One .zip with everything exportable about you: a report to read, and the same as tables and data for programs.
        Another Perch can take it in.
      </p>
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Counting what there is" rows={2} />}
      {value !== undefined && (
        <>
          <p className="tabular">
            About <strong>{value.rows.toLocaleString()} entries</strong>, {byteSize(value.bytes)}, ready in{" "}
            {durationWords(value.seconds * 1000)}. You can close this meanwhile.
          </p>
          <details className="disclosure">
            <summary>
              <Icon name="chevronRight" /> What is in it
            </summary>
            <dl className="facts tabular">
              {value.parts.map(({ id, label, rows }) => (
                <Row key={id} label={label} value={rows.toLocaleString()} />
              ))}
            </dl>
          </details>
        </>
      )}
    </Dialog>
  );
}

function Row({ label, value }: { readonly label: string; readonly value: string }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </>
  );
}

function Making({ copy, onClose, onChanged }: DownloadDialogProps & { readonly copy: ExportView }) {
  const now = useNow(true);
  const calls = useCall();
  const stop = async () => {
    await calls.run("stop", (api) => api.privacy.revokeExport.mutate({ exportId: copy.id }));
    onChanged();
  };
  return (
    <Dialog
      title="A copy of your data"
      onClose={onClose}
      actions={
        <>
          <Button busy={calls.busy("stop")} onClick={() => void stop()}>
            Stop it
          </Button>
          <Button kind="primary" onClick={onClose}>
            Leave it running
          </Button>
        </>
      }
    >
      <ProgressLine label="Your copy" progress={progressOf(copy, now)} />
      <p className="secondary">
        It goes on when you close this, the panel or the browser. Privacy shows how far it is, and when it is ready.
      </p>
    </Dialog>
  );
}

function Ready({ copy, onClose, onChanged }: DownloadDialogProps & { readonly copy: ExportView }) {
  const calls = useCall();
  const toast = useToast();
  const [passphrase, setPassphrase] = useState("");
  const [shown, setShown] = useState(false);
  const [error, setError] = useState<string>();
  const [problem, setProblem] = useState(false);
  const { id, rows, bytes, readyAt, expiresAt, downloads } = copy;
  const save = async () => {
    const short = passphrase !== "" && [...passphrase].length < SHORTEST_PASSPHRASE;
    setError(short ? `Use at least ${SHORTEST_PASSPHRASE} characters, or leave it empty.` : undefined);
    setProblem(false);
    if (short) return;
    const result = await calls.run("save", (api) => api.privacy.downloadExport.mutate({ exportId: id }));
    if (result?.ok !== true) return;
    saveAnswerOf(result.value.url, passphrase === "" ? {} : { passphrase }, () => setProblem(true));
    toast({ text: "Your browser saves the file." });
    onChanged();
  };
  const remove = async () => {
    const result = await calls.run("remove", (api) => api.privacy.revokeExport.mutate({ exportId: id }));
    if (result?.ok === true) toast({ text: "The copy is removed from the server." });
    onClose();
    onChanged();
  };
  return (
    <FormDialog
      title="Your copy is ready"
      verb="Save the file"
      icon="download"
      stay="Close"
      busy={calls.busy("save")}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <p className="tabular">
        {rows.toLocaleString()} entries{bytes !== undefined && `, ${byteSize(bytes)}`}
        {readyAt !== undefined && `, made ${calendarDate(readyAt, Date.now())}`}.
        {expiresAt !== undefined && ` It removes itself on ${calendarDate(expiresAt, Date.now())}.`}
        {downloads > 0 && ` Saved ${downloads === 1 ? "once" : `${downloads} times`}.`}
      </p>
      <TextField
        label="Passphrase (optional)"
        type={shown ? "text" : "password"}
        autoComplete="new-password"
        spellCheck={false}
        maxLength={256}
        value={passphrase}
        hint="Seals the file (age). Whoever finds it cannot open it without the passphrase, and nor can we: keep it well. Empty: a plain .zip."
        {...(error !== undefined && { error })}
        onChange={(event) => {
          setPassphrase(event.target.value);
          setError(undefined);
        }}
      />
      <label className="check-line">
        <input type="checkbox" checked={shown} onChange={(event) => setShown(event.target.checked)} /> Show it
      </label>
      {problem && (
        <Notice tone="error" title="The server gave no file.">
          The copy may have been removed meanwhile, or the minute for saving it is over. Press Save the file again.
        </Notice>
      )}
      <div>
        <Button size="small" kind="quiet" icon="trash" busy={calls.busy("remove")} onClick={() => void remove()}>
          Remove from the server
        </Button>
      </div>
    </FormDialog>
  );
}
