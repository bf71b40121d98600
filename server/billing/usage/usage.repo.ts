/** When phones ran, in the database. All but reads are written in the caller's transaction. */
import {
  and,
  asc,
  count,
  desc,
  eq,
  inArray,
  isNull,
  lt,
  lte,
  max,
  ne,
  notExists,
  notInArray,
  or,
  sql,
} from "drizzle-orm";
import {
  type NodeId,
  newId,
  type PhoneId,
  type TeamId,
  type UsageIntervalId,
  type UserId,
} from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";
import { ACTIVE_STATES } from "../../phones/phones.repo.ts";
import type { PhoneStart } from "../ports.ts";
import type { IntervalEnd } from "./usage.tables.ts";

export type IntervalRow = Tables["usageIntervals"]["$inferSelect"];
export type HoldRow = Tables["usageHolds"]["$inferSelect"];

/** Who beats: a machine, and a process on it. */
export interface Beater {
  readonly node: string;
  readonly boot: string;
}
export interface NewInterval extends PhoneStart {
  readonly at: Date;
}

export interface UsageRepo {
  hold(tx: Writer, start: PhoneStart, at: Date): Promise<void>;
  release(tx: Writer, phoneId: PhoneId): Promise<void>;
  /** Places of phones that have none on the machine any more. */
  releaseStale(tx: Writer): Promise<void>;
  holdsOf(reader: Reader, teamId: TeamId): Promise<HoldRow[]>;
  /** Opens intervals. People of whom nothing may be written any more are left out. */
  open(tx: Writer, by: Beater, intervals: readonly NewInterval[]): Promise<void>;
  openOf(tx: Writer, phoneId: PhoneId): Promise<IntervalRow | undefined>;
  /** Where the latest closed interval of a phone ends. */
  lastEndOf(tx: Writer, phoneId: PhoneId): Promise<Date | undefined>;
  /** Who started the phone last; nobody where the server did, or it never ran. */
  lastStarterOf(reader: Reader, phoneId: PhoneId): Promise<UserId | null>;
  /** Those of this process; only what began so early, when told so. */
  openHere(reader: Reader, by: Beater, startedBefore?: Date): Promise<IntervalRow[]>;
  close(tx: Writer, id: UsageIntervalId, endedAt: Date, reason: IntervalEnd): Promise<void>;
  /** Closes each where it was last seen. */
  closeAsSeen(tx: Writer, ids: readonly UsageIntervalId[], reason: IntervalEnd): Promise<void>;
  /** Closes, where they were last seen, what other processes of this machine, or of any, left open. */
  closeOthers(tx: Writer, by: Beater, of: "machine" | "all"): Promise<void>;
  /**
   * Closes, where it was last seen, what nobody has seen since; but for what other nodes beat for that live, whose clocks
   * may say another time.
   */
  closeUnseen(tx: Writer, since: Date, living: readonly string[]): Promise<void>;
  /** One heartbeat of this process, for all its phones but those that do not live; for one team only when told so. */
  beat(tx: Writer, by: Beater, at: Date, alive: ReadonlySet<PhoneId>, teamId?: TeamId): Promise<void>;
  /** What of a team's time is not in the ledger yet, and what is open, the earliest first. */
  dueOf(reader: Reader, teamId: TeamId): Promise<IntervalRow[]>;
  dueTeams(reader: Reader): Promise<DueTeam[]>;
  /** Up to there, or to their end if that was earlier, these are in the ledger. */
  rated(tx: Writer, ids: readonly UsageIntervalId[], at: Date): Promise<void>;
  /** Running phones of these that can be reached and that no other node has which lives, without an open interval, and who had started them last. */
  uncounted(tx: Writer, alive: ReadonlySet<PhoneId>, living: readonly NodeId[]): Promise<PhoneStart[]>;
  /** How many phones the team keeps. */
  keptPhones(reader: Reader, teamId: TeamId): Promise<number>;
}

/** A team with time that is not in the ledger, and what shows whether something started or stopped since the last look. */
export interface DueTeam {
  readonly teamId: TeamId;
  readonly intervals: number;
  readonly closed: number;
  readonly latest: Date | null;
}

/** Rows of one statement; engines bound the values it may carry. */
const ROWS = 500;

