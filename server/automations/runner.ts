/**
 * Works on runs: takes the next of each phone's queue under a fenced lease, walks through its flow, writes how it ended.
 * What was left behind by a stopped server is settled by one rule, in `run-recovery.ts`.
 */
import { RUN_ERROR_CODES, type RunError, type RunState } from "../../shared/automation-model.ts";
import type { ParsedFlow } from "../../shared/flows/model.ts";
import type { PhoneId, RunId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";
import { type RunContext, runLimits } from "./engine/context.ts";
import { endingOf, LeaseLost, RunStop } from "./engine/failures.ts";
import { interpret } from "./engine/interpret.ts";
import { openJournal } from "./engine/journal.ts";
import type { FindElements, Pace, PhoneHands, Scripts } from "./engine/ports.ts";
import type { JournalRepo } from "./journal.repo.ts";
import { createLeaseGate } from "./lease-gate.ts";
import { leasedPhone, unlessAborted } from "./leased-phone.ts";
import type { ArtifactStore } from "./run-artifacts.ts";
import type { RunPhones } from "./run-phone.ts";
import { openPictures } from "./run-pictures.ts";
import { createRest, MOST_MOVES, maestroNames, NotStarted, reasonToMove } from "./run-pool.ts";
import type { Recovery } from "./run-recovery.ts";
import type { RunEndListener } from "./run-states.ts";
import type { Lease, RunRow, RunsRepo } from "./runs.repo.ts";

export const LEASE_MS = 20_000;
export const HEARTBEAT_MS = 5_000;

export interface Runner {
  /** Looks for waiting runs now. */
  wake(): void;
  /** Ends a run this process works on; the row was marked before. */
  cancel(id: RunId): void;
  /** Renews leases and settles what others left behind. Called every `HEARTBEAT_MS`. */
  tick(): Promise<void>;
  /** At the start of the server: settles what the last one left behind, then works. */
  start(): Promise<void>;
  /** Resolves when nothing is waiting or running here. For tests. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface RunnerOptions {
  readonly db: Database;
  readonly runs: RunsRepo;
  readonly journal: JournalRepo;
  readonly recovery: Recovery;
  readonly artifacts: ArtifactStore;
  readonly phones: RunPhones;
  readonly onEnd: RunEndListener;
  readonly parse: (source: string) => ParsedFlow;
  readonly find: FindElements;
  readonly openScripts: (run: RunRow, log: (line: string) => void) => Scripts;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly log: Log;
  /** Names this process. */
  readonly holder: string;
  /** No other process works on the same database. */
  readonly singleNode: boolean;
  readonly wake: (id: RunId) => void;
}

interface Work {
  readonly lease: Lease;
  readonly stop: AbortController;
  done: Promise<void>;
}

export function createRunner(options: RunnerOptions): Runner {
  const { db, runs, journal, clock, pace, log, holder, phones } = options;
  const gate = createLeaseGate(clock);
  const working = new Map<RunId, Work>();
  const rest = createRest(clock);
  let closing = false;
  let looking: Promise<void> | undefined;
  let again = false;
  const until = () => new Date(clock.now() + LEASE_MS);

  const stopListening = phones.onEnded((id: PhoneId) => {
    for (const { lease, stop } of working.values()) {
      if (lease.phoneId === id) {
        stop.abort(
          new RunStop("phone_lost", "The phone stopped by itself while the flow was running. Start the run again."),
        );
      }
    }
  });

  function look(): Promise<void> {
    again = true;
    looking ??= (async () => {
      try {
        while (again && !closing) {
          again = false;
          for (;;) {
            const expires = until();
            const busy = [...working.values()].map(({ lease }) => lease.phoneId);
            const row = closing ? undefined : await runs.lease(holder, expires, { busy, resting: rest.phones() });
            if (row === undefined) break;
            take(row, expires);
          }
        }
      } catch (error) {
        log.error("Looking for runs failed", errorFields(error));
      } finally {
        looking = undefined;
      }
    })();
    return looking;
  }

  function take(row: RunRow, expires: Date): void {
    const lease: Lease = { runId: row.id, phoneId: row.phoneId, holder, fence: row.fence };
    const work: Work = { lease, stop: new AbortController(), done: Promise.resolve() };
    working.set(row.id, work);
    gate.open(lease, expires);
    work.done = perform(row, work)
      .catch((error: unknown) => log.error("A run ended unexpectedly", errorFields(error)))
      .finally(() => {
        working.delete(row.id);
        gate.close(lease);
        void look();
      });
  }

  async function move(lease: Lease, state: RunState, error: RunError | undefined, first = false): Promise<void> {
    const now = new Date(clock.now());
    const ended = state !== "running";
    const told = await db.tx(async (tx) => {
      const changed = await runs.changeLeased(tx, lease, {
        state,
        error: error ?? null,
        ...(first && { startedAt: now }),
        ...(ended && { finishedAt: now, leaseUntil: null }),
      });
      if (changed === undefined) throw new LeaseLost();
      await runs.append(tx, lease.runId, [{ type: "run", state, ...(error && { error }) }], now);
      return ended ? options.onEnd(tx, lease.runId, state) : undefined;
    });
    told?.();
    options.wake(lease.runId);
  }

  /**
   * Gives a run that has changed nothing yet back to the queue, for another phone of its set. False when it stays with
   * this one, and its end is what it would be for any run.
   */
  async function passOn(row: RunRow, lease: Lease, error: unknown): Promise<boolean> {
    const why = reasonToMove(error);
    if (!row.pooled || why === undefined || (why === "lost" && row.moves >= MOST_MOVES)) return false;
    if ((await runs.steps(row.id)).some(({ kind }) => kind === "effect")) return false;
    const moved = await db.tx(async (tx) => {
      if (why === "gone" && (await runs.leavePool(tx, row.id, lease.phoneId)) === 0) return false;
      const held = await runs.changeLeased(tx, lease, { moves: row.moves + (why === "lost" ? 1 : 0) });
      if (held === undefined) throw new LeaseLost();
      if (held.cancelAskedAt !== null) return false;
      await runs.changeLeased(tx, lease, { state: "queued", holder: null, leaseUntil: null });
      await journal.forget(tx, row.id);
      // One that never came to run was waiting all the time, for those who watch.
      if (why === "lost") await runs.append(tx, row.id, [{ type: "run", state: "queued" }], new Date(clock.now()));
      return true;
    });
    if (moved && why !== "gone") rest.begin(lease.phoneId);
    if (moved) options.wake(row.id);
    return moved;
  }

  async function perform(row: RunRow, work: Work): Promise<void> {
    const { lease, stop } = work;
    const { signal } = stop;
    let hands: PhoneHands | undefined;
    let scripts: Scripts | undefined;
    try {
      options.wake(row.id);
      const { flow, diagnostics } = options.parse(row.source);
      if (flow === undefined) {
        const [first] = diagnostics;
        const words = first === undefined ? "" : ` Line ${first.line}: ${first.message}`;
        return await move(lease, "failed", { code: "flow_invalid", message: `The flow has errors.${words}` });
      }
      if (row.cancelAskedAt !== null) throw cancelled();
      const limits = runLimits(flow.header.limits);
      const ready = await unlessAborted(signal, phones.ready(row.teamId, row.phoneId, row.createdBy ?? "server")).catch(
        (error: unknown) => {
          if (signal.aborted) throw signal.reason;
          throw new NotStarted(error);
        },
      );
      await db.tx(async (tx) => void (await runs.changeLeased(tx, lease, { starts: row.starts + 1 })));
      await move(lease, "running", undefined, row.startedAt === null);
      const timer = setTimeout(
        () =>
          stop.abort(
            new RunStop("timed_out", `The run took longer than ${Math.round(limits.timeoutMs / 60_000)} minutes.`),
          ),
        limits.timeoutMs,
      );
      try {
        const steps = await runs.steps(row.id);
        const book = openJournal(journal, lease, steps);
        scripts = options.openScripts(row, (line) => void book.log(line).catch(() => {}));
        hands = leasedPhone({
          ...ready,
          signal,
          holdsLease: () => gate.holds(lease),
          rotate: phones.rotate,
          used: phones.used,
        });
        const pictures = await openPictures({ lease, artifacts: options.artifacts, journal, runs });
        const context: RunContext = {
          flow,
          hands,
          scripts,
          find: options.find,
          pace: runPace(pace, signal, limits.timeoutMs),
          signal,
          limits,
          journal: book,
          saveScreenshot: pictures.screenshot,
          lastChange: pace.now(),
          screenshots: 0,
          steps: 0,
        };
        const { state, failure } = await interpret(context, { ...row.inputs, ...maestroNames(row) });
        if (failure !== undefined) await pictures.failure(hands, failure.step);
        signal.throwIfAborted();
        await release(hands);
        await move(lease, state, failure);
      } finally {
        clearTimeout(timer);
      }
    } catch (error) {
      if (hands !== undefined) await release(hands);
      await end(row, lease, signal.aborted ? signal.reason : error);
    } finally {
      await scripts?.close();
    }
  }

  async function release(hands: PhoneHands): Promise<void> {
    await hands.release().catch((error: unknown) => log.warn("A phone kept a run's settings", errorFields(error)));
  }

  /** Writes how a run ended that did not get to its end. Whoever lost the lease writes nothing. */
  async function end(row: RunRow, lease: Lease, error: unknown): Promise<void> {
    try {
      if (await passOn(row, lease, error)) return;
      if (error instanceof NotStarted) {
        const why = error.cause instanceof PerchError ? error.cause.message : "The phone did not start.";
        return await move(lease, "failed", { code: "phone_not_started", message: why });
      }
      const ending = endingOf(error);
      if (ending instanceof LeaseLost) return;
      if (ending instanceof RunStop && ending.code === "server_stopped") {
        await options.recovery.settle(lease);
        return;
      }
      if (ending.code === "internal") log.error("A run failed unexpectedly", errorFields(error));
      const at = (await runs.steps(row.id)).findLast((step) => step.state === "failed" || step.state === "started");
      await move(lease, STOPPED[ending.code] ?? "failed", {
        code: RUN_ERROR_CODES.find((code) => code === ending.code) ?? "internal",
        message: ending.message,
        ...(at !== undefined && { step: at.seq, line: at.line }),
      });
    } catch (failure) {
      if (!(failure instanceof LeaseLost)) throw failure;
    }
  }

  return {
    wake: () => void look(),
    cancel: (id) => working.get(id)?.stop.abort(cancelled()),
    async tick() {
      for (const { lease, stop } of working.values()) {
        const expires = until();
        const { held, cancelAsked } = await runs.renew(lease, expires);
        if (!held) stop.abort(new LeaseLost());
        else gate.open(lease, expires);
        if (cancelAsked) stop.abort(cancelled());
      }
      await options.recovery.settleAll(new Date(clock.now()));
      await look();
    },
    async start() {
      await options.recovery.settleAll(options.singleNode ? undefined : new Date(clock.now()));
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
      for (const { stop } of working.values()) stop.abort(new RunStop("server_stopped", "The server was stopped."));
      await looking;
      await Promise.allSettled([...working.values()].map(({ done }) => done));
    },
  };
}

const cancelled = () => new RunStop("cancelled", "The run was cancelled.");

const STOPPED: Readonly<Record<string, RunState>> = {
  cancelled: "cancelled",
  timed_out: "timed_out",
  outcome_unknown: "interrupted",
};

/** The run's time limit holds also where nobody waits for real time. */
function runPace(pace: Pace, signal: AbortSignal, timeoutMs: number): Pace {
  const deadline = pace.now() + timeoutMs;
  return {
    now: () => pace.now(),
    async sleep(ms) {
      if (pace.now() >= deadline) {
        throw new RunStop("timed_out", `The run took longer than ${Math.round(timeoutMs / 60_000)} minutes.`);
      }
      await pace.sleep(Math.min(ms, deadline - pace.now()), signal);
    },
  };
}
