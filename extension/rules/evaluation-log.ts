/** "Why did this (not) fire": the last 200 evaluations, in the browser's session memory alone. */
import { addExplanations, type Explanation } from "../../shared/rules/explain.ts";
import { readItem, removeItem, watchItem, writeItem } from "../platform/storage.ts";

export interface LoggedEvaluation extends Explanation {
  /** Milliseconds that reading the page took of its thread; absent when it was not read. */
  readonly readMs?: number;
}

const KEY = "rules.evaluations";

/** Oldest first. This file alone writes the key, which scripts in pages cannot reach. */
export async function evaluationLog(): Promise<readonly LoggedEvaluation[]> {
  return ((await readItem("session", KEY)) as readonly LoggedEvaluation[] | undefined) ?? [];
}

export async function logEvaluations(found: readonly LoggedEvaluation[]): Promise<void> {
  if (found.length === 0) return;
  await navigator.locks.request("perch.rules.evaluations", async () => {
    await writeItem("session", KEY, addExplanations(await evaluationLog(), found));
  });
}

export function clearEvaluationLog(): Promise<void> {
  return removeItem("session", KEY);
}

export function watchEvaluationLog(onChange: () => void): () => void {
  return watchItem("session", KEY, onChange);
}
