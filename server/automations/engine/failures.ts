/** How steps end badly: a failure concerns one step and may be caught by `optional` and `retry`; a stop ends the run. */
import type { RunErrorCode } from "../../../shared/automation-model.ts";
import type { Selector } from "../../../shared/flows/model.ts";
import { PerchError } from "../../errors.ts";

export type FailureCode = Extract<
  RunErrorCode,
  "assertion" | "element_not_found" | "element_covered" | "phone_cannot" | "script" | "internal"
>;
export type StopCode = Extract<
  RunErrorCode,
  "phone_lost" | "limit" | "timed_out" | "cancelled" | "outcome_unknown" | "server_stopped"
>;

/** What a failed step looked for. */
export interface Looked {
  /** As written, and with its templates evaluated. */
  readonly selector: Selector;
  readonly resolved: Selector;
  readonly wanted: "visible" | "gone";
  /** What lies over the element that was found. */
  readonly covered?: { readonly ref: string; readonly by: string };
}

/** The step did not pass. `message` is a sentence for people. */
export class StepFailure extends Error {
  override readonly name = "StepFailure";
  readonly code: FailureCode;
  looked?: Looked;
  constructor(code: FailureCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The run ends here, whatever the flow says. */
export class RunStop extends Error {
  override readonly name = "RunStop";
  readonly code: StopCode;
  constructor(code: StopCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Someone else has the run now; whoever sees this writes nothing and touches nothing. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  constructor() {
    super("Another worker has this run.");
  }
}

export type Ending = StepFailure | RunStop | LeaseLost;

/** What any error means for a run. Only known errors show their words. */
export function endingOf(error: unknown): Ending {
  if (error instanceof StepFailure || error instanceof RunStop || error instanceof LeaseLost) return error;
  if (error instanceof PerchError) {
    if (error.code === "phone_not_running" || error.code === "phone_unavailable" || error.code === "not_found") {
      return new RunStop("phone_lost", "The phone stopped while the flow was running. Start the run again.");
    }
    return new StepFailure("phone_cannot", error.message, error);
  }
  return new StepFailure("internal", "Something went wrong in this step. Try the run again.", error);
}
