/** How far a copy is, and an honest word about how long it still takes. */
import type { ExportView } from "../../../../shared/privacy.ts";

export interface Progress {
  /** 0 to 1; undefined while nobody can say. */
  readonly done: number | undefined;
  readonly words: string;
}

/** Before this much is done the pace says nothing about the rest. */
const LEAST_DONE = 0.03;

export function progressOf({ state, rows, rowsExpected, askedAt }: ExportView, nowMs: number): Progress {
  if (state === "waiting") return { done: undefined, words: "It begins in a moment." };
  if (rowsExpected <= 0) return { done: undefined, words: "Counting what there is." };
  const done = Math.min(rows / rowsExpected, 1);
  const counted = `${rows.toLocaleString()} of about ${rowsExpected.toLocaleString()} entries`;
  // What came since the count is more than there was: it is packed, and nobody knows of a rest.
  if (done >= 1) return { done, words: `${rows.toLocaleString()} entries, closing the file` };
  const tookMs = nowMs - Date.parse(askedAt);
  if (done < LEAST_DONE || tookMs < 1_000) return { done, words: counted };
  return { done, words: `${counted}, ${durationWords((tookMs / done) * (1 - done))} left` };
}

/** `a few seconds`, `about 20 s`, `about 3 min`, `about 2 h`. */
export function durationWords(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 8) return "a few seconds";
  if (seconds < 90) return `about ${Math.ceil(seconds / 5) * 5} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `about ${minutes} min` : `about ${Math.ceil(minutes / 60)} h`;
}
