/**
 * Flows kept on the server and their runs, as values: what `flows.*` and `runs.*` answer. No schemas here, so that a page
 * that only shows them need not load the schema library; the inputs are in `automations.ts`. Moments are ISO 8601.
 */
import type { Diagnostic, FlowInput } from "./flows/model.ts";
import type { FlowId, PhoneId, RunId, SuiteId } from "./id-values.ts";
import type { UiBounds } from "./ui-tree.ts";

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
  "secret_unavailable",
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
  /** The file that line is in, when it is not the run's own flow. */
  readonly file?: string;
}

/** Some of a flow's outermost steps, counting from 0, both ends included. Hooks stay out. */
export interface FlowPart {
  readonly from: number;
  readonly to: number;
}

/** Answer of `flows.validate`. */
export interface FlowValidation {
  readonly ok: boolean;
  readonly commands: number;
  readonly portable: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** An element that a step means. */
export interface FlowMatch {
  readonly bounds: UiBounds;
  /** What it is called, for people. */
  readonly words: string;
}

/** Answer of `flows.matches`. */
export interface FlowMatches {
  /** The step at the line; absent where none is or it cannot be read. `selects`: it is about an element. */
  readonly step?: { readonly path: string; readonly line: number; readonly selects: boolean };
  /** The best first; not all when there are many. */
  readonly matches: readonly FlowMatch[];
  readonly count: number;
  /** Why nothing is counted, or what is missing. */
  readonly note?: string;
}

/** Answer of `flows.onScreen`: what selectors can name on a phone right now. */
export interface ScreenWords {
  readonly texts: readonly string[];
  readonly ids: readonly string[];
}

export interface FlowSummary {
  readonly id: FlowId;
  readonly name: string;
  /** Where it stands among the team's files; absent for one that stands apart. */
  readonly path?: string;
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
  /** Names of the secrets it asks for. */
  readonly secrets: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface RunSummary {
  readonly id: RunId;
  readonly flowId?: FlowId;
  /** The flow's name when the run was asked for. */
  readonly name: string;
  /** Where the flow stood among its files. */
  readonly path?: string;
  /** The suite it is part of. */
  readonly suiteId?: SuiteId;
  readonly phoneId: PhoneId;
  /** While it waits: any phone it was shared out to may take it, `phoneId` is only the one it was meant for. */
  readonly anyPhone?: true;
  readonly state: RunState;
  readonly trigger: RunTrigger;
  /** Absent: all of the flow. */
  readonly part?: FlowPart;
  /** Name of the rule or webhook that asked for it, as it was then. */
  readonly triggerName?: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly error?: RunError;
}

/** A recorded fallback that found a step's target when its own selector did not. */
export interface StepHealing {
  /** The step went on with it. False: the step failed and this is what would have helped. */
  readonly applied: boolean;
  /** Its number among the step's recorded targets, counting from 0. */
  readonly fallback: number;
  /** In words, as in labels. */
  readonly selector: string;
  /** To the recorded element, 0–1; absent when nothing was recorded to compare. */
  readonly similarity?: number;
  /** Where the selector stands in the flow. */
  readonly line: number;
  readonly column: number;
  /** Unified diff of the flow; absent when its text cannot be changed without touching more. */
  readonly diff?: string;
}

export interface RunStep {
  /** Order in which steps began, counting from 1. */
  readonly seq: number;
  /** More than 1 when it was done again after the server stopped in it. */
  readonly attempt: number;
  /** `Step.path` of the flow, with hooks as "onFlowStart.0"; in a subflow after the calling step's and a `/`. */
  readonly path: string;
  readonly line: number;
  /** The file that line is in, when it is not the run's own flow. */
  readonly file?: string;
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
  readonly healing?: StepHealing;
}

/** `failure`: a `FailureDetail`. `failure_tree`: a `UiTree`. `thumbnail`: the screen at a step's end, small. */
export const ARTIFACT_KINDS = [
  "screenshot",
  "failure_screenshot",
  "failure_tree",
  "failure",
  "thumbnail",
  "difference",
  "recording",
] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

/** Something on the screen that could have been meant. */
export interface FailureCandidate {
  readonly ref: string;
  readonly role: string;
  readonly text: string;
  readonly id: string;
  readonly bounds: UiBounds;
  /** A sentence: why the step did not take it. */
  readonly why: string;
}

/** What a failed look-up or assertion looked for, and what was there instead. */
export interface FailureDetail {
  readonly code: RunErrorCode;
  readonly message: string;
  readonly step?: number;
  readonly line?: number;
  /** Absent where no element was looked for. */
  readonly lookedFor?: {
    /** In words, as the flow has it and with its expressions evaluated. */
    readonly written: string;
    readonly resolved: string;
    readonly wanted: "visible" | "gone";
  };
  /** The nearest first. */
  readonly candidates: readonly FailureCandidate[];
  /** CSS pixels, as turned. */
  readonly screen: { readonly width: number; readonly height: number };
}

/** Addresses of a run's files, each good by itself: for downloads by a browser or a program that sends no token. */
export interface RunLinks {
  readonly expiresAt: string;
  readonly files: readonly { readonly name: string; readonly url: string }[];
}

/** A file of a run. `GET /runs/<runId>/artifacts/<name>` gives its bytes. */
export interface RunArtifact {
  readonly name: string;
  readonly kind: ArtifactKind;
  readonly mimeType: "image/png" | "image/jpeg" | "video/webm" | "video/mp4" | "application/json";
  readonly bytes: number;
  /** The step it belongs to. */
  readonly step?: number;
  /** The file of the team that assertScreenshot compares with and this picture may become. */
  readonly baseline?: string;
  readonly createdAt: string;
}

/** Answer of `runs.get`. */
export interface RunDetail extends RunSummary {
  /** The flow as it was when the run was asked for. */
  readonly source: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** The run is older than 30 days: source, inputs, steps, events and artifacts of it are gone. */
  readonly detailsGone?: true;
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
