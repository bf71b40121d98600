/** Walks one run through its flow under its lease, and writes how it ended. */
import { RUN_ERROR_CODES, type RunError, type RunState } from "../../shared/automation-model.ts";
import type { Flow, ParsedFlow } from "../../shared/flows/model.ts";
import { partOfFlow } from "../../shared/flows/part.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";
import { type FlowFailure, type RunContext, runLimits } from "./engine/context.ts";
import { endingOf, LeaseLost, RunStop } from "./engine/failures.ts";
import { openHealing } from "./engine/healing.ts";
import { interpret } from "./engine/interpret.ts";
import { openJournal } from "./engine/journal.ts";
import type { FindElements, Pace, PhoneHands, Scripts } from "./engine/ports.ts";
import type { JournalRepo } from "./journal.repo.ts";
import type { LeaseGate } from "./lease-gate.ts";
import { leasedPhone, unlessAborted } from "./leased-phone.ts";
import type { ArtifactStore } from "./run-artifacts.ts";
import { cleanUpCancelled } from "./run-clean-up.ts";
import { runFiles } from "./run-files.ts";
import type { RunPhones } from "./run-phone.ts";
import { openPictures } from "./run-pictures.ts";
import { type createRest, MOST_MOVES, maestroNames, NotStarted, reasonToMove } from "./run-pool.ts";
import { openRecordings, type RunRecordings } from "./run-recording.ts";
import type { Recovery } from "./run-recovery.ts";
import type { RunEndListener } from "./run-states.ts";
import { openThumbnails, type Thumbnails } from "./run-thumbnails.ts";
import type { Lease, RunRow, RunsRepo } from "./runs.repo.ts";
import { guardedJournal } from "./secrets/guarded-journal.ts";
import { type Redactor, redactorOf } from "./secrets/redact.ts";
import type { RunSecrets } from "./secrets/run-secrets.ts";
import type { FileBytes, WorkspacesRepo } from "./workspaces.repo.ts";

export interface PerformOptions {
  readonly db: Database;
  readonly runs: RunsRepo;
  readonly journal: JournalRepo;
  readonly recovery: Recovery;
  readonly artifacts: ArtifactStore;
  readonly workspaces: Pick<WorkspacesRepo, "ofRun">;
  /** Why a run of a suite does not begin; undefined: it does. */
  readonly suiteStopped: (row: RunRow) => Promise<string | undefined>;
  readonly secrets: RunSecrets;
  /** 32 bytes; seals what scripts of runs left. */
  readonly key: Buffer;
  readonly phones: RunPhones;
  readonly onEnd: RunEndListener;
  readonly parse: (source: string) => ParsedFlow;
  readonly find: FindElements;
  readonly openScripts: (run: RunRow, log: (line: string) => void, platform: "web" | "android") => Scripts;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly log: Log;
  readonly wake: (id: RunId) => void;
}

/** A run this process works on. */
export interface Work {
  readonly lease: Lease;
  readonly stop: AbortController;
  /** Knows the run's secrets once it has them; whatever is kept of the run goes through it. */
  redactor: Redactor;
  /** Ends what is done after a cancel. */
  readonly stopCleanup: AbortController;
  /** When it was first asked to end, in ms; asked at another moment, it ends at once. */
  cancelAskedAt?: number;
  done: Promise<void>;
}

