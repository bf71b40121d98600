/** What is read of usage: sums of ledger entries by day, and the intervals they were made of. */
import { and, asc, desc, eq, gt, gte, inArray, isNotNull, isNull, lt, lte, ne, or, sum } from "drizzle-orm";
import type { Cover } from "../../../shared/billing/rating.ts";
import type { FlowId, GrantId, PhoneId, TeamId, UsageIntervalId, UserId } from "../../../shared/ids.ts";
import type { Database } from "../../db/database.ts";
import type { LedgerSource } from "../ledger/ledger.tables.ts";
import type { IntervalEnd } from "../usage/usage.tables.ts";
import type { DayRange } from "./zone-days.ts";

type Days = Pick<DayRange, "from" | "to">;
export interface Sum {
  readonly ms: number;
  readonly amount: number;
}
export interface DaySum extends Sum {
  /** Whose: a phone or a member; null for whoever is gone. */
  readonly of: string | null;
  readonly day: string;
}
export interface CoverSum extends Sum {
  readonly cover: Cover;
}
export interface TimedEntry extends Sum {
  readonly phoneId: PhoneId;
  readonly day: string;
  readonly from: number;
  readonly to: number;
}
export interface IntervalRow {
  readonly id: UsageIntervalId;
  readonly phoneId: PhoneId;
  readonly startedBy: UserId | null;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  readonly endedAt: Date | null;
  readonly endReason: IntervalEnd | null;
}
export interface IntervalEntry extends Sum {
  readonly cover: Cover;
  readonly source: LedgerSource;
  readonly grantId: GrantId | null;
  readonly phoneId: PhoneId | null;
  readonly day: string;
  readonly from: Date | null;
  readonly to: Date | null;
  readonly reason: string | null;
  readonly createdAt: Date;
}
export interface RunTime {
  readonly phoneId: PhoneId;
  readonly flowId: FlowId | null;
  readonly from: number;
  /** Undefined while it runs. */
  readonly to: number | undefined;
}

export interface UsageViewsRepo {
  totals(teamId: TeamId, days: Days): Promise<CoverSum[]>;
  byPhone(teamId: TeamId, days: Days): Promise<DaySum[]>;
  byMember(teamId: TeamId, days: Days): Promise<DaySum[]>;
  /** Entries of phones on which flows ran. */
  ofPhones(teamId: TeamId, days: Days, phoneIds: readonly PhoneId[]): Promise<TimedEntry[]>;
  runsDuring(teamId: TeamId, from: Date, to: Date): Promise<RunTime[]>;
  /** Intervals that reach into a time, the newest first. */
  intervals(
    teamId: TeamId,
    from: Date,
    to: Date,
    which: { phoneId?: PhoneId | undefined; before?: IntervalPlace | undefined; limit?: number },
  ): Promise<IntervalRow[]>;
  interval(teamId: TeamId, id: UsageIntervalId): Promise<IntervalRow | undefined>;
  /** What covered intervals on some days; of all intervals of the team, or of these. */
  coversOf(
    teamId: TeamId,
    days: Days,
    ids?: readonly UsageIntervalId[],
  ): Promise<(CoverSum & { readonly intervalId: string })[]>;
  /** The oldest first. */
  entriesOf(teamId: TeamId, id: UsageIntervalId): Promise<IntervalEntry[]>;
  /** What a phone's day had been charged by the hour before a moment. */
  chargedBefore(teamId: TeamId, phoneId: PhoneId, day: string, at: Date): Promise<number>;
  grants(teamId: TeamId): Promise<{ id: GrantId; kind: string; name: string; total: number; startsAt: Date }[]>;
  phoneNames(teamId: TeamId): Promise<ReadonlyMap<string, string>>;
  memberNames(teamId: TeamId): Promise<ReadonlyMap<string, string>>;
  flowNames(teamId: TeamId): Promise<ReadonlyMap<string, string>>;
}
export interface IntervalPlace {
  readonly at: Date;
  readonly id: string;
}

