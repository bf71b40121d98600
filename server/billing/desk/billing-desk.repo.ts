/** What the operator sees of billing: teams as customers, entries of the ledger, and counts for a page that names nobody. */
import { and, count, desc, eq, gt, inArray, isNotNull, isNull, sum } from "drizzle-orm";
import type { LedgerEntryId, TeamId, UserId } from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";

export type EntryRow = Tables["ledgerEntries"]["$inferSelect"];
export type FindingRow = Tables["reconcileFindings"]["$inferSelect"];

/** Lines a command prints at most. */
const MOST = 500;
const DAY_MS = 24 * 3_600_000;

export interface Customer {
  readonly teamId: TeamId;
  readonly name: string;
  readonly customerId: string | null;
  readonly status: string | null;
  readonly pastDueSince: Date | null;
  readonly frozen: string | null;
}
export interface BillingCounts {
  readonly customers: number;
  readonly subscribed: number;
  readonly pastDue: number;
  readonly frozen: number;
  readonly findings: number;
  readonly failedCalls: number;
  readonly waitingCalls: number;
  /** Paid invoices of 30 days, in minor units. */
  readonly paid: number;
  readonly lastCheck: Date | undefined;
}

export interface BillingDeskRepo {
  customers(reader: Reader): Promise<Customer[]>;
  /** The newest first. */
  entriesOf(reader: Reader, teamId: TeamId): Promise<EntryRow[]>;
  /** An entry, and what took it back. */
  entry(reader: Reader, id: LedgerEntryId): Promise<EntryRow[]>;
  hasTeam(reader: Reader, teamId: TeamId): Promise<boolean>;
  /** Who answers for these teams: whom a look at them concerns. */
  ownersOf(reader: Reader, teams: readonly TeamId[]): Promise<UserId[]>;
  findings(reader: Reader): Promise<FindingRow[]>;
  /** The finding, when nobody had put it right before. */
  resolve(tx: Writer, id: string, at: Date): Promise<FindingRow | undefined>;
  /** `frozenAt` empty: the balance may be used. False when it was so before. */
  setFrozen(tx: Writer, teamId: TeamId, frozenAt: Date | null): Promise<boolean>;
  counts(now: number): Promise<BillingCounts>;
  /** Differences nobody has put right, by kind. */
  openFindings(): Promise<Readonly<Record<string, number>>>;
}

export function createBillingDeskRepo(db: Database): BillingDeskRepo {
  const { billingAccounts, subscriptions, invoices, ledgerEntries, teams, teamMembers } = db.t;
  const { reconcileFindings, reconcileRuns, stripeCalls } = db.t;
  return {
    async customers(reader) {
      const rows = await reader
        .select({
          ...{ teamId: billingAccounts.teamId, name: teams.name, customerId: billingAccounts.customerId },
          ...{ pastDueSince: billingAccounts.pastDueSince, frozen: billingAccounts.frozen },
          ...{ status: subscriptions.status, startedAt: subscriptions.startedAt },
        })
        .from(billingAccounts)
        .innerJoin(teams, eq(teams.id, billingAccounts.teamId))
        .leftJoin(subscriptions, and(eq(subscriptions.teamId, billingAccounts.teamId), isNull(subscriptions.endedAt)))
        .orderBy(billingAccounts.createdAt, desc(subscriptions.startedAt));
      // A team with two subscriptions is shown with the later one.
      const first = new Map<string, Customer>();
      for (const { startedAt: _, ...row } of rows) if (!first.has(row.teamId)) first.set(row.teamId, row);
      return [...first.values()];
    },
    entriesOf: async (reader, teamId) =>
      reader
        .select()
        .from(ledgerEntries)
        .where(eq(ledgerEntries.teamId, teamId))
        .orderBy(desc(ledgerEntries.createdAt), desc(ledgerEntries.id))
        .limit(MOST),
    async entry(reader, id) {
      const own = await reader.select().from(ledgerEntries).where(eq(ledgerEntries.id, id));
      const back = await reader
        .select()
        .from(ledgerEntries)
        .where(and(eq(ledgerEntries.source, "reversal"), eq(ledgerEntries.sourceId, id)));
      return [...own, ...back];
    },
    async hasTeam(reader, teamId) {
      const [row] = await reader.select({ id: teams.id }).from(teams).where(eq(teams.id, teamId));
      return row !== undefined;
    },
    async ownersOf(reader, ids) {
      if (ids.length === 0) return [];
      const rows = await reader
        .selectDistinct({ userId: teamMembers.userId })
        .from(teamMembers)
        .where(and(inArray(teamMembers.teamId, [...ids]), eq(teamMembers.role, "owner")));
      return rows.map(({ userId }) => userId);
    },
    findings: async (reader) =>
      reader
        .select()
        .from(reconcileFindings)
        .where(isNull(reconcileFindings.resolvedAt))
        .orderBy(desc(reconcileFindings.createdAt))
        .limit(MOST),
    async resolve(tx, id, at) {
      const [row] = await tx
        .update(reconcileFindings)
        .set({ resolvedAt: at })
        .where(and(eq(reconcileFindings.id, id), isNull(reconcileFindings.resolvedAt)))
        .returning();
      return row;
    },
    async setFrozen(tx, teamId, frozenAt) {
      const was = frozenAt === null ? isNotNull(billingAccounts.frozen) : isNull(billingAccounts.frozen);
      const rows = await tx
        .update(billingAccounts)
        .set({ frozen: frozenAt === null ? null : "operator", frozenAt })
        .where(and(eq(billingAccounts.teamId, teamId), was))
        .returning({ teamId: billingAccounts.teamId });
      return rows.length === 1;
    },
    async openFindings() {
      const rows = await db.read
        .select({ kind: reconcileFindings.kind, n: count() })
        .from(reconcileFindings)
        .where(isNull(reconcileFindings.resolvedAt))
        .groupBy(reconcileFindings.kind);
      return Object.fromEntries(rows.map(({ kind, n }) => [kind, n]));
    },
    async counts(now) {
      const counted = async (query: Promise<{ n: number }[]>) => (await query)[0]?.n ?? 0;
      const { read } = db;
      const n = { n: count() };
      const month = gt(invoices.createdAt, new Date(now - 30 * DAY_MS));
      const [paid] = await read
        .select({ amount: sum(invoices.amountPaid).mapWith(Number) })
        .from(invoices)
        .where(and(month, eq(invoices.status, "paid")));
      const [last] = await read
        .select({ at: reconcileRuns.finishedAt })
        .from(reconcileRuns)
        .where(isNotNull(reconcileRuns.finishedAt))
        .orderBy(desc(reconcileRuns.startedAt))
        .limit(1);
      const accounts = () => read.select(n).from(billingAccounts);
      const calls = (state: "failed" | "queued") =>
        read.select(n).from(stripeCalls).where(eq(stripeCalls.state, state));
      return {
        customers: await counted(accounts().where(isNotNull(billingAccounts.customerId))),
        subscribed: await counted(read.select(n).from(subscriptions).where(isNull(subscriptions.endedAt))),
        pastDue: await counted(accounts().where(isNotNull(billingAccounts.pastDueSince))),
        frozen: await counted(accounts().where(isNotNull(billingAccounts.frozen))),
        findings: await counted(read.select(n).from(reconcileFindings).where(isNull(reconcileFindings.resolvedAt))),
        failedCalls: await counted(calls("failed")),
        waitingCalls: await counted(calls("queued")),
        paid: paid?.amount ?? 0,
        lastCheck: last?.at ?? undefined,
      };
    },
  };
}
