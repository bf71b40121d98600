/** The list of runs as it grows: older ones loaded on request, newer ones and changes put in as they come. */
import type { RunState, RunSummary } from "../../../../shared/automation-model.ts";

/** How runs went, as people ask for it. */
export const RUN_GROUPS = [
  { id: "going", label: "Waiting or running", states: ["queued", "leased", "running"] },
  { id: "passed", label: "Passed", states: ["passed", "warned"] },
  { id: "failed", label: "Failed", states: ["failed", "timed_out", "interrupted"] },
  { id: "cancelled", label: "Cancelled", states: ["cancelled"] },
] as const satisfies readonly { id: string; label: string; states: readonly RunState[] }[];
export type RunGroup = (typeof RUN_GROUPS)[number]["id"];

export function isRunGroup(word: string): word is RunGroup {
  return RUN_GROUPS.some(({ id }) => id === word);
}

export function statesOf(group: RunGroup): readonly RunState[] {
  return RUN_GROUPS.find(({ id }) => id === group)?.states ?? [];
}

/**
 * `known` with the server's newest `page` taken in: what the page covers is as it says, what is older stays. Nothing
 * does when the page is `complete`, or leaves a gap to what is known.
 */
export function withNewest(
  known: readonly RunSummary[],
  page: readonly RunSummary[],
  complete: boolean,
): readonly RunSummary[] {
  if (complete) return page;
  const ids = new Set(page.map(({ id }) => id));
  const overlap = known.findLastIndex(({ id }) => ids.has(id));
  return overlap === -1 ? page : [...page, ...known.slice(overlap + 1)];
}

/** With the page that follows the oldest known one. */
export function withOlder(known: readonly RunSummary[], page: readonly RunSummary[]): readonly RunSummary[] {
  const ids = new Set(known.map(({ id }) => id));
  return [...known, ...page.filter(({ id }) => !ids.has(id))];
}
