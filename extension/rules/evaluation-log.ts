/** "Why did this (not) fire": the last 200 evaluations, in the browser's session memory alone. */
import { addExplanation, type Explanation, type Explanations } from "../../shared/rules/explain.ts";
import { readItem, watchItem, writeItem } from "../platform/storage.ts";

const KEY = "rules.evaluations";

/** Oldest first. This file alone writes the key, which scripts in pages cannot reach. */
export async function evaluationLog(): Promise<Explanations> {
  return ((await readItem("session", KEY)) as Explanations | undefined) ?? [];
}

export async function logEvaluations(found: readonly Explanation[]): Promise<void> {
  if (found.length === 0) return;
  await navigator.locks.request("perch.rules.evaluations", async () => {
    await writeItem("session", KEY, found.reduce(addExplanation, await evaluationLog()));
  });
}

export function watchEvaluationLog(onChange: () => void): () => void {
  return watchItem("session", KEY, onChange);
}
