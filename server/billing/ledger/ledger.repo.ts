/** Grants and entries in the database. Entries are only ever added; what is left of a grant moves with each of them. */
import { and, asc, desc, eq, gt, gte, inArray, isNull, lt, max, ne, or, sql } from "drizzle-orm";
import { CURRENCY } from "../../../shared/billing/catalogue.ts";
import type { DayCount } from "../../../shared/billing/rating.ts";
import {
  type GrantId,
  type LedgerEntryId,
  newId,
  type PhoneId,
  type TeamId,
  type UserId,
} from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import type { AnyColumn } from "../../db/dialect.ts";
import type { Tables } from "../../db/tables.ts";

export type GrantRow = Tables["grants"]["$inferSelect"];
export type EntryRow = Tables["ledgerEntries"]["$inferSelect"];
/** What an entry says beyond its id and its currency. */
export type NewEntry = Pick<EntryRow, "teamId" | "cover" | "source" | "sourceId" | "day" | "createdAt"> &
  Partial<Omit<EntryRow, "id" | "currency">>;

/** Rows of one statement: each has some 17 values, and both engines take tens of thousands. */
const ROWS = 500;
const NO_REST = {
  ...{ grantId: null, ms: 0, amount: 0, delta: 0, intervalId: null, phoneId: null },
  ...{ fromAt: null, toAt: null, reversesId: null, reason: null },
};

