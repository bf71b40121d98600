/** How a run goes from state to state. The only list of it; every write names the states it may come from. */
import type { RunState } from "../../shared/automation-model.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Writer } from "../db/database.ts";

/**
 * `queued` again: what had no effect yet starts anew, and what was interrupted goes on as a person or the flow says.
 * `failed` from `queued`: the phone is gone or the flow cannot run there.
 */
export const RUN_TRANSITIONS = {
  queued: ["leased", "cancelled", "failed"],
  leased: ["running", "queued", "failed", "cancelled", "timed_out", "interrupted"],
  running: ["passed", "warned", "failed", "cancelled", "timed_out", "interrupted", "queued"],
  interrupted: ["queued"],
  passed: [],
  warned: [],
  failed: [],
  cancelled: [],
  timed_out: [],
} as const satisfies Record<RunState, readonly RunState[]>;

export function mayBecome(from: RunState, to: RunState): boolean {
  const next: readonly RunState[] = RUN_TRANSITIONS[from];
  return next.includes(to);
}

/** Hears in the transaction that ends a run how it ended; what it gives is called after the commit. */
export type RunEndListener = (tx: Writer, id: RunId, state: RunState) => Promise<(() => void) | undefined>;
