/**
 * Flows kept on the server and their runs, as values: what `flows.*` and `runs.*` answer. No schemas here, so that a page
 * that only shows them need not load the schema library; the inputs are in `automations.ts`. Moments are ISO 8601.
 */
import type { Diagnostic, FlowInput } from "./flows/model.ts";
import type { FlowId, PhoneId, RunId } from "./id-values.ts";

export const RUN_STATES = [
  "queued",
  "leased",
  "running",
  "passed",
  "warned",
  "failed",
  "cancelled",
  "timed_out",
  "interrupted",
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** A run in one of these does nothing any more. Only an `interrupted` one can go on, when a person says how. */
export const ENDED_RUN_STATES = [
  "passed",
  "warned",
  "failed",
  "cancelled",
  "timed_out",
  "interrupted",
] as const satisfies readonly RunState[];

export function hasEnded(state: RunState): boolean {
  return ENDED_RUN_STATES.some((ended) => ended === state);
}

export const STEP_STATES = ["started", "passed", "warned", "failed", "skipped"] as const;
export type StepState = (typeof STEP_STATES)[number];

/** `query` only looks, so it may be done again; `effect` changed something outside. */
export const STEP_KINDS = ["query", "effect"] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export const RUN_TRIGGERS = ["person", "token", "rule", "schedule", "webhook"] as const;
export type RunTrigger = (typeof RUN_TRIGGERS)[number];

export const RUN_ERROR_CODES = [
  "assertion",
  "element_not_found",
  "element_covered",
  "phone_lost",
  "phone_cannot",
  "phone_not_started",
  "flow_invalid",
  "script",
  "limit",
  "timed_out",
  "cancelled",
  "outcome_unknown",
  "server_stopped",
  "internal",
] as const;
export type RunErrorCode = (typeof RUN_ERROR_CODES)[number];

/** Why a run or a step did not pass. */
export interface RunError {
  readonly code: RunErrorCode;
  /** A sentence: what happened and, where there is something, what to do. */
  readonly message: string;
  /** `seq` of the step it happened in. */
  readonly step?: number;
  /** Line of the flow's source, counting from 1. */
  readonly line?: number;
}

/** Answer of `flows.validate`. */
export interface FlowValidation {
  readonly ok: boolean;
  readonly commands: number;
  readonly portable: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

export interface FlowSummary {
  readonly id: FlowId;
  readonly name: string;
  /** False for a draft with errors: it is kept, but does not start. */
  readonly runnable: boolean;
  readonly portable: boolean;
  readonly commands: number;
  readonly tags: readonly string[];
  readonly updatedAt: string;
}

/** Answer of `flows.get` and `flows.save`. */
export interface FlowDetail extends FlowSummary {
  readonly source: string;
  readonly inputs: readonly FlowInput[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface RunSummary {
  readonly id: RunId;
  readonly flowId?: FlowId;
  /** The flow's name when the run was asked for. */
  readonly name: string;
  readonly phoneId: PhoneId;
  /** While it waits: any phone it was shared out to may take it, `phoneId` is only the one it was meant for. */
  readonly anyPhone?: true;
  readonly state: RunState;
  readonly trigger: RunTrigger;
  /** Name of the rule or webhook that asked for it, as it was then. */
  readonly triggerName?: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly error?: RunError;
}

export interface RunStep {
  /** Order in which steps began, counting from 1. */
  readonly seq: number;
  /** More than 1 when it was done again after the server stopped in it. */
  readonly attempt: number;
  /** `Step.path` of the flow, with hooks as "onFlowStart.0". */
  readonly path: string;
  readonly line: number;
  /** How deep in runFlow, repeat and retry; 0 at the top. */
  readonly depth: number;
  readonly command: string;
  /** What the report calls it: the label, or the command and its target. */
  readonly label: string;
  readonly kind: StepKind;
  readonly state: StepState;
  readonly startedAt: string;
  readonly durationMs?: number;
  /** Why it did not pass, or what is worth knowing. */
  readonly message?: string;
}

export const ARTIFACT_KINDS = ["screenshot", "failure_screenshot", "failure_tree"] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

/** A file of a run. `GET /runs/<runId>/artifacts/<name>` gives its bytes. */
export interface RunArtifact {
  readonly name: string;
  readonly kind: ArtifactKind;
  readonly mimeType: "image/png" | "application/json";
  readonly bytes: number;
  /** The step it belongs to. */
  readonly step?: number;
  readonly createdAt: string;
}

/** Answer of `runs.get`. */
export interface RunDetail extends RunSummary {
  /** The flow as it was when the run was asked for. */
  readonly source: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly steps: readonly RunStep[];
  readonly artifacts: readonly RunArtifact[];
  /** Number of the newest event contained in this answer: where `runs.events` goes on. */
  readonly lastEvent: number;
}

/** Events of one run, as delivered by `runs.events` with gapless sequence numbers from 1. */
export type RunEvent =
  | { readonly type: "run"; readonly state: RunState; readonly error?: RunError }
  | { readonly type: "step"; readonly step: RunStep }
  | { readonly type: "log"; readonly message: string; readonly step?: number }
  | { readonly type: "artifact"; readonly artifact: RunArtifact };

export const RUN_REPORTS = ["junit.xml", "report.html", "run.json"] as const;
export type RunReport = (typeof RUN_REPORTS)[number];
