/** A run of some of a flow's outermost steps: from here, one step, up to there. */
import type { FlowPart } from "../automation-model.ts";
import type { Flow } from "./model.ts";

/** The flow of those steps, without hooks. Paths and lines stay those of the whole. Undefined: it has fewer steps. */
export function partOfFlow({ header, steps }: Flow, { from, to }: FlowPart): Flow | undefined {
  if (to >= steps.length) return undefined;
  return {
    header: { ...header, onFlowStart: [], onFlowComplete: [], onFlowFailure: [] },
    steps: steps.slice(from, to + 1),
  };
}

/** Counting from 1, as people do: `Step 3`, `Steps 3 to 5`. */
export function partWords({ from, to }: FlowPart): string {
  return from === to ? `Step ${from + 1}` : `Steps ${from + 1} to ${to + 1}`;
}