export function createUsageRepo(db: Database): UsageRepo {
  const { usageIntervals: t, usageHolds, phones, erasureFence } = db.t;
  const asSeen = (reason: IntervalEnd) => ({ endedAt: sql`${t.lastSeenAt}`, endReason: reason });
  const here = ({ node, boot }: Beater) => and(isNull(t.endedAt), eq(t.node, node), eq(t.boot, boot));
  const notOf = (living: readonly NodeId[]) =>
    living.length === 0 ? undefined : or(isNull(phones.nodeId), notInArray(phones.nodeId, [...living]));
  /** The condition of the index of the same name. */
  const due = or(isNull(t.endedAt), lt(t.ratedAt, t.endedAt));

  async function fenced(tx: Writer, people: readonly UserId[]): Promise<ReadonlySet<string>> {
    if (people.length === 0) return new Set();
    const rows = await tx
      .select({ subject: erasureFence.subject })
      .from(erasureFence)
      .where(inArray(erasureFence.subject, [...people]));
    return new Set(rows.map(({ subject }) => subject));
  }

  async function lastStarterOf(reader: Reader, phoneId: PhoneId): Promise<UserId | null> {
    const [last] = await reader
      .select({ startedBy: t.startedBy })
      .from(t)
      .where(eq(t.phoneId, phoneId))
      .orderBy(desc(t.startedAt))
      .limit(1);
    return last?.startedBy ?? null;
  }

  return {
    async hold(tx, { teamId, phoneId, startedBy }, at) {
      await tx
        .insert(usageHolds)
        .values({ teamId, phoneId, startedBy, createdAt: at })
        .onConflictDoUpdate({ target: usageHolds.phoneId, set: { teamId, startedBy } });
    },
    async release(tx, phoneId) {
      await tx.delete(usageHolds).where(eq(usageHolds.phoneId, phoneId));
    },
    async releaseStale(tx) {
      const placed = tx
        .select({ id: phones.id })
        .from(phones)
        .where(and(eq(phones.id, usageHolds.phoneId), inArray(phones.state, [...ACTIVE_STATES])));
      await tx.delete(usageHolds).where(notExists(placed));
    },
    holdsOf: async (reader, teamId) =>
      reader.select().from(usageHolds).where(eq(usageHolds.teamId, teamId)).orderBy(asc(usageHolds.createdAt)),
    async open(tx, by, intervals) {
      const gone = await fenced(
        tx,
        intervals.flatMap(({ startedBy }) => startedBy ?? []),
      );
      for (let from = 0; from < intervals.length; from += ROWS) {
        await tx.insert(t).values(
          intervals.slice(from, from + ROWS).map(({ at, startedBy, ...start }) => ({
            ...{ id: newId("usageInterval"), ...start, ...by },
            startedBy: startedBy === null || gone.has(startedBy) ? null : startedBy,
            ...{ startedAt: at, lastSeenAt: at, ratedAt: at },
          })),
        );
      }
    },
    async openOf(tx, phoneId) {
      const [row] = await tx
        .select()
        .from(t)
        .where(and(eq(t.phoneId, phoneId), isNull(t.endedAt)));
      return row;
    },
    async lastEndOf(tx, phoneId) {
      const [row] = await tx
        .select({ endedAt: t.endedAt })
        .from(t)
        .where(eq(t.phoneId, phoneId))
        .orderBy(desc(t.startedAt))
        .limit(1);
      return row?.endedAt ?? undefined;
    },
    lastStarterOf,
    openHere: async (reader, by, startedBefore) =>
      reader
        .select()
        .from(t)
        .where(and(here(by), startedBefore && lte(t.startedAt, startedBefore))),
    async close(tx, id, endedAt, endReason) {
      await tx.update(t).set({ lastSeenAt: endedAt, endedAt, endReason }).where(eq(t.id, id));
    },
    async closeAsSeen(tx, ids, reason) {
      for (let from = 0; from < ids.length; from += ROWS) {
        const some = inArray(t.id, ids.slice(from, from + ROWS));
        await tx
          .update(t)
          .set(asSeen(reason))
          .where(and(some, isNull(t.endedAt)));
      }
    },
    async closeOthers(tx, { node, boot }, of) {
      const others = and(isNull(t.endedAt), ne(t.boot, boot), of === "machine" ? eq(t.node, node) : undefined);
      await tx.update(t).set(asSeen("server_crash")).where(others);
    },
    async closeUnseen(tx, since, living) {
      const theirs = living.length === 0 ? undefined : notInArray(t.node, [...living]);
      await tx
        .update(t)
        .set(asSeen("server_crash"))
        .where(and(isNull(t.endedAt), lt(t.lastSeenAt, since), theirs));
    },
    async beat(tx, by, at, alive, teamId) {
      const mine = and(here(by), teamId === undefined ? undefined : eq(t.teamId, teamId));
      const open = await tx.select({ phoneId: t.phoneId }).from(t).where(mine);
      const dead = open.map(({ phoneId }) => phoneId).filter((id) => !alive.has(id));
      await tx
        .update(t)
        .set({ lastSeenAt: at })
        .where(and(mine, lt(t.lastSeenAt, at), dead.length === 0 ? undefined : notInArray(t.phoneId, dead)));
    },
    async dueOf(reader, teamId) {
      // Put in order here: in order, SQLite would read them from the index of all the team's intervals.
      const rows = await reader
        .select()
        .from(t)
        .where(and(eq(t.teamId, teamId), due));
      return rows.sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime() || (a.id < b.id ? -1 : 1));
    },
    dueTeams: async (reader) =>
      reader
        .select({ teamId: t.teamId, intervals: count(), closed: count(t.endedAt), latest: max(t.startedAt) })
        .from(t)
        .where(due)
        .groupBy(t.teamId),
    async rated(tx, ids, at) {
      for (let from = 0; from < ids.length; from += ROWS) {
        const some = inArray(t.id, ids.slice(from, from + ROWS));
        const goesOn = or(isNull(t.endedAt), sql`${t.endedAt} > ${t.ratedAt}`);
        await tx
          .update(t)
          .set({ ratedAt: sql`${t.endedAt}` })
          .where(and(some, lte(t.endedAt, at), lt(t.ratedAt, t.endedAt)));
        await tx
          .update(t)
          .set({ ratedAt: at })
          .where(and(some, lt(t.ratedAt, at), goesOn));
      }
    },
    async uncounted(tx, alive, living) {
      const counted = tx
        .select({ id: t.id })
        .from(t)
        .where(and(eq(t.phoneId, phones.id), isNull(t.endedAt)));
      const rows = await tx
        .select({ phoneId: phones.id, teamId: phones.teamId })
        .from(phones)
        .where(and(eq(phones.state, "running"), isNull(phones.unreachableSince), notExists(counted), notOf(living)));
      const starts: PhoneStart[] = [];
      for (const { phoneId, teamId } of rows.filter((row) => alive.has(row.phoneId))) {
        starts.push({ phoneId, teamId, startedBy: await lastStarterOf(tx, phoneId) });
      }
      return starts;
    },
    keptPhones: async (reader, teamId) =>
      reader.$count(phones, and(eq(phones.teamId, teamId), ne(phones.state, "removed"))),
  };
}
