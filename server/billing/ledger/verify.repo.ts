/** What the nightly look at the books reads, and where it writes what differs. */
import { and, asc, eq, gte, inArray, isNotNull, isNull, lt, ne, notInArray, or, sql } from "drizzle-orm";
import { newId, type ReconcileRunId, type TeamId, type UsageIntervalId } from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import type { FINDING_KINDS } from "../stripe/stripe.tables.ts";

export interface Finding {
  readonly kind: Extract<
    (typeof FINDING_KINDS)[number],
    "balance_differs" | "day_differs" | "time_differs" | "intervals_overlap"
  >;
  readonly teamId: TeamId;
  readonly objectId: string;
  readonly words: string;
}
export interface DayDifference {
  readonly teamId: TeamId;
  readonly phoneId: string;
  readonly day: string;
  readonly ms: number;
  readonly amount: number;
  readonly countedMs: number;
  readonly countedAmount: number;
}
export interface ClosedInterval {
  readonly id: UsageIntervalId;
  readonly teamId: TeamId;
  readonly ms: number;
  readonly ratedMs: number;
}

export interface VerifyRepo {
  /** Day counts that changed since, and are not the sum of their entries. */
  differingDays(reader: Reader, since: Date): Promise<DayDifference[]>;
  /** Intervals that ended between the moments, with what was rated of them. */
  closedIntervals(reader: Reader, from: Date, to: Date): Promise<ClosedInterval[]>;
  /** Intervals that began before an earlier one of their phone had ended. */
  overlapping(reader: Reader, since: Date): Promise<{ id: UsageIntervalId; teamId: TeamId }[]>;
  startRun(tx: Writer, at: Date): Promise<ReconcileRunId>;
  /** Writes findings that are new or there again. Balances, which are all looked at, are settled when they differ no more. */
  endRun(tx: Writer, id: ReconcileRunId, findings: readonly Finding[], looked: number, at: Date): Promise<void>;
}

export function createVerifyRepo({ t }: Database): VerifyRepo {
  const { ledgerEntries, paygDays, usageIntervals, reconcileRuns, reconcileFindings } = t;
  const sum = (column: typeof ledgerEntries.ms | typeof ledgerEntries.amount) =>
    sql<number>`coalesce(sum(${column}), 0)`.mapWith(Number);
  return {
    async differingDays(reader, since) {
      const [countedMs, countedAmount] = [sum(ledgerEntries.ms), sum(ledgerEntries.amount)];
      const { teamId, phoneId, day, ms, amount } = paygDays;
      const charged = and(
        eq(ledgerEntries.teamId, teamId),
        eq(ledgerEntries.day, day),
        eq(ledgerEntries.phoneId, phoneId),
        inArray(ledgerEntries.cover, ["wallet", "overage"]),
      );
      return reader
        .select({ teamId, phoneId, day, ms, amount, countedMs, countedAmount })
        .from(paygDays)
        .leftJoin(ledgerEntries, charged)
        .where(gte(paygDays.updatedAt, since))
        .groupBy(teamId, phoneId, day, ms, amount)
        .having(or(ne(countedMs, ms), ne(countedAmount, amount)));
    },
    async closedIntervals(reader, from, to) {
      const { id, teamId, startedAt, endedAt } = usageIntervals;
      const rated = and(sql`${ledgerEntries.intervalId} = ${id}`, eq(ledgerEntries.source, "usage"));
      const rows = await reader
        .select({ id, teamId, startedAt, endedAt, ratedMs: sum(ledgerEntries.ms) })
        .from(usageIntervals)
        .leftJoin(ledgerEntries, rated)
        .where(and(isNotNull(endedAt), gte(endedAt, from), lt(endedAt, to)))
        .groupBy(id, teamId, startedAt, endedAt);
      return rows.map((row) => ({
        ...{ id: row.id, teamId: row.teamId, ratedMs: row.ratedMs },
        ms: (row.endedAt ?? row.startedAt).getTime() - row.startedAt.getTime(),
      }));
    },
    async overlapping(reader, since) {
      const { id, teamId, phoneId, startedAt, endedAt, lastSeenAt } = usageIntervals;
      const latestEnd = sql`max(coalesce(${endedAt}, ${lastSeenAt})) over (
        partition by ${phoneId} order by ${startedAt}, ${id} rows between unbounded preceding and 1 preceding)`;
      const sorted = reader
        .select({ id, teamId, startedAt, before: latestEnd.as("before_it") })
        .from(usageIntervals)
        .where(or(isNull(endedAt), gte(endedAt, since)))
        .as("sorted");
      return reader
        .select({ id: sorted.id, teamId: sorted.teamId })
        .from(sorted)
        .where(sql`${sorted.startedAt} < ${sorted.before}`)
        .orderBy(asc(sorted.id));
    },
    async startRun(tx, startedAt) {
      const id = newId("reconcileRun");
      await tx.insert(reconcileRuns).values({ id, kind: "ledger", startedAt, looked: 0 });
      return id;
    },
    async endRun(tx, runId, findings, looked, at) {
      for (const { kind, teamId, objectId, words } of findings) {
        const finding = { runId, teamId, words, resolvedAt: null, createdAt: at };
        await tx
          .insert(reconcileFindings)
          .values({ id: `${runId}:${kind}:${objectId}`, kind, objectId, ...finding })
          .onConflictDoUpdate({
            target: [reconcileFindings.kind, reconcileFindings.objectId],
            set: { runId, words, resolvedAt: null },
          });
      }
      const different = findings.flatMap(({ kind, objectId }) => (kind === "balance_differs" ? [objectId] : []));
      const settled = and(
        eq(reconcileFindings.kind, "balance_differs"),
        isNull(reconcileFindings.resolvedAt),
        notInArray(reconcileFindings.objectId, different),
      );
      await tx.update(reconcileFindings).set({ resolvedAt: at }).where(settled);
      await tx.update(reconcileRuns).set({ finishedAt: at, looked }).where(eq(reconcileRuns.id, runId));
    },
  };
}
