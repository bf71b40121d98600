/**
 * Recordings of Chrome DevTools' Recorder panel (the JSON of `@puppeteer/replay`), read as what they are: somebody's
 * JSON. Nothing here throws, whatever it is given.
 */

/** One step as it stands in the file; every field may be anything. */
export type RecordedStep = Readonly<Record<string, unknown>>;

export interface Recording {
  readonly title: string;
  readonly steps: readonly RecordedStep[];
}

/** All fourteen of the format. */
export const STEP_TYPES = [
  "change",
  "click",
  "close",
  "customStep",
  "doubleClick",
  "emulateNetworkConditions",
  "hover",
  "keyDown",
  "keyUp",
  "navigate",
  "scroll",
  "setViewport",
  "waitForElement",
  "waitForExpression",
] as const;
export type StepType = (typeof STEP_TYPES)[number];

/** What could not be taken over. */
export interface RecorderMessage {
  /** Which step, counting from 1. */
  readonly step: number;
  readonly message: string;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** Undefined for what is no recording. */
export function readRecording(text: string): Recording | undefined {
  if (text.length > MAX_BYTES) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || !Array.isArray(value["steps"])) return undefined;
  const steps: readonly unknown[] = value["steps"];
  const isStep = (step: unknown): step is RecordedStep => isRecord(step) && typeof step["type"] === "string";
  if (!steps.every(isStep)) return undefined;
  return { title: textOf(value["title"]) ?? "Recording", steps };
}

export function stepType(step: RecordedStep): StepType | undefined {
  return STEP_TYPES.find((type) => type === step["type"]);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
