/** What the operator looks at beside what each part says of itself. Nothing here names a person but where it says so. */
import { and, asc, count, desc, eq, gt, inArray, ne, sql } from "drizzle-orm";
import type { JobId, PhoneId, TeamId, UserId } from "../../shared/ids.ts";
import type { DriverKind, PhoneState } from "../../shared/phones.ts";
import type { Database, Writer } from "../db/database.ts";
import { isUniqueViolation } from "../db/database.ts";
import type { JOB_STATES } from "../jobs/jobs.tables.ts";

export interface JobLine {
  readonly id: JobId;
  readonly kind: string;
  readonly state: (typeof JOB_STATES)[number];
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly runAt: Date;
  readonly node: string | null;
  readonly error: string | null;
}
export interface TeamPhone {
  readonly id: PhoneId;
  /** Given by its people. */
  readonly name: string;
  readonly driver: DriverKind;
  readonly state: PhoneState;
}
export interface AuditLine {
  readonly seq: number;
  readonly at: Date | null;
  readonly actor: string | null;
  readonly action: string;
  readonly detail: Readonly<Record<string, string | number | boolean>> | null;
}
export interface InboxLine {
  readonly type: string;
  readonly events: number;
  readonly waiting: number;
  readonly missed: number;
}

export interface ConsoleRepo {
  /** Those that died first, then what runs and waits; `limit` of each. */
  jobs(limit: number): Promise<readonly JobLine[]>;
  /** Lets a dead or waiting job run at once; false when there is no such one, `"taken"` when its place is. */
  runNow(tx: Writer, id: JobId, now: Date): Promise<boolean | "taken">;
  diedSince(since: Date): Promise<number>;
  /** What Stripe told, by kind. */
  inbox(): Promise<readonly InboxLine[]>;
  /** Since when an account and its teams are suspended. */
  suspended(
    tx: Writer,
    userId: UserId,
    teams: readonly { readonly id: TeamId }[],
  ): Promise<{ readonly person: Date | null; readonly teams: ReadonlyMap<TeamId, Date | null> }>;
  /** With their names. */
  phonesOf(tx: Writer, teamId: TeamId): Promise<readonly TeamPhone[]>;
  phone(tx: Writer, id: PhoneId): Promise<{ readonly teamId: TeamId; readonly state: PhoneState } | undefined>;
  /** The newest entries of the server's own chain. */
  auditLog(limit: number): Promise<readonly AuditLine[]>;
}

export function createConsoleRepo(db: Database): ConsoleRepo {
  const { jobs, phones, stripeEvents, auditLog, users, teams } = db.t;
  const { id, kind, state, attempt, maxAttempts, runAt, node, error } = jobs;
  const line = { id, kind, state, attempt, maxAttempts, runAt, node, error };
  return {
    async jobs(limit) {
      const of = (which: "dead" | "running" | "ready") =>
        db.read
          .select(line)
          .from(jobs)
          .where(eq(state, which))
          .orderBy(which === "dead" ? desc(jobs.finishedAt) : asc(runAt))
          .limit(limit);
      return [...(await of("dead")), ...(await of("running")), ...(await of("ready"))];
    },
    async runNow(tx, which, now) {
      try {
        const rows = await tx
          .update(jobs)
          .set({ state: "ready", runAt: now, error: null, finishedAt: null, leaseUntil: null })
          .where(and(eq(id, which), inArray(state, ["dead", "ready"])))
          .returning({ id });
        return rows.length === 1;
      } catch (cause) {
        if (isUniqueViolation(cause)) return "taken";
        throw cause;
      }
    },
    async diedSince(since) {
      const [row] = await db.read
        .select({ n: count() })
        .from(jobs)
        .where(and(eq(state, "dead"), gt(jobs.finishedAt, since)));
      return row?.n ?? 0;
    },
    async inbox() {
      return db.read
        .select({
          type: stripeEvents.type,
          events: count(),
          waiting: sql`sum(case when ${stripeEvents.processedAt} is null then 1 else 0 end)`.mapWith(Number),
          missed: sql`sum(case when ${stripeEvents.via} = 'reconcile' then 1 else 0 end)`.mapWith(Number),
        })
        .from(stripeEvents)
        .groupBy(stripeEvents.type)
        .orderBy(asc(stripeEvents.type));
    },
    async suspended(tx, userId, all) {
      const [person] = await tx.select({ at: users.suspendedAt }).from(users).where(eq(users.id, userId));
      const rows = await tx
        .select({ id: teams.id, at: teams.suspendedAt })
        .from(teams)
        .where(
          inArray(
            teams.id,
            all.map(({ id: team }) => team),
          ),
        );
      return { person: person?.at ?? null, teams: new Map(rows.map((row) => [row.id, row.at])) };
    },
    phonesOf: (tx, teamId) =>
      tx
        .select({ id: phones.id, name: phones.name, driver: phones.driver, state: phones.state })
        .from(phones)
        .where(and(eq(phones.teamId, teamId), ne(phones.state, "removed")))
        .orderBy(asc(phones.createdAt)),
    async phone(tx, which) {
      const [row] = await tx
        .select({ teamId: phones.teamId, state: phones.state })
        .from(phones)
        .where(and(eq(phones.id, which), ne(phones.state, "removed")));
      return row;
    },
    auditLog: (limit) =>
      db.read
        .select({
          ...{ seq: auditLog.seq, at: auditLog.at, actor: auditLog.actor, action: auditLog.action },
          detail: auditLog.detail,
        })
        .from(auditLog)
        .where(eq(auditLog.chain, "server"))
        .orderBy(desc(auditLog.seq))
        .limit(limit),
  };
}
