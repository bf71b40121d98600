/** Why a run did not pass and what to do; what an interrupted one needs a person to say. */
import type { RunDetail } from "../../../shared/automation-model.ts";
import { baseName } from "../../../shared/workspace-model.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/notice.tsx";
import { adviceFor } from "./model/run-words.ts";

export interface RunOutcomeProps {
  readonly run: RunDetail;
  readonly mayControl: boolean;
  readonly resuming: boolean;
  readonly onGoOn: (from: "after" | "again") => void;
  /** Opens the automation, or the file of it that is named, at a line; undefined when it is gone. */
  readonly onEdit: ((line: number, file: string | undefined) => void) | undefined;
}

export function RunOutcome({ run, mayControl, resuming, onGoOn, onEdit }: RunOutcomeProps) {
  const { error } = run;
  if (run.state === "interrupted") return <Interrupted {...{ run, mayControl, resuming, onGoOn }} />;
  // Whoever cancelled knows why; a run of a folder may have been kept from beginning.
  const neverBegan = run.suiteId !== undefined && run.startedAt === undefined;
  if (error === undefined || (error.code === "cancelled" && !neverBegan)) return null;
  const advice = adviceFor(error);
  const { line, file } = error;
  return (
    <Notice
      tone={run.state === "failed" || run.state === "timed_out" ? "error" : "warn"}
      title={error.message}
      {...(onEdit !== undefined &&
        line !== undefined && {
          action: (
            <Button size="small" icon="edit" onClick={() => onEdit(line, file)}>
              Go to {file === undefined ? "" : `${baseName(file)}, `}line {line}
            </Button>
          ),
        })}
    >
      {advice}
    </Notice>
  );
}

function Interrupted(props: Omit<RunOutcomeProps, "onEdit">) {
  const { run, mayControl, resuming, onGoOn } = props;
  const { error } = run;
  const unknown = error?.code === "outcome_unknown";
  const step = run.steps.find(({ seq }) => seq === error?.step);
  const what = step === undefined ? "the last step" : `“${step.label}”`;
  return (
    <Notice
      tone="warn"
      title={error?.message ?? "The server stopped while this ran."}
      {...(mayControl && {
        action: unknown ? (
          <>
            <Button size="small" busy={resuming} onClick={() => onGoOn("after")}>
              It was done, go on
            </Button>
            <Button size="small" busy={resuming} onClick={() => onGoOn("again")}>
              It was not, do it again
            </Button>
          </>
        ) : (
          <Button size="small" icon="start" busy={resuming} onClick={() => onGoOn("again")}>
            Go on
          </Button>
        ),
      })}
    >
      {unknown
        ? `Look at the phone: was ${what} done? Or leave it here, or run it again from the beginning.`
        : "It can go on where it was, or run again from the beginning."}
    </Notice>
  );
}
