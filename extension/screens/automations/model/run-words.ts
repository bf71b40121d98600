/** What people read of runs: one word for a state, what an error asks of them, and how long it took. */
import {
  hasEnded,
  type RunError,
  type RunErrorCode,
  type RunState,
  type RunSummary,
  type StepState,
} from "../../../../shared/automation-model.ts";
import type { IconName } from "../../../components/icon.tsx";
import { runTime } from "../../phone/model/run-time.ts";

export type RunTone = "neutral" | "busy" | "good" | "warn" | "bad";

export interface StateLook {
  readonly words: string;
  readonly icon: IconName;
  readonly tone: RunTone;
}

export const RUN_STATE_LOOK: Readonly<Record<RunState, StateLook>> = {
  queued: { words: "Waiting", icon: "clock", tone: "neutral" },
  leased: { words: "Getting the phone ready", icon: "clock", tone: "busy" },
  running: { words: "Running", icon: "start", tone: "busy" },
  passed: { words: "Passed", icon: "check", tone: "good" },
  warned: { words: "Passed with warnings", icon: "warning", tone: "warn" },
  failed: { words: "Failed", icon: "error", tone: "bad" },
  cancelled: { words: "Cancelled", icon: "stop", tone: "neutral" },
  timed_out: { words: "Took too long", icon: "clock", tone: "bad" },
  interrupted: { words: "Interrupted", icon: "warning", tone: "warn" },
};

export const STEP_STATE_LOOK: Readonly<Record<StepState, StateLook>> = {
  started: { words: "Running", icon: "start", tone: "busy" },
  passed: { words: "Passed", icon: "check", tone: "good" },
  warned: { words: "Warning", icon: "warning", tone: "warn" },
  failed: { words: "Failed", icon: "error", tone: "bad" },
  skipped: { words: "Skipped", icon: "chevronRight", tone: "neutral" },
};

/** A step that was under way when its run ended. */
export const UNKNOWN_STEP_LOOK: StateLook = { words: "Not finished", icon: "warning", tone: "warn" };

/** What to do about an error, where its own message need not say it. */
const ADVICE: Readonly<Record<RunErrorCode, string | undefined>> = {
  assertion: "Look at the picture of the failure: did the page change, or was it slow?",
  element_not_found: "Look at the picture of the failure, then correct what the step looks for.",
  element_covered: "Something lies over it. Close that first, in a step before this one.",
  phone_lost: "Start the phone again, then run the automation again.",
  phone_cannot: "Take the step out, or run it on another phone.",
  phone_not_started: "Start the phone on the Phone tab to see what is wrong.",
  flow_invalid: "Correct the marked lines, then run it again.",
  script: "Correct the script in this line.",
  limit: "Make the automation shorter, or raise its limits in the header.",
  timed_out: "Raise limits.timeout in the header, or make the automation shorter.",
  cancelled: undefined,
  outcome_unknown: undefined,
  server_stopped: undefined,
  internal: "Run it again. If it happens again, tell who runs the server.",
};

export function adviceFor(error: RunError): string | undefined {
  return ADVICE[error.code];
}

/** How long a run has taken: `0:07`; undefined before it began. A run that goes on is measured to `nowMs`. */
export function runDuration(run: RunSummary, nowMs: number): string | undefined {
  if (run.startedAt === undefined) return undefined;
  if (run.finishedAt !== undefined) return runTime(run.startedAt, Date.parse(run.finishedAt));
  return hasEnded(run.state) ? undefined : runTime(run.startedAt, nowMs);
}

/** A step's time: `40 ms`, `1.2 s`, `75 s`. */
export function stepTime(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 9_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

export function commandWords(count: number): string {
  return count === 1 ? "1 step" : `${count} steps`;
}

/** Who asked for a run, where it was not a person at the panel. */
export function triggerWords({
  trigger,
  triggerName,
}: Pick<RunSummary, "trigger" | "triggerName">): string | undefined {
  if (trigger === "person") return undefined;
  if (trigger === "token") return "API";
  const kind = { rule: "Rule", schedule: "Schedule", webhook: "Webhook" }[trigger];
  return triggerName === undefined ? kind : `${kind} “${triggerName}”`;
}