/** Settles when the run has ended or goes on elsewhere. `gate` knows which leases are held, `rest` which phones are left alone. */
export function createPerformer(
  options: PerformOptions,
  gate: Pick<LeaseGate, "holds">,
  rest: Pick<ReturnType<typeof createRest>, "begin">,
): (row: RunRow, work: Work) => Promise<void> {
  const { db, runs, clock, pace, log, phones } = options;

  async function move(work: Work, state: RunState, found: RunError | undefined, first = false): Promise<void> {
    const { lease, redactor } = work;
    const error = found && { ...found, message: redactor.text(found.message) };
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
      await options.journal.forget(tx, row.id);
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
    let thumbnails: Thumbnails | undefined;
    let recordings: RunRecordings | undefined;
    let cleanUpAfter: (() => Promise<void>) | undefined;
    try {
      options.wake(row.id);
      const { flow: whole, diagnostics } = options.parse(row.source);
      const flow = whole && (row.part === null ? whole : partOfFlow(whole, row.part));
      if (flow === undefined) {
        const [first] = diagnostics;
        const words = first === undefined ? "" : ` Line ${first.line}: ${first.message}`;
        return await move(work, "failed", { code: "flow_invalid", message: `The flow has errors.${words}` });
      }
      if (row.cancelAskedAt !== null) throw cancelled();
      const stopped = await options.suiteStopped(row);
      if (stopped !== undefined) throw new RunStop("cancelled", stopped);
      const limits = runLimits(flow.header.limits);
      const ready = await unlessAborted(signal, phones.ready(row.teamId, row.phoneId, row.createdBy ?? "server")).catch(
        (error: unknown) => {
          if (signal.aborted) throw signal.reason;
          throw new NotStarted(error);
        },
      );
      await db.tx(async (tx) => void (await runs.changeLeased(tx, lease, { starts: row.starts + 1 })));
      await move(work, "running", undefined, row.startedAt === null);
      const files = await options.workspaces.ofRun(row.id);
      const secrets = await secretsOf(row, flow, files);
      work.redactor = redactorOf(secrets);
      const journal = guardedJournal(options.journal, work.redactor, options.key);
      const timer = setTimeout(
        () =>
          stop.abort(
            new RunStop("timed_out", `The run took longer than ${Math.round(limits.timeoutMs / 60_000)} minutes.`),
          ),
        limits.timeoutMs,
      );
      try {
        const book = openJournal(journal, lease, journal.recorded(await runs.steps(row.id)));
        const platform = ready.driver.automation?.can.apps === true ? "android" : "web";
        scripts = options.openScripts(row, (line) => void book.log(line).catch(() => {}), platform);
        const handsUntil = (until: AbortSignal) =>
          leasedPhone({
            ...ready,
            signal: until,
            redactor: work.redactor,
            holdsLease: () => gate.holds(lease),
            pace: options.pace,
            rotate: phones.rotate,
            used: phones.used,
          });
        hands = handsUntil(signal);
        const held = hands;
        const pictures = await openPictures({
          run: row,
          lease,
          artifacts: options.artifacts,
          journal,
          runs,
          find: options.find,
          redactor: work.redactor,
          mayBecomeFiles: !row.ownFiles,
        });
        thumbnails = openThumbnails({ hands, keep: pictures.thumbnail });
        recordings = openRecordings({ hands, keep: pictures.recording, log: book.log, now: () => clock.now() });
        const context: RunContext = {
          flow,
          file: row.path ?? "",
          files: runFiles(files, options.parse),
          hands,
          scripts,
          find: options.find,
          pace: runPace(pace, signal, limits.timeoutMs),
          signal,
          limits,
          journal: book,
          saveScreenshot: pictures.screenshot,
          recordings,
          source: row.source,
          fallbacksOf: openHealing(flow),
          onStepEnd: (seq) => thumbnails?.stepEnded(seq),
          onFailure: (failure) => unlessAborted(signal, pictures.failure(held, failure)),
          hide: work.redactor.text,
          lastChange: pace.now(),
          screenshots: 0,
          steps: 0,
        };
        const values = Object.fromEntries(secrets.map(({ name, value }) => [name, value]));
        const inputs = { ...row.inputs, ...maestroNames(row), ...values };
        cleanUpAfter = () =>
          cleanUpCancelled({
            context,
            inputs,
            stop: work.stopCleanup,
            hands: handsUntil(work.stopCleanup.signal),
            pace: (ms) => runPace(pace, work.stopCleanup.signal, ms),
            steps: () => runs.steps(row.id),
          });
        const { state, failure } = await interpret(context, inputs);
        await unlessAborted(signal, Promise.all([thumbnails.close(), recordings.close("keep")]));
        await release(hands, work);
        await move(work, state, failure && runError(failure));
      } finally {
        clearTimeout(timer);
      }
    } catch (error) {
      void thumbnails?.close();
      const { reason } = signal;
      if (reason instanceof RunStop && reason.code === "cancelled") await cleanUpAfter?.();
      const kept = recordings?.close(mayStillStore(reason) ? "keep" : "drop");
      await unlessAborted(work.stopCleanup.signal, Promise.resolve(kept)).catch(() => {});
      if (hands !== undefined) await release(hands, work);
      await end(row, work, signal.aborted ? signal.reason : error);
    } finally {
      await scripts?.close();
    }
  }

  async function release(hands: PhoneHands, { redactor }: Work): Promise<void> {
    await hands
      .release()
      .catch((error: unknown) => log.warn("A phone kept a run's settings", redactor.data(errorFields(error))));
  }

  async function secretsOf(
    { teamId, flowId, source, startedAt }: RunRow,
    { header }: Flow,
    files: readonly FileBytes[],
  ) {
    const names = header.secrets;
    if (names.length === 0) return [];
    return options.secrets.open({ teamId, flowId: flowId ?? undefined, source, files, names }, startedAt ?? undefined);
  }

  /** Writes how a run ended that did not get to its end. Whoever lost the lease writes nothing. */
  async function end(row: RunRow, work: Work, error: unknown): Promise<void> {
    const { lease, redactor } = work;
    try {
      if (await passOn(row, lease, error)) return;
      if (error instanceof NotStarted) {
        const why = error.cause instanceof PerchError ? error.cause.message : "The phone did not start.";
        return await move(work, "failed", { code: "phone_not_started", message: why });
      }
      const ending = endingOf(error);
      if (ending instanceof LeaseLost) return;
      if (ending instanceof RunStop && ending.code === "server_stopped") {
        await options.recovery.settle(lease);
        return;
      }
      if (ending.code === "internal") log.error("A run failed unexpectedly", redactor.data(errorFields(error)));
      const at = (await runs.steps(row.id)).findLast((step) => step.state === "failed" || step.state === "started");
      await move(work, STOPPED[ending.code] ?? "failed", {
        code: RUN_ERROR_CODES.find((code) => code === ending.code) ?? "internal",
        message: ending.message,
        ...(at !== undefined && { step: at.seq, line: at.line, ...(at.file !== null && { file: at.file }) }),
      });
    } catch (failure) {
      if (!(failure instanceof LeaseLost)) throw failure;
    }
  }

  return perform;
}

/** A run that was cancelled, or that another worker has now, ends without waiting for anything. */
function mayStillStore(reason: unknown): boolean {
  if (reason instanceof LeaseLost) return false;
  return !(reason instanceof RunStop) || (reason.code !== "cancelled" && reason.code !== "server_stopped");
}

const runError = ({ looked: _, ...error }: FlowFailure): RunError => error;

export const cancelled = () => new RunStop("cancelled", "The run was cancelled.");

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
