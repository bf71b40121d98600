/** Workers over the jobs table: at least once, with leases, back-off and schedules that no restart forgets. */
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { errorFields, errorText, type Log } from "../log.ts";
import type { ClaimedJob, JobsRepo, NewJob } from "./jobs.repo.ts";

export interface JobContext {
  /** Aborts when the lease is lost or the server stops. */
  readonly signal: AbortSignal;
  readonly progress: unknown;
  /** A stable key for effects outside the database. */
  readonly idempotencyKey: string;
  /** When this attempt fails, no other follows. */
  readonly isLastAttempt: boolean;
  readonly log: Log;
  /** Writes the checkpoint a later attempt gets as `progress`. Throws when the lease was lost. */
  saveProgress(progress: unknown): Promise<void>;
  /** Commits `work` together with the end of the job: a database effect happens exactly once. */
  finish(work: (tx: Writer) => Promise<void>): Promise<void>;
}
export type JobHandler = (input: unknown, context: JobContext) => Promise<void>;

export interface Jobs {
  enqueue(tx: Writer, job: NewJob): Promise<boolean>;
  /** Looks for due jobs now, e.g. after a commit that enqueued one. */
  wake(): void;
  /** Starts working. `schedules` run every `everyMs`; a missed slot runs once. */
  start(handlers: Readonly<Record<string, JobHandler>>, schedules: readonly Schedule[]): Promise<void>;
  stop(): Promise<void>;
}
export interface Schedule {
  readonly kind: string;
  readonly everyMs: number;
}

const LEASE_MS = 30_000;
const IDLE_POLL_MS = 1_000;
const CONCURRENCY = 4;
const MAX_BACKOFF_MS = 5 * 60_000;

/** The slot a moment falls in: equal for every node, so one job per slot. */
export function slotOf(schedule: Schedule, at: number): number {
  return Math.floor(at / schedule.everyMs) * schedule.everyMs;
}

export function createJobs(options: {
  db: Database;
  repo: JobsRepo;
  clock: Clock;
  log: Log;
  node: string;
  /** There is no other node. */
  singleNode: boolean;
  /** Other nodes that live. */
  others?: () => readonly string[];
  /** False while this node may do nothing. */
  mayAct?: () => boolean;
}): Jobs {
  const { db, repo, clock, log, node } = options;
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  let handlers: Readonly<Record<string, JobHandler>> = {};
  let schedules: readonly Schedule[] = [];
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  const lastSlots = new Map<string, number>();

  /** One job per slot over all nodes and restarts; a slot whose forerunner still works is left out. */
  async function enqueueSchedules(): Promise<void> {
    for (const schedule of schedules) {
      const slot = slotOf(schedule, clock.now());
      if (lastSlots.get(schedule.kind) === slot) continue;
      const { kind } = schedule;
      await db.tx(async (tx) => {
        if (await repo.enqueuedSince(tx, kind, new Date(slot))) return;
        await repo.enqueue(tx, { kind, input: { slot }, dedupeKey: `schedule:${kind}` });
      });
      lastSlots.set(kind, slot);
    }
  }

  async function claimAll(): Promise<void> {
    while (running.size < CONCURRENCY && !stopping.signal.aborted && options.mayAct?.() !== false) {
      const job = await repo.claim(node, Object.keys(handlers), LEASE_MS, options.others?.() ?? []);
      if (job === undefined) return;
      const work = run(job).finally(() => {
        running.delete(work);
        look();
      });
      running.add(work);
    }
  }

  /** Looks for due jobs; a call while it looks makes it look once more. */
  function look(): Promise<void> {
    again = true;
    looking ??= (async () => {
      try {
        while (again && !stopping.signal.aborted) {
          again = false;
          await enqueueSchedules();
          await claimAll();
        }
      } catch (error) {
        log.error("Looking for jobs failed", errorFields(error));
      } finally {
        looking = undefined;
      }
    })();
    return looking;
  }

  async function run(job: ClaimedJob): Promise<void> {
    const lost = new AbortController();
    const renewal = setInterval(() => {
      repo.renew(job, LEASE_MS).then(
        (held) => held || lost.abort(),
        () => {},
      );
    }, LEASE_MS / 3);
    let finished = false;
    const isLast = job.attempt >= job.maxAttempts;
    const finish = async (work: (tx: Writer) => Promise<void>) => {
      await db.tx(async (tx) => {
        await work(tx);
        if (!(await repo.finish(tx, job))) throw new Error("The lease was lost before the job ended.");
      });
      finished = true;
    };
    try {
      if (job.attempt > job.maxAttempts) throw new Error("Every attempt ended with the process.");
      const handler = handlers[job.kind];
      if (handler === undefined) throw new Error(`No handler for ${job.kind}`);
      await handler(job.input, {
        signal: AbortSignal.any([lost.signal, stopping.signal]),
        progress: job.progress,
        idempotencyKey: job.id,
        isLastAttempt: isLast,
        log,
        async saveProgress(progress) {
          if (await repo.saveProgress(job, progress)) return;
          lost.abort();
          throw new Error("The lease was lost; another worker has this job.");
        },
        finish,
      });
      if (!finished) await finish(async () => {});
    } catch (error) {
      if (lost.signal.aborted) return;
      log.warn(isLast ? "A job gave up" : "A job failed and will be tried again", {
        jobId: job.id,
        kind: job.kind,
        attempt: job.attempt,
        ...errorFields(error),
      });
      const backoff = Math.min(MAX_BACKOFF_MS, 1000 * 2 ** job.attempt) * (0.75 + Math.random() / 2);
      await repo
        .fail(job, errorText(error).slice(0, 500), isLast ? undefined : new Date(clock.now() + backoff))
        .catch((failure: unknown) => log.error("A failed job could not be recorded", errorFields(failure)));
    } finally {
      clearInterval(renewal);
    }
  }

  return {
    enqueue: repo.enqueue,
    wake: () => void look(),
    async start(given, times) {
      handlers = given;
      schedules = times;
      await repo.reclaim(options.singleNode ? undefined : node);
      timer = setInterval(look, IDLE_POLL_MS);
      await look();
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await looking;
      await Promise.allSettled(running);
    },
  };
}
