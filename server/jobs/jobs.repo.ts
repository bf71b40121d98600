/** The jobs table: enqueue in the business transaction, claim by lease, write only with the fencing token. */
import { and, asc, eq, gte, inArray, isNull, lt, lte, max, min, ne, notExists, notInArray, or, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { type JobId, newId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import { type Database, isUniqueViolation, type Writer } from "../db/database.ts";

export interface NewJob {
  readonly kind: string;
  readonly input: unknown;
  /** Defaults to now. */
  readonly runAt?: Date;
  /** At most one waiting or running job per key. */
  readonly dedupeKey?: string;
  /** At most one running job per key. */
  readonly lockKey?: string;
  readonly maxAttempts?: number;
}

export interface ClaimedJob {
  readonly id: JobId;
  readonly kind: string;
  readonly input: unknown;
  readonly progress: unknown;
  /** Fencing token: writes of an earlier claim are refused. */
  readonly attempt: number;
  readonly maxAttempts: number;
}

export interface JobsRepo {
  /** False when a live job with the same dedupe key exists. */
  enqueue(tx: Writer, job: NewJob): Promise<boolean>;
  /** True when a job of the kind was enqueued at or after the moment, whatever became of it. */
  enqueuedSince(tx: Writer, kind: string, since: Date): Promise<boolean>;
  /** Jobs behind a held lock do not stand in the way of others. */
  claim(
    node: string,
    kinds: readonly string[],
    leaseMs: number,
    /** Other nodes that live: theirs is theirs, whatever their clocks say. */
    others?: readonly string[],
  ): Promise<ClaimedJob | undefined>;
  renew(job: ClaimedJob, leaseMs: number): Promise<boolean>;
  saveProgress(job: ClaimedJob, progress: unknown): Promise<boolean>;
  /** Marks the job done in the caller's transaction; false when the lease was lost (roll back then). */
  finish(tx: Writer, job: ClaimedJob): Promise<boolean>;
  /** Runs again at `retryAt`, or is dead when there is none. */
  fail(job: ClaimedJob, error: string, retryAt: Date | undefined): Promise<void>;
  /** Gives back what a node held before it started; all there is where there is no other node. */
  reclaim(node: string | undefined): Promise<number>;
  /** When a job of the kind was last done. */
  lastDone(kind: string): Promise<Date | undefined>;
  counts(): Promise<Record<string, number>>;
  /** When the job that waits longest was due. */
  oldestDue(): Promise<Date | undefined>;
}

export function createJobsRepo(db: Database, clock: Clock): JobsRepo {
  const { jobs } = db.t;
  const now = () => new Date(clock.now());
  const holds = (job: ClaimedJob) => and(eq(jobs.id, job.id), eq(jobs.state, "running"), eq(jobs.attempt, job.attempt));
  const holder = alias(jobs, "holder");
  const unlocked = notExists(
    db.read
      .select({ id: holder.id })
      .from(holder)
      .where(and(eq(holder.lockKey, jobs.lockKey), eq(holder.state, "running"), ne(holder.id, jobs.id))),
  );
  return {
    async enqueue(tx, job) {
      if (job.dedupeKey !== undefined) {
        const live = await tx
          .select({ id: jobs.id })
          .from(jobs)
          .where(and(eq(jobs.dedupeKey, job.dedupeKey), inArray(jobs.state, ["ready", "running"])));
        if (live.length > 0) return false;
      }
      await tx.insert(jobs).values({
        id: newId("job"),
        kind: job.kind,
        input: job.input,
        state: "ready",
        runAt: job.runAt ?? now(),
        attempt: 0,
        maxAttempts: job.maxAttempts ?? 8,
        dedupeKey: job.dedupeKey ?? null,
        lockKey: job.lockKey ?? null,
        createdAt: now(),
      });
      return true;
    },
    async enqueuedSince(tx, kind, since) {
      const found = await tx
        .select({ id: jobs.id })
        .from(jobs)
        .where(and(eq(jobs.kind, kind), gte(jobs.createdAt, since)))
        .limit(1);
      return found.length > 0;
    },
    async claim(node, kinds, leaseMs, others = []) {
      if (kinds.length === 0) return undefined;
      const left = others.length === 0 ? undefined : or(isNull(jobs.node), notInArray(jobs.node, [...others]));
      const due = or(
        and(eq(jobs.state, "ready"), lte(jobs.runAt, now())),
        and(eq(jobs.state, "running"), lt(jobs.leaseUntil, now()), left),
      );
      const candidates = await db.read
        .select({ id: jobs.id, attempt: jobs.attempt })
        .from(jobs)
        .where(and(due, inArray(jobs.kind, [...kinds]), unlocked))
        .orderBy(asc(jobs.runAt))
        .limit(10);
      for (const candidate of candidates) {
        try {
          const [row] = await db.tx((tx) =>
            tx
              .update(jobs)
              .set({
                state: "running",
                node,
                attempt: sql`${jobs.attempt} + 1`,
                leaseUntil: new Date(clock.now() + leaseMs),
              })
              .where(and(eq(jobs.id, candidate.id), eq(jobs.attempt, candidate.attempt), due))
              .returning(),
          );
          if (row !== undefined) return row;
        } catch (error) {
          if (!isUniqueViolation(error)) throw error;
        }
      }
      return undefined;
    },
    async renew(job, leaseMs) {
      const rows = await db.tx((tx) =>
        tx
          .update(jobs)
          .set({ leaseUntil: new Date(clock.now() + leaseMs) })
          .where(holds(job))
          .returning({ id: jobs.id }),
      );
      return rows.length === 1;
    },
    async saveProgress(job, progress) {
      const rows = await db.tx((tx) => tx.update(jobs).set({ progress }).where(holds(job)).returning({ id: jobs.id }));
      return rows.length === 1;
    },
    async finish(tx, job) {
      const rows = await tx
        .update(jobs)
        .set({ state: "done", finishedAt: now(), leaseUntil: null })
        .where(holds(job))
        .returning({ id: jobs.id });
      return rows.length === 1;
    },
    async fail(job, error, retryAt) {
      await db.tx((tx) =>
        tx
          .update(jobs)
          .set(
            retryAt === undefined
              ? { state: "dead", error, leaseUntil: null, finishedAt: now() }
              : { state: "ready", error, leaseUntil: null, runAt: retryAt },
          )
          .where(holds(job)),
      );
    },
    async reclaim(node) {
      const running =
        node === undefined ? eq(jobs.state, "running") : and(eq(jobs.state, "running"), eq(jobs.node, node));
      const rows = await db.tx((tx) =>
        tx
          .update(jobs)
          .set({ state: "ready", runAt: now(), leaseUntil: null })
          .where(running)
          .returning({ id: jobs.id }),
      );
      return rows.length;
    },
    async lastDone(kind) {
      const [row] = await db.read
        .select({ at: max(jobs.finishedAt) })
        .from(jobs)
        .where(and(eq(jobs.kind, kind), eq(jobs.state, "done")));
      return row?.at ?? undefined;
    },
    async counts() {
      const rows = await db.read
        .select({ state: jobs.state, count: sql`count(*)`.mapWith(Number) })
        .from(jobs)
        .groupBy(jobs.state);
      return Object.fromEntries(rows.map((row) => [row.state, row.count]));
    },
    async oldestDue() {
      const [row] = await db.read
        .select({ at: min(jobs.runAt) })
        .from(jobs)
        .where(eq(jobs.state, "ready"));
      return row?.at ?? undefined;
    },
  };
}
