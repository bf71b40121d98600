/**
 * Recordings as values: what a person did on a phone, step by step, on its way to a flow. No schemas here; the inputs are
 * in `recordings.ts`. Moments are ISO 8601, places are fractions (0–1) of the screen.
 */

import type { Fingerprint } from "./flows/fingerprint.ts";
import type { Direction, Selector } from "./flows/model.ts";
import type { FlowId, PhoneId, RecordingId } from "./id-values.ts";

export const RECORDING_STATES = ["recording", "paused", "saved"] as const;
export type RecordingState = (typeof RECORDING_STATES)[number];

/** How a selector names its element, the steadiest first. */
export const SELECTOR_KINDS = [
  "id",
  "label",
  "text",
  "hint",
  "beside",
  "id_index",
  "pattern",
  "css",
  "text_index",
  "point_in",
  "point",
] as const;
export type SelectorKind = (typeof SELECTOR_KINDS)[number];

/** One way to find what was touched. Its texts are literal: nothing in them is an expression. */
export interface Candidate {
  readonly kind: SelectorKind;
  readonly selector: Selector;
  /** 0–100; how likely it still finds the element after the page changed. */
  readonly score: number;
}

export interface Spot {
  readonly x: number;
  readonly y: number;
}

/** Keys by the names flows use. */
export type RecordedKey =
  | "Enter"
  | "Tab"
  | "Escape"
  | "Home"
  | "Remote Dpad Up"
  | "Remote Dpad Down"
  | "Remote Dpad Left"
  | "Remote Dpad Right"
  | "Volume Up"
  | "Volume Down"
  | "Power";

export type RecordedAction =
  | { readonly kind: "tap" | "doubleTap" | "longPress" | "assertVisible" }
  /** `direction`: along one axis, from the element touched. */
  | {
      readonly kind: "swipe";
      readonly direction?: Direction;
      readonly start: Spot;
      readonly end: Spot;
      readonly durationMs: number;
    }
  /** Wheel over the picture; positive moves the content up and left. */
  | { readonly kind: "scroll"; readonly at: Spot; readonly dx: number; readonly dy: number }
  | { readonly kind: "inputText"; readonly text: string }
  /** Something typed into a password field; the value was never kept. */
  | { readonly kind: "inputSecret"; readonly secret: string }
  /** Without a number: all there is. */
  | { readonly kind: "eraseText"; readonly characters?: number }
  | { readonly kind: "pressKey"; readonly key: RecordedKey }
  | { readonly kind: "back" }
  | { readonly kind: "openLink"; readonly link: string }
  | { readonly kind: "setOrientation"; readonly orientation: "PORTRAIT" | "LANDSCAPE_LEFT" };

/** Something that came with a step and may be asserted after it. */
export interface Proposal {
  readonly words: string;
  readonly candidates: readonly Candidate[];
  readonly fingerprint: Fingerprint;
}

/** What a step does and how its target is found; the rest of a step is when and where in the recording. */
export interface RecordedTarget {
  /** Best first; empty for steps without a target. For typed text: the field, which only says where it went. */
  readonly candidates: readonly Candidate[];
  /** Which of the candidates the flow uses. */
  readonly chosen: number;
  readonly fingerprint?: Fingerprint;
}

export interface RecordedStep extends RecordedTarget {
  /** Names the step in its recording, counting from 1; numbers of removed steps are not used again. */
  readonly seq: number;
  readonly action: RecordedAction;
  /** What it does, in words. */
  readonly words: string;
  /** What is worth knowing, e.g. why only a place is known. */
  readonly note?: string;
  /** The target was not there at once: the flow waits for it, at most this long. */
  readonly waitMs?: number;
  readonly proposals: readonly Proposal[];
  readonly at: string;
}

export interface RecordingSummary {
  readonly id: RecordingId;
  readonly phoneId: PhoneId;
  readonly state: RecordingState;
  /** Why it is paused, when no person paused it; or what could not be recorded. */
  readonly note?: string;
  readonly steps: number;
  /** Where it began: an address, or an app's package; absent on the phone's home screen. */
  readonly startUrl?: string;
  /** The flow it became. */
  readonly flowId?: FlowId;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Answer of `recordings.get`. */
export interface RecordingDetail extends RecordingSummary {
  readonly recorded: readonly RecordedStep[];
  /** The flow as it would be saved now. */
  readonly source: string;
  readonly canUndo: boolean;
  /** Number of the newest event contained in this answer: where `recordings.events` goes on. */
  readonly lastEvent: number;
}

/** Events of one recording, as delivered by `recordings.events`, numbered from 1. */
export type RecordingEvent =
  | { readonly type: "step"; readonly step: RecordedStep }
  | { readonly type: "removed"; readonly seq: number }
  | { readonly type: "state"; readonly state: RecordingState; readonly note?: string; readonly flowId?: FlowId };
