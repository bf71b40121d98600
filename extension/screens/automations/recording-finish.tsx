/** The end of a recording: it gets a name and becomes an automation, or is thrown away. */
import { useState } from "react";
import type { RecordingDetail } from "../../../shared/recording-model.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { automationsPlace } from "../../state/automations-place.ts";
import type { Calls } from "../panel/use-call.ts";

export interface FinishDialogProps {
  readonly recording: RecordingDetail;
  readonly calls: Calls;
  readonly onClose: () => void;
  /** It is an automation now, and that is the place of the Automations screen. */
  readonly onSaved: (flowKey: string) => void;
  readonly onDiscarded: () => void;
}

const place = automationsPlace();

export function FinishDialog({ recording, calls, onClose, onSaved, onDiscarded }: FinishDialogProps) {
  const [name, setName] = useState("");
  const [error, setError] = useState<string>();
  const [sure, setSure] = useState(false);
  const { id: recordingId, steps } = recording;
  const count = steps === 1 ? "1 step" : `${steps} steps`;
  const save = async () => {
    const trimmed = name.trim();
    if (trimmed === "" || trimmed.length > 100) {
      setError(trimmed === "" ? "Give the automation a name." : "A name has at most 100 characters.");
      return;
    }
    const result = await calls.run("finish", (api) => api.recordings.finish.mutate({ recordingId, name: trimmed }));
    const flowId = result?.ok === true ? result.value.flowId : undefined;
    if (flowId === undefined) return;
    await place.set({ view: "flow", key: flowId });
    onSaved(flowId);
  };
  const discard = async () => {
    const result = await calls.run("discard", (api) => api.recordings.discard.mutate({ recordingId }));
    if (result?.ok === true) onDiscarded();
  };
  if (sure) {
    return (
      <Dialog
        title="Discard the recording?"
        onClose={() => setSure(false)}
        actions={
          <>
            <Button onClick={() => setSure(false)}>Keep it</Button>
            <Button kind="danger" busy={calls.busy("discard")} onClick={() => void discard()}>
              Discard {count}
            </Button>
          </>
        }
      >
        <p>All of its steps are deleted. This cannot be undone.</p>
      </Dialog>
    );
  }
  return (
    <Dialog
      title="Save the recording"
      onClose={onClose}
      actions={
        <>
          <Button kind="quiet" onClick={() => setSure(true)}>
            Discard…
          </Button>
          <Button
            kind="primary"
            type="submit"
            form="finish-recording"
            busy={calls.busy("finish")}
            disabled={steps === 0}
          >
            Save
          </Button>
        </>
      }
    >
      <form
        id="finish-recording"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {steps === 0 ? (
          <p>Nothing was recorded yet. Close this and use the phone, or discard the recording.</p>
        ) : (
          <TextField
            label="Name of the automation"
            hint={`${count}. You can change everything afterwards.`}
            value={name}
            maxLength={100}
            autoFocus
            {...(error !== undefined && { error })}
            onChange={(event) => {
              setName(event.target.value);
              setError(undefined);
            }}
          />
        )}
      </form>
    </Dialog>
  );
}
