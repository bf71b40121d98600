/** What the mirror and the ledger hold, for the comparison with Stripe. */
import { and, eq, gte, inArray, notInArray } from "drizzle-orm";
import type { TeamId } from "../../../shared/ids.ts";
import type { Database } from "../../db/database.ts";
import type { CheckoutRow } from "./checkouts.repo.ts";
import type { InvoiceRow, MoneyBackRow, SubscriptionRow } from "./stripe-objects.ts";

/** What one purchase gave, by the session that paid for it. */
export interface PurchaseEntry {
  readonly sourceId: string;
  readonly teamId: TeamId | null;
  /** Minor units into the balance; 0 for phone time. */
  readonly credited: number;
}

export interface RefundEntry {
  readonly sourceId: string;
  readonly teamId: TeamId | null;
  /** Below zero: taken out. */
  readonly delta: number;
  readonly createdAt: Date;
}

export interface ReconcileRepo {
  subscriptions(ids: readonly string[]): Promise<SubscriptionRow[]>;
  invoices(ids: readonly string[]): Promise<InvoiceRow[]>;
  moneyBack(ids: readonly string[]): Promise<MoneyBackRow[]>;
  isTeam(id: TeamId): Promise<boolean>;
  /** Subscriptions that are not over, as far as the mirror knows. */
  running(): Promise<readonly string[]>;
  sold(sessionIds: readonly string[]): Promise<CheckoutRow[]>;
  entriesOf(sessionIds: readonly string[]): Promise<PurchaseEntry[]>;
  /** What refunds took from balances since, and put back, by the entry's source. */
  refundsSince(since: Date): Promise<readonly RefundEntry[]>;
  /** What purchases gave since. */
  entriesSince(since: Date): Promise<PurchaseEntry[]>;
}

const OVER = ["canceled", "incomplete_expired"];

export function createReconcileRepo(db: Database): ReconcileRepo {
  const { subscriptions, invoices, moneyBack, checkouts, ledgerEntries, teams } = db.t;

  const summed = (rows: readonly { sourceId: string; teamId: TeamId | null; amount: number }[]): PurchaseEntry[] => {
    const bySource = new Map<string, PurchaseEntry>();
    for (const { sourceId, teamId, amount } of rows) {
      const credited = (bySource.get(sourceId)?.credited ?? 0) - amount;
      bySource.set(sourceId, { sourceId, teamId, credited });
    }
    return [...bySource.values()];
  };
  const entry = { sourceId: ledgerEntries.sourceId, teamId: ledgerEntries.teamId, amount: ledgerEntries.amount };

  return {
    subscriptions: async (ids) =>
      ids.length === 0
        ? []
        : db.read
            .select()
            .from(subscriptions)
            .where(inArray(subscriptions.id, [...ids])),
    invoices: async (ids) =>
      ids.length === 0
        ? []
        : db.read
            .select()
            .from(invoices)
            .where(inArray(invoices.id, [...ids])),
    moneyBack: async (ids) =>
      ids.length === 0
        ? []
        : db.read
            .select()
            .from(moneyBack)
            .where(inArray(moneyBack.id, [...ids])),
    isTeam: async (id) => (await db.read.$count(teams, eq(teams.id, id))) > 0,
    async running() {
      const rows = await db.read
        .select({ id: subscriptions.id })
        .from(subscriptions)
        .where(notInArray(subscriptions.status, OVER));
      return rows.map(({ id }) => id);
    },
    sold: async (ids) =>
      ids.length === 0
        ? []
        : db.read
            .select()
            .from(checkouts)
            .where(inArray(checkouts.sessionId, [...ids])),
    async entriesOf(ids) {
      if (ids.length === 0) return [];
      const entries = await db.read
        .select(entry)
        .from(ledgerEntries)
        .where(and(eq(ledgerEntries.source, "checkout"), inArray(ledgerEntries.sourceId, [...ids])));
      return summed(entries);
    },
    refundsSince: async (since) =>
      db.read
        .select({
          sourceId: ledgerEntries.sourceId,
          teamId: ledgerEntries.teamId,
          delta: ledgerEntries.delta,
          createdAt: ledgerEntries.createdAt,
        })
        .from(ledgerEntries)
        .where(and(gte(ledgerEntries.createdAt, since), eq(ledgerEntries.source, "refund"))),
    async entriesSince(since) {
      const rows = await db.read
        .select(entry)
        .from(ledgerEntries)
        .where(and(gte(ledgerEntries.createdAt, since), eq(ledgerEntries.source, "checkout")));
      return summed(rows);
    },
  };
}
