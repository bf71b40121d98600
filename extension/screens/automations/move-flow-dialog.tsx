/** Asks where an automation stands among the team's files. */
import { useState } from "react";
import type { FlowDetail } from "../../../shared/automation-model.ts";
import { isFilePath, isYaml } from "../../../shared/workspace-model.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import type { Calls } from "../panel/use-call.ts";

export interface MoveFlowDialogProps {
  readonly flow: FlowDetail;
  readonly calls: Calls;
  readonly onMoved: (flow: FlowDetail) => void;
  readonly onClose: () => void;
}

export function MoveFlowDialog({ flow, calls, onMoved, onClose }: MoveFlowDialogProps) {
  const [path, setPath] = useState(
    flow.path ?? `${flow.name.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").toLowerCase()}.yaml`,
  );
  const [asked, setAsked] = useState(false);
  const wanted = path.trim();
  const problem = !isFilePath(wanted)
    ? "Folders and a name, with / between them, like shop/checkout.yaml."
    : isYaml(wanted)
      ? undefined
      : "End it with .yaml.";
  const move = async () => {
    setAsked(true);
    if (problem !== undefined) return;
    const { id: flowId, name, source } = flow;
    const result = await calls.run("move", (api) => api.flows.save.mutate({ flowId, name, source, path: wanted }));
    if (result?.ok === true) onMoved(result.value);
  };
  return (
    <Dialog
      title={`Move ${flow.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button kind="primary" busy={calls.busy("move")} onClick={() => void move()}>
            Move
          </Button>
        </>
      }
    >
      <p>Automations name each other, scripts and pictures by their paths. Those that name this one have to follow.</p>
      <TextField
        label="Path"
        value={path}
        maxLength={200}
        {...(asked && problem !== undefined && { error: problem })}
        onChange={(event) => setPath(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && void move()}
      />
    </Dialog>
  );
}
