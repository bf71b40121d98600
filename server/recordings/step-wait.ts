/** How long a recorded step waits for its target. */
import { findElements } from "../../shared/flows/match.ts";
import type { RecordedAction, RecordedTarget } from "../../shared/recording-model.ts";
import type { UiTree } from "../../shared/ui-tree.ts";

/** Longer between two steps, and the second waits for its target. */
const GAP_MS = 3_000;
const [SHORTEST_WAIT_MS, LONGEST_WAIT_MS] = [10_000, 60_000];

/** After a longer pause, and only where the target was not there right after the step before. `after`: the screen then. */
export function waitFor(
  action: RecordedAction,
  { candidates, chosen }: RecordedTarget,
  gapMs: number,
  after: UiTree | undefined,
): number | undefined {
  const selector = candidates[chosen]?.selector;
  const touches =
    ["tap", "doubleTap", "longPress", "assertVisible"].includes(action.kind) ||
    (action.kind === "swipe" && action.direction !== undefined);
  if (!touches || gapMs <= GAP_MS || selector === undefined) return undefined;
  const { point: _, ...rest } = selector;
  if (Object.keys(rest).length === 0) return undefined;
  // On a tree alone a CSS selector finds nothing; waiting for what is there costs nothing.
  if (after !== undefined && findElements(after, rest).length > 0) return undefined;
  return Math.min(Math.max(Math.ceil((gapMs * 2) / 1000) * 1000, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
}
