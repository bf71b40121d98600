/**
 * The journal as the interpreter sees it: steps in the order they begin. A run that goes on after a crash walks through
 * the same flow again and gets back what was recorded, instead of doing it a second time.
 */
import type { StepState } from "../../../shared/automation-model.ts";
import type { StepResult } from "../automations.tables.ts";
import type { JournalRepo, NewStep, StepEnd } from "../journal.repo.ts";
import type { Lease, StepRow } from "../runs.repo.ts";
import { RunStop } from "./failures.ts";

export interface OpenStep {
  readonly seq: number;
  /** How it ended in an earlier life of the run; it is not done again. */
  readonly past: { readonly state: Exclude<StepState, "started">; readonly message: string | undefined } | undefined;
  /** What an earlier life noted. */
  readonly result: StepResult;
  /** Committed before the first thing that changes anything outside; later calls cost nothing. */
  effect(): Promise<void>;
  note(result: StepResult): Promise<void>;
  finish(end: StepEnd): Promise<void>;
}

export interface Journal {
  /** @throws RunStop when the flow takes another way than its recorded steps did. */
  begin(step: Omit<NewStep, "seq">): Promise<OpenStep>;
  log(message: string, step?: number): Promise<void>;
}

export function openJournal(repo: JournalRepo, lease: Lease, recorded: readonly StepRow[]): Journal {
  const past = new Map(recorded.map((row) => [row.seq, row]));
  let last = 0;
  return {
    async begin(step) {
      last += 1;
      const seq = last;
      let row = past.get(seq);
      if (row !== undefined && (row.hash !== step.hash || row.path !== step.path)) {
        throw new RunStop(
          "outcome_unknown",
          `The flow took another way than before the server stopped, at step ${seq}. Start it anew.`,
        );
      }
      if (row === undefined) row = await repo.begin(lease, { ...step, seq });
      else if (row.state === "started") {
        if (row.kind === "effect") throw new RunStop("outcome_unknown", `The outcome of step ${seq} is not known.`);
        row = await repo.again(lease, seq);
      }
      let changed = row.kind === "effect";
      const { state, message } = row;
      return {
        seq,
        past: state === "started" ? undefined : { state, message: message ?? undefined },
        result: row.result ?? {},
        async effect() {
          if (changed) return;
          await repo.effect(lease, seq);
          changed = true;
        },
        note: (result) => repo.note(lease, seq, result),
        finish: async (end) => void (await repo.finish(lease, seq, end)),
      };
    },
    log: (message, step) => (past.has(last + 1) ? Promise.resolve() : repo.log(lease, message, step)),
  };
}
