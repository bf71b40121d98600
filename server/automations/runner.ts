/**
 * Works on runs: takes the next of each phone's queue under a fenced lease and has it done (`run-perform.ts`).
 * What was left behind by a stopped server is settled by one rule, in `run-recovery.ts`.
 */
import type { PhoneId, RunId } from "../../shared/ids.ts";
import { errorFields } from "../log.ts";
import type { RunClaims } from "../nodes/run-claims.ts";
import { LeaseLost, RunStop } from "./engine/failures.ts";
import { createLeaseGate } from "./lease-gate.ts";
import { cancelled, createPerformer, type PerformOptions, type Work } from "./run-perform.ts";
import { createRest } from "./run-pool.ts";
import type { Lease, RunRow } from "./runs.repo.ts";
import { NO_SECRETS } from "./secrets/redact.ts";

export const LEASE_MS = 20_000;
export const HEARTBEAT_MS = 5_000;

export interface Runner {
  /** Looks for waiting runs now. */
  wake(): void;
  /** Ends a run this process works on; the row was marked before, with this moment. */
  cancel(id: RunId, askedAt: Date): void;
  /** Renews leases and settles what others left behind. Called every `HEARTBEAT_MS`. */
  tick(): Promise<void>;
  /** At the start of the server: settles what the last one left behind, then works. */
  start(): Promise<void>;
  /** How many this process works on. */
  working(): number;
  /** Stops all at once: the node's lease is over, and what was begun is another's to settle. */
  fence(): Promise<void>;
  /** Resolves when nothing is waiting or running here. For tests. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface RunnerOptions extends PerformOptions {
  readonly claims: RunClaims;
}

export function createRunner(options: RunnerOptions): Runner {
  const { runs, clock, log, claims, phones } = options;
  const { holder } = claims;
  const gate = createLeaseGate(clock, claims.mayAct);
  const working = new Map<RunId, Work>();
  const rest = createRest(clock);
  const perform = createPerformer(options, gate, rest);
  let closing = false;
  let looking: Promise<void> | undefined;
  let again = false;
  const until = () => new Date(clock.now() + LEASE_MS);

  const stopListening = phones.onEnded((id: PhoneId) => {
    for (const work of working.values()) {
      if (work.lease.phoneId !== id) continue;
      const lost = new RunStop(
        "phone_lost",
        "The phone stopped by itself while the flow was running. Start the run again.",
      );
      // What was recorded until then is still made into a video.
      (work.stop.signal.aborted ? work.stopCleanup : work.stop).abort(lost);
    }
  });

  function stopAll({ stop, stopCleanup }: Work, reason: Error): void {
    stop.abort(reason);
    stopCleanup.abort(reason);
  }

  function cancel(work: Work, askedAt: number): void {
    const { cancelAskedAt, stop } = work;
    work.cancelAskedAt ??= askedAt;
    if (cancelAskedAt === undefined && !stop.signal.aborted) stop.abort(cancelled());
    else if (cancelAskedAt !== askedAt) stopAll(work, cancelled());
  }

  async function leaseAll(): Promise<void> {
    try {
      while (again && !closing) {
        again = false;
        for (;;) {
          const expires = until();
          const busy = [...working.values()].map(({ lease }) => lease.phoneId);
          const left = { busy, resting: rest.phones(), nodes: claims.nodes() };
          const row = closing || !claims.mayBegin() ? undefined : await runs.lease(holder, expires, left);
          if (row === undefined) break;
          take(row, expires);
        }
      }
    } catch (error) {
      log.error("Looking for runs failed", errorFields(error));
    }
  }

  function look(): Promise<void> {
    again = true;
    // What may begin nothing ends before it is assigned here, so it is forgotten later, never at its own end.
    looking ??= leaseAll().finally(() => {
      looking = undefined;
      if (again && !closing) void look();
    });
    return looking;
  }

  function take(row: RunRow, expires: Date): void {
    const lease: Lease = { runId: row.id, phoneId: row.phoneId, holder, fence: row.fence };
    const work: Work = {
      lease,
      stop: new AbortController(),
      stopCleanup: new AbortController(),
      redactor: NO_SECRETS,
      done: Promise.resolve(),
    };
    working.set(row.id, work);
    gate.open(lease, expires);
    work.done = perform(row, work)
      .catch((error: unknown) => log.error("A run ended unexpectedly", work.redactor.data(errorFields(error))))
      .finally(() => {
        working.delete(row.id);
        gate.close(lease);
        void look();
      });
  }

  /** What this process itself leaves behind is told by time; of others it is known whether they are over. */
  const isOver = claims.alone ? undefined : async (one: string) => (one === holder ? undefined : claims.isOver(one));

  return {
    wake: () => void look(),
    working: () => working.size,
    async fence() {
      for (const work of working.values()) stopAll(work, new LeaseLost());
      await Promise.allSettled([...working.values()].map(({ done }) => done));
    },
    cancel(id, askedAt) {
      const work = working.get(id);
      if (work !== undefined) cancel(work, askedAt.getTime());
    },
    async tick() {
      for (const work of working.values()) {
        const { lease } = work;
        const expires = until();
        const { held, cancelAskedAt } = await runs.renew(lease, expires);
        if (!held) stopAll(work, new LeaseLost());
        else gate.open(lease, expires);
        if (cancelAskedAt !== null) cancel(work, cancelAskedAt.getTime());
      }
      if (!claims.mayAct()) return;
      await options.recovery.settleAll(new Date(clock.now()), isOver);
      await look();
    },
    async start() {
      await options.recovery.settleAll(claims.alone ? undefined : new Date(clock.now()), isOver);
      await look();
    },
    async idle() {
      do {
        await looking;
        await Promise.all([...working.values()].map(({ done }) => done));
      } while (looking !== undefined || working.size > 0);
    },
    async close() {
      closing = true;
      stopListening();
      for (const work of working.values()) stopAll(work, new RunStop("server_stopped", "The server was stopped."));
      await looking;
      await Promise.allSettled([...working.values()].map(({ done }) => done));
    },
  };
}
