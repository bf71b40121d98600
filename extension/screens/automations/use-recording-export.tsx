/** Saves an automation as a recording of Chrome DevTools, and says which steps it could not take along. */
import { type ReactNode, useState } from "react";
import type { FlowId } from "../../../shared/id-values.ts";
import type { ExportedRecording } from "../../../shared/recorder-json/export.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import type { Calls } from "../panel/use-call.ts";
import { saveBlob } from "../phone/save-blob.ts";

export interface RecordingExport {
  readonly save: (id: FlowId) => Promise<void>;
  readonly dialog: ReactNode;
}

export function useRecordingExport(calls: Calls): RecordingExport {
  const [made, setMade] = useState<ExportedRecording>();
  const keep = (json: string) => saveBlob(new Blob([json], { type: "application/json" }), "recording.json");
  const save = async (id: FlowId) => {
    const result = await calls.run("recording", (api) => api.flows.recording.query({ flowId: id }));
    if (result?.ok !== true) return;
    if (result.value.messages.length === 0) keep(result.value.json);
    else setMade(result.value);
  };
  const close = () => setMade(undefined);
  const dialog = made !== undefined && (
    <Dialog
      title="Some steps stay out"
      onClose={close}
      actions={
        <>
          <Button onClick={close}>Do not save</Button>
          <Button
            kind="primary"
            icon="download"
            onClick={() => {
              keep(made.json);
              close();
            }}
          >
            Save the rest
          </Button>
        </>
      }
    >
      <p>The Recorder of Chrome DevTools knows fewer steps than an automation.</p>
      <ul className="list" aria-label="Steps that stay out">
        {made.messages.map(({ line, message }) => (
          <li key={`${line} ${message}`} className="import-entry">
            <span className="list-text">
              <span>{message}</span>
              <span className="secondary tabular">Line {line}</span>
            </span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
  return { save, dialog };
}