export function createUsageViewsRepo(db: Database): UsageViewsRepo {
  const { ledgerEntries: entries, usageIntervals: intervals, runs, phones, users, teamMembers, flows, grants } = db.t;
  const { read } = db;
  /** Only what phones used, and what was taken back of it. */
  const used = (teamId: TeamId, { from, to }: Days) =>
    and(
      ...[eq(entries.teamId, teamId), gte(entries.day, from), lte(entries.day, to)],
      ...[isNotNull(entries.intervalId), ne(entries.cover, "credit")],
    );
  const sums = { ms: sum(entries.ms).mapWith(Number), amount: sum(entries.amount).mapWith(Number) };
  const interval = {
    ...{ id: intervals.id, phoneId: intervals.phoneId, startedBy: intervals.startedBy, startedAt: intervals.startedAt },
    ...{ lastSeenAt: intervals.lastSeenAt, endedAt: intervals.endedAt, endReason: intervals.endReason },
  };
  return {
    async totals(teamId, days) {
      const rows = await read
        .select({ cover: entries.cover, ...sums })
        .from(entries)
        .where(used(teamId, days))
        .groupBy(entries.cover);
      return rows.map((row) => ({ ...row, cover: ofUse(row.cover) }));
    },
    byPhone: (teamId, days) =>
      read
        .select({ of: entries.phoneId, day: entries.day, ...sums })
        .from(entries)
        .where(used(teamId, days))
        .groupBy(entries.phoneId, entries.day),
    byMember: (teamId, days) =>
      read
        .select({ of: intervals.startedBy, day: entries.day, ...sums })
        .from(entries)
        .leftJoin(intervals, eq(intervals.id, entries.intervalId))
        .where(used(teamId, days))
        .groupBy(intervals.startedBy, entries.day),
    async ofPhones(teamId, days, phoneIds) {
      const { phoneId, day, ms, amount, fromAt, toAt } = entries;
      const rows = await read
        .select({ phoneId, day, ms, amount, fromAt, toAt })
        .from(entries)
        .where(and(used(teamId, days), inArray(phoneId, [...phoneIds]), isNotNull(fromAt), isNotNull(toAt)));
      return rows.flatMap(({ phoneId: phone, fromAt: from, toAt: to, ...row }) =>
        phone === null || from === null || to === null
          ? []
          : [{ ...row, phoneId: phone, from: from.getTime(), to: to.getTime() }],
      );
    },
    async runsDuring(teamId, from, to) {
      const { phoneId, flowId, startedAt, finishedAt } = runs;
      const rows = await read
        .select({ phoneId, flowId, startedAt, finishedAt })
        .from(runs)
        .where(and(eq(runs.teamId, teamId), lt(startedAt, to), or(isNull(finishedAt), gt(finishedAt, from))))
        .orderBy(asc(startedAt), asc(runs.id));
      return rows.flatMap(({ startedAt: began, finishedAt: over, ...row }) =>
        began === null ? [] : [{ ...row, from: began.getTime(), to: over?.getTime() }],
      );
    },
    intervals(teamId, from, to, { phoneId, before, limit }) {
      const { startedAt, endedAt, id } = intervals;
      const found = read
        .select(interval)
        .from(intervals)
        .where(
          and(
            ...[eq(intervals.teamId, teamId), lt(startedAt, to), or(isNull(endedAt), gt(endedAt, from))],
            phoneId && eq(intervals.phoneId, phoneId),
            before && or(lt(startedAt, before.at), and(eq(startedAt, before.at), lt(id, intervalIdOf(before)))),
          ),
        )
        .orderBy(desc(startedAt), desc(id));
      return limit === undefined ? found : found.limit(limit);
    },
    async interval(teamId, id) {
      const [row] = await read
        .select(interval)
        .from(intervals)
        .where(and(eq(intervals.id, id), eq(intervals.teamId, teamId)));
      return row;
    },
    async coversOf(teamId, days, ids) {
      if (ids?.length === 0) return [];
      const rows = await read
        .select({ intervalId: entries.intervalId, cover: entries.cover, ...sums })
        .from(entries)
        .where(and(used(teamId, days), ids && inArray(entries.intervalId, [...ids])))
        .groupBy(entries.intervalId, entries.cover);
      return rows.flatMap(({ intervalId, ...row }) =>
        intervalId === null ? [] : [{ ...row, intervalId, cover: ofUse(row.cover) }],
      );
    },
    async entriesOf(teamId, id) {
      const { cover, source, grantId, phoneId, day, ms, amount, fromAt, toAt, reason, createdAt } = entries;
      const rows = await read
        .select({ cover, source, grantId, phoneId, day, ms, amount, from: fromAt, to: toAt, reason, createdAt })
        .from(entries)
        .where(and(eq(entries.teamId, teamId), eq(entries.intervalId, id), ne(cover, "credit")))
        .orderBy(asc(fromAt), asc(createdAt), asc(entries.id));
      return rows.map((row) => ({ ...row, cover: ofUse(row.cover) }));
    },
    async chargedBefore(teamId, phoneId, day, at) {
      const [row] = await read
        .select({ amount: sums.amount })
        .from(entries)
        .where(
          and(
            used(teamId, { from: day, to: day }),
            ...[eq(entries.phoneId, phoneId), eq(entries.source, "usage"), lt(entries.fromAt, at)],
          ),
        );
      return row?.amount ?? 0;
    },
    grants: (teamId) =>
      read
        .select({
          ...{ id: grants.id, kind: grants.kind, name: grants.name, total: grants.total, startsAt: grants.startsAt },
        })
        .from(grants)
        .where(eq(grants.teamId, teamId)),
    async phoneNames(teamId) {
      const { id, name } = phones;
      const rows = await read.select({ id, name }).from(phones).where(eq(phones.teamId, teamId));
      return new Map(rows.map((row) => [row.id, row.name]));
    },
    async memberNames(teamId) {
      const { id, fullName, emailShown } = users;
      const rows = await read
        .select({ id, fullName, emailShown })
        .from(teamMembers)
        .innerJoin(users, and(eq(users.id, teamMembers.userId), isNull(users.deletedAt)))
        .where(eq(teamMembers.teamId, teamId));
      return new Map(rows.map((row) => [row.id, row.fullName ?? row.emailShown]));
    },
    async flowNames(teamId) {
      const { id, name } = flows;
      const rows = await read.select({ id, name }).from(flows).where(eq(flows.teamId, teamId));
      return new Map(rows.map((row) => [row.id, row.name]));
    },
  };
}

/** Entries of use are never credits: those are left out where entries are read. */
function ofUse(cover: Cover | "credit"): Cover {
  if (cover === "credit") throw new Error("An entry of use is a credit.");
  return cover;
}

/** A cursor's text is compared with ids, nothing more. */
function intervalIdOf({ id }: IntervalPlace): UsageIntervalId {
  return id as UsageIntervalId;
}
