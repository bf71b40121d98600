/**
 * What becomes of a run whose worker is gone. What may have changed something is never done a second time unless the
 * flow or a person says so: an open effect step ends the run as interrupted, its outcome unknown.
 */
import type { RunError, RunState } from "../../shared/automation-model.ts";
import type { FlowLimits, ParsedFlow } from "../../shared/flows/model.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { RunClaims } from "../nodes/run-claims.ts";
import type { JournalRepo } from "./journal.repo.ts";
import type { RunEndListener } from "./run-states.ts";
import type { Lease, RunRow, RunsRepo, StepRow } from "./runs.repo.ts";

/** A run that takes the server down with it is not begun for ever. */
const MOST_STARTS = 3;

export interface Recovery {
  /** Settles a run whose lease the caller holds or found abandoned. */
  settle(lease: Lease): Promise<void>;
  /**
   * Settles runs whose lease ran out by `now`; all leased ones when `now` is undefined. `isOver`: whether the process is over
   * that a lease names; where that is known, it counts and no clock does.
   */
  settleAll(now: Date | undefined, isOver?: RunClaims["isOver"]): Promise<void>;
}

export type Verdict =
  | { readonly state: Extract<RunState, "interrupted" | "cancelled">; readonly error: RunError }
  | { readonly state: "queued"; readonly keepSteps: boolean };

/** The rule, without a database. */
export function verdictOn(
  run: Pick<RunRow, "cancelAskedAt" | "starts">,
  steps: readonly Pick<StepRow, "seq" | "kind" | "state" | "line" | "file" | "label">[],
  onCrash: NonNullable<FlowLimits["onCrash"]>,
): Verdict {
  const open = steps.find((step) => step.state === "started" && step.kind === "effect");
  const last = steps.at(-1);
  if (run.cancelAskedAt !== null) {
    return { state: "cancelled", error: { code: "cancelled", message: "The run was cancelled." } };
  }
  const mayStart = run.starts < MOST_STARTS;
  if (onCrash === "restart" && mayStart) return { state: "queued", keepSteps: false };
  if (open !== undefined) {
    return {
      state: "interrupted",
      error: {
        code: "outcome_unknown",
        message: `The server stopped during step ${open.seq} (${open.label}): outcome unknown at step ${open.seq}. Look at the phone, then go on after it, do it again, or start anew.`,
        step: open.seq,
        line: open.line,
        ...(open.file !== null && { file: open.file }),
      },
    };
  }
  const untouched = steps.every((step) => step.kind === "query");
  if (mayStart && (untouched || onCrash === "resume")) return { state: "queued", keepSteps: !untouched };
  const after = last === undefined ? "before the first step" : `at step ${last.seq}, which only looked`;
  return {
    state: "interrupted",
    error: {
      code: "server_stopped",
      message: `The server stopped ${after}. Go on from there, or start anew.`,
      ...(last !== undefined && { step: last.seq, line: last.line, ...(last.file !== null && { file: last.file }) }),
    },
  };
}

export function createRecovery(options: {
  db: Database;
  runs: RunsRepo;
  journal: JournalRepo;
  parse: (source: string) => ParsedFlow;
  clock: Clock;
  wake: (id: RunId) => void;
  onEnd: RunEndListener;
}): Recovery {
  const { db, runs, journal, clock } = options;

  async function settle(lease: Lease): Promise<void> {
    const row = await runs.findAnywhere(lease.runId);
    if (row === undefined) return;
    const verdict = verdictOn(
      row,
      await runs.steps(row.id),
      options.parse(row.source).flow?.header.limits.onCrash ?? "fail",
    );
    const now = new Date(clock.now());
    const told = await db.tx(async (tx) => {
      const error = verdict.state === "queued" ? undefined : verdict.error;
      const changed = await runs.changeLeased(tx, lease, {
        state: verdict.state,
        error: error ?? null,
        holder: null,
        leaseUntil: null,
        ...(verdict.state !== "queued" && { finishedAt: now }),
        // What it did so far is on this phone.
        ...(verdict.state === "queued" && verdict.keepSteps && { pooled: false }),
      });
      if (changed === undefined) return undefined;
      if (verdict.state === "queued" && !verdict.keepSteps) await journal.forget(tx, row.id);
      await runs.append(tx, row.id, [{ type: "run", state: verdict.state, ...(error && { error }) }], now);
      return verdict.state === "queued" ? undefined : options.onEnd(tx, row.id, verdict.state);
    });
    told?.();
    options.wake(row.id);
  }

  return {
    settle,
    async settleAll(now, isOver) {
      for (const row of await runs.abandoned(isOver === undefined ? now : undefined)) {
        if (row.holder === null) continue;
        const late = now !== undefined && row.leaseUntil !== null && row.leaseUntil < now;
        if (isOver !== undefined && !((await isOver(row.holder)) ?? late)) continue;
        await settle({ runId: row.id, phoneId: row.phoneId, holder: row.holder, fence: row.fence });
      }
    },
  };
}
