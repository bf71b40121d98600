/** How a run goes that was started from the steps, in one line. */
import { hasEnded } from "../../../shared/automation-model.ts";
import { Button } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { useCall } from "../panel/use-call.ts";
import type { RunLog } from "./model/run-log.ts";
import { RUN_STATE_LOOK } from "./model/run-words.ts";

export interface RunLineProps {
  readonly log: RunLog | undefined;
  readonly onOpen: () => void;
}

export function RunLine({ log, onOpen }: RunLineProps) {
  const calls = useCall();
  if (log === undefined) return <p className="secondary">Starting…</p>;
  const { run } = log;
  const look = RUN_STATE_LOOK[run.state];
  return (
    <div className="run-line">
      <span className={`run-state tone-${look.tone}`} role="status">
        {look.tone === "busy" ? <span className="spinner" aria-hidden="true" /> : <Icon name={look.icon} />}
        {look.words}
      </span>
      <span className="run-actions">
        {!hasEnded(run.state) && (
          <Button
            kind="quiet"
            size="small"
            busy={calls.busy("cancel")}
            onClick={() => void calls.run("cancel", (api) => api.runs.cancel.mutate({ runId: run.id }))}
          >
            Cancel
          </Button>
        )}
        <Button kind="quiet" size="small" onClick={onOpen}>
          Open the run
        </Button>
      </span>
      {run.error !== undefined && run.error.code !== "cancelled" && run.error.step === undefined && (
        <p className="tone-bad step-message">{run.error.message}</p>
      )}
    </div>
  );
}