export interface LedgerRepo {
  /** Time grants of which something is left and that had not ended by the moment. */
  timeGrants(reader: Reader, teamId: TeamId, since: Date): Promise<GrantRow[]>;
  wallet(reader: Reader, teamId: TeamId): Promise<GrantRow | undefined>;
  /** False when the source has given before. */
  insertGrant(tx: Writer, grant: GrantRow): Promise<boolean>;
  /** Moves what is left of a grant; false when it would fall below zero, or the grant is gone. */
  move(tx: Writer, grantId: GrantId, delta: number): Promise<boolean>;
  /** False when the source has an entry for the cover. */
  insertEntry(tx: Writer, entry: NewEntry): Promise<LedgerEntryId | undefined>;
  insertEntries(tx: Writer, entries: readonly NewEntry[]): Promise<void>;
  entry(reader: Reader, id: LedgerEntryId): Promise<EntryRow | undefined>;
  entryOf(reader: Reader, source: EntryRow["source"], sourceId: string): Promise<EntryRow | undefined>;
  /** Up to when intervals are in the ledger. */
  postedUntil(reader: Reader, intervalIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Counts of the day and later ones. */
  days(reader: Reader, teamId: TeamId, day: string): Promise<DayCount[]>;
  countDay(tx: Writer, teamId: TeamId, count: DayCount & { readonly phoneId: string }, at: Date): Promise<void>;
  /** Plan time of the month that begins then, whatever plans gave it. */
  planGiven(reader: Reader, teamId: TeamId, from: Date): Promise<number>;
  /** Minor units of overage between two moments. */
  overage(reader: Reader, teamId: TeamId, from: Date, to: Date): Promise<number>;
  /** The first phones that were chosen, as many as are paid for. */
  dedicated(reader: Reader, teamId: TeamId, most: number): Promise<string[]>;
  hadTrial(reader: Reader, teamId: TeamId): Promise<boolean>;
  /** The owner whose address is confirmed; the first to join, of several. */
  confirmedOwner(reader: Reader, teamId: TeamId): Promise<UserId | undefined>;
  noteTrial(tx: Writer, teamId: TeamId, timeZone: string, at: Date): Promise<void>;
  /** Grants whose rest is not the sum of their entries. */
  differing(reader: Reader): Promise<{ grantId: GrantId; teamId: TeamId; cached: number; counted: number }[]>;
}

export function createLedgerRepo(db: Database): LedgerRepo {
  const { grants, ledgerEntries, paygDays, billingAccounts, dedicatedPhones, teamMembers, users, identities } = db.t;
  const sumOf = (column: AnyColumn) => sql<number>`coalesce(sum(${column}), 0)`.mapWith(Number);
  const rowOf = (entry: NewEntry): EntryRow => ({
    ...NO_REST,
    ...entry,
    id: newId("ledgerEntry"),
    currency: CURRENCY,
  });

  return {
    async timeGrants(reader, teamId, since) {
      return reader
        .select()
        .from(grants)
        .where(
          and(
            eq(grants.teamId, teamId),
            ne(grants.kind, "wallet"),
            gt(grants.remaining, 0),
            or(isNull(grants.expiresAt), gt(grants.expiresAt, since)),
          ),
        );
    },
    async wallet(reader, teamId) {
      const [row] = await reader
        .select()
        .from(grants)
        .where(and(eq(grants.teamId, teamId), eq(grants.kind, "wallet")));
      return row;
    },
    async insertGrant(tx, grant) {
      const made = await tx.insert(grants).values(grant).onConflictDoNothing().returning({ id: grants.id });
      return made.length > 0;
    },
    async move(tx, grantId, delta) {
      const moved = await tx
        .update(grants)
        .set({ remaining: sql`${grants.remaining} + ${delta}` })
        .where(and(eq(grants.id, grantId), gte(grants.remaining, -delta)))
        .returning({ id: grants.id });
      return moved.length > 0;
    },
    async insertEntry(tx, entry) {
      const [made] = await tx
        .insert(ledgerEntries)
        .values(rowOf(entry))
        .onConflictDoNothing()
        .returning({ id: ledgerEntries.id });
      return made?.id;
    },
    async insertEntries(tx, entries) {
      for (let first = 0; first < entries.length; first += ROWS) {
        await tx.insert(ledgerEntries).values(entries.slice(first, first + ROWS).map(rowOf));
      }
    },
    async entry(reader, id) {
      const [row] = await reader.select().from(ledgerEntries).where(eq(ledgerEntries.id, id));
      return row;
    },
    async entryOf(reader, source, sourceId) {
      const ofSource = and(eq(ledgerEntries.source, source), eq(ledgerEntries.sourceId, sourceId));
      const [row] = await reader.select().from(ledgerEntries).where(ofSource);
      return row;
    },
    async postedUntil(reader, intervalIds) {
      const rows = await reader
        .select({ id: ledgerEntries.intervalId, until: max(ledgerEntries.toAt) })
        .from(ledgerEntries)
        .where(and(inArray(ledgerEntries.intervalId, [...intervalIds]), eq(ledgerEntries.source, "usage")))
        .groupBy(ledgerEntries.intervalId);
      const found = new Map<string, number>();
      for (const { id, until } of rows) if (id !== null && until !== null) found.set(id, until.getTime());
      return found;
    },
    async days(reader, teamId, day) {
      return reader
        .select({ phoneId: paygDays.phoneId, day: paygDays.day, ms: paygDays.ms, amount: paygDays.amount })
        .from(paygDays)
        .where(and(eq(paygDays.teamId, teamId), gte(paygDays.day, day)));
    },
    async countDay(tx, teamId, { phoneId, day, ms, amount }, updatedAt) {
      await tx
        .insert(paygDays)
        .values({ teamId, phoneId: asPhoneId(phoneId), day, ms, amount, updatedAt })
        .onConflictDoUpdate({
          target: [paygDays.phoneId, paygDays.day],
          set: { ms: sql`${paygDays.ms} + ${ms}`, amount: sql`${paygDays.amount} + ${amount}`, updatedAt },
        });
    },
    async planGiven(reader, teamId, from) {
      const ofMonth = and(eq(grants.teamId, teamId), eq(grants.kind, "plan"), eq(grants.startsAt, from));
      const [row] = await reader
        .select({ ms: sumOf(grants.total) })
        .from(grants)
        .where(ofMonth);
      return row?.ms ?? 0;
    },
    async overage(reader, teamId, from, to) {
      const [row] = await reader
        .select({ amount: sumOf(ledgerEntries.amount) })
        .from(ledgerEntries)
        .where(
          and(
            eq(ledgerEntries.teamId, teamId),
            eq(ledgerEntries.cover, "overage"),
            gte(ledgerEntries.fromAt, from),
            lt(ledgerEntries.fromAt, to),
          ),
        );
      return row?.amount ?? 0;
    },
    async dedicated(reader, teamId, most) {
      if (most === 0) return [];
      const rows = await reader
        .select({ id: dedicatedPhones.phoneId })
        .from(dedicatedPhones)
        .where(eq(dedicatedPhones.teamId, teamId))
        .orderBy(asc(dedicatedPhones.createdAt), asc(dedicatedPhones.phoneId))
        .limit(most);
      return rows.map(({ id }) => id);
    },
    async hadTrial(reader, teamId) {
      const [row] = await reader
        .select({ trialAt: billingAccounts.trialAt })
        .from(billingAccounts)
        .where(eq(billingAccounts.teamId, teamId));
      return row !== undefined && row.trialAt !== null;
    },
    async confirmedOwner(reader, teamId) {
      const [row] = await reader
        .select({ id: teamMembers.userId })
        .from(teamMembers)
        .innerJoin(users, and(eq(users.id, teamMembers.userId), isNull(users.deletedAt)))
        .innerJoin(identities, eq(identities.userId, teamMembers.userId))
        .where(and(eq(teamMembers.teamId, teamId), eq(teamMembers.role, "owner")))
        .orderBy(asc(teamMembers.joinedAt), asc(teamMembers.userId))
        .limit(1);
      return row?.id;
    },
    async noteTrial(tx, teamId, timeZone, at) {
      await tx
        .insert(billingAccounts)
        .values({ teamId, timeZone, overageAllowed: false, overageCap: 0, trialAt: at, createdAt: at })
        .onConflictDoUpdate({ target: billingAccounts.teamId, set: { trialAt: at } });
    },
    async differing(reader) {
      const counted = sumOf(ledgerEntries.delta);
      return reader
        .select({ grantId: grants.id, teamId: grants.teamId, cached: grants.remaining, counted })
        .from(grants)
        .leftJoin(ledgerEntries, eq(ledgerEntries.grantId, grants.id))
        .groupBy(grants.id, grants.teamId, grants.remaining)
        .having(ne(counted, grants.remaining))
        .orderBy(desc(grants.id));
    },
  };
}

/** Ids of phones pass rating as plain text: it knows no database. They are those of the intervals it was given. */
function asPhoneId(id: string): PhoneId {
  return id as PhoneId;
}
