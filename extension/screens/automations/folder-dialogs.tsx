/** Asks where a folder runs, and before it is deleted. */
import { useRef } from "react";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { SelectField } from "../../components/field.tsx";
import { PHONE_STATE_WORDS } from "../../components/state-dot.tsx";
import { useToast } from "../../components/toast.tsx";
import { usePhones } from "../../state/app-context.tsx";
import { useCall } from "../panel/use-call.ts";
import { sortedPhones } from "../phone/model/phone-list.ts";
import { useRunPhone } from "./use-run-phone.ts";

export interface RunFolderDialogProps {
  readonly folder: string;
  readonly onClose: () => void;
  readonly onStarted: () => void;
}

export function RunFolderDialog({ folder, onClose, onStarted }: RunFolderDialogProps) {
  const { chosen, choose } = useRunPhone();
  const { phones } = usePhones();
  const calls = useCall();
  const toast = useToast();
  /** The same wish, however often it is clicked, is one suite. */
  const key = useRef(crypto.randomUUID());
  const run = async () => {
    if (chosen === undefined) return;
    const request = { path: folder, phoneId: chosen.id, idempotencyKey: key.current };
    const result = await calls.run("run", (api) => api.workspaces.run.mutate(request));
    if (result === undefined) return;
    if (result.ok || result.failure.kind === "refused") key.current = crypto.randomUUID();
    if (!result.ok) return;
    const { length } = result.value.runs;
    toast({ text: `${length === 1 ? "1 automation runs" : `${length} automations run`} on ${chosen.name}.` });
    onClose();
    onStarted();
  };
  return (
    <Dialog
      title={`Run ${folder}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button
            kind="primary"
            icon="start"
            busy={calls.busy("run")}
            disabled={chosen === undefined}
            onClick={() => void run()}
          >
            Run
          </Button>
        </>
      }
    >
      <p>Its automations run one after the other, in the order and with the tags its config.yaml says.</p>
      {chosen === undefined ? (
        <p>It needs a phone to run on. Make one on the Phone tab.</p>
      ) : (
        <SelectField
          label="Phone"
          value={chosen.id}
          options={sortedPhones(phones).map(({ id, name, state }) => ({
            value: id,
            label: `${name} (${PHONE_STATE_WORDS[state]})`,
          }))}
          onChange={(event) => choose(event.target.value)}
        />
      )}
    </Dialog>
  );
}

export interface DeleteFolderDialogProps {
  readonly folder: string;
  /** What is in it. */
  readonly words: string;
  readonly busy: boolean;
  readonly onDelete: () => void;
  readonly onClose: () => void;
}

export function DeleteFolderDialog({ folder, words, busy, onDelete, onClose }: DeleteFolderDialogProps) {
  return (
    <Dialog
      title={`Delete ${folder}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" icon="trash" busy={busy} onClick={onDelete}>
            Delete
          </Button>
        </>
      }
    >
      <p>
        {words} will be gone for your whole team, and there is no way back. Save the folder as a zip first if you may
        want it again. Past runs stay.
      </p>
    </Dialog>
  );
}
