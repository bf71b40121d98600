/**
 * The mirror of Stripe's objects. A row says when its reading began (`syncedAt`): what was read earlier never overwrites what
 * was read later, whichever is written last.
 */
import { and, eq, inArray, isNull, lte, ne, notExists } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { TeamId, UserId } from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import type { InvoiceRow, MoneyBackRow, SubscriptionRow } from "./stripe-objects.ts";

export type AccountRow = Database["t"]["billingAccounts"]["$inferSelect"];

/** Who is written to about money. */
export interface Payer {
  readonly userId: UserId;
  readonly email: string;
}

export interface MirrorRepo {
  teamOf(reader: Reader, customerId: string): Promise<TeamId | undefined>;
  account(reader: Reader, teamId: TeamId): Promise<AccountRow | undefined>;
  setAccount(
    tx: Writer,
    teamId: TeamId,
    change: Partial<Pick<AccountRow, "pastDueSince" | "frozen" | "frozenAt">>,
  ): Promise<void>;
  teamName(reader: Reader, teamId: TeamId): Promise<string>;
  /** Owners and who is there for billing, but nobody who is being erased: nothing is written about them any more. */
  payers(reader: Reader, teamId: TeamId): Promise<Payer[]>;
  /** Teams that have the person as their one owner. */
  ownedAlone(reader: Reader, userId: UserId): Promise<TeamId[]>;

  /** Each gives false when the row there was read later. */
  putSubscription(tx: Writer, row: SubscriptionRow): Promise<boolean>;
  putInvoice(tx: Writer, row: InvoiceRow): Promise<boolean>;
  putMoneyBack(tx: Writer, row: MoneyBackRow): Promise<boolean>;
  /** Of a draft that was thrown away. */
  removeInvoice(tx: Writer, id: string, syncedAt: Date): Promise<void>;

  subscription(reader: Reader, id: string): Promise<SubscriptionRow | undefined>;
  subscriptionsOf(reader: Reader, teamId: TeamId): Promise<SubscriptionRow[]>;
  invoice(reader: Reader, id: string): Promise<InvoiceRow | undefined>;
  openInvoices(reader: Reader, teamId: TeamId): Promise<InvoiceRow[]>;
  moneyBack(reader: Reader, id: string): Promise<MoneyBackRow | undefined>;
  disputesOf(reader: Reader, teamId: TeamId): Promise<MoneyBackRow[]>;
}

export function createMirrorRepo(db: Database): MirrorRepo {
  const { billingAccounts, subscriptions, invoices, moneyBack, teams, teamMembers, users, erasureFence } = db.t;
  return {
    async teamOf(reader, customerId) {
      const [row] = await reader
        .select({ teamId: billingAccounts.teamId })
        .from(billingAccounts)
        .where(eq(billingAccounts.customerId, customerId));
      return row?.teamId;
    },
    async account(reader, teamId) {
      const [row] = await reader.select().from(billingAccounts).where(eq(billingAccounts.teamId, teamId));
      return row;
    },
    async setAccount(tx, teamId, change) {
      await tx.update(billingAccounts).set(change).where(eq(billingAccounts.teamId, teamId));
    },
    async teamName(reader, teamId) {
      const [row] = await reader.select({ name: teams.name }).from(teams).where(eq(teams.id, teamId));
      return row?.name ?? "";
    },
    async payers(reader, teamId) {
      return reader
        .select({ userId: users.id, email: users.email })
        .from(teamMembers)
        .innerJoin(users, eq(users.id, teamMembers.userId))
        .where(
          and(
            eq(teamMembers.teamId, teamId),
            inArray(teamMembers.role, ["owner", "billing"]),
            isNull(users.deletedAt),
            notExists(
              reader
                .select({ subject: erasureFence.subject })
                .from(erasureFence)
                .where(eq(erasureFence.subject, users.id)),
            ),
          ),
        )
        .orderBy(teamMembers.joinedAt);
    },
    async ownedAlone(reader, userId) {
      const another = alias(teamMembers, "another");
      const isOwner = eq(another.role, "owner");
      const rows = await reader
        .select({ teamId: teamMembers.teamId })
        .from(teamMembers)
        .where(
          and(
            ...[eq(teamMembers.userId, userId), eq(teamMembers.role, "owner")],
            notExists(
              reader
                .select({ userId: another.userId })
                .from(another)
                .where(and(eq(another.teamId, teamMembers.teamId), isOwner, ne(another.userId, userId))),
            ),
          ),
        );
      return rows.map(({ teamId }) => teamId);
    },
    async putSubscription(tx, row) {
      const rows = await tx
        .insert(subscriptions)
        .values(row)
        .onConflictDoUpdate({
          target: subscriptions.id,
          set: row,
          setWhere: lte(subscriptions.syncedAt, row.syncedAt),
        })
        .returning({ id: subscriptions.id });
      return rows.length === 1;
    },
    async putInvoice(tx, row) {
      const rows = await tx
        .insert(invoices)
        .values(row)
        .onConflictDoUpdate({ target: invoices.id, set: row, setWhere: lte(invoices.syncedAt, row.syncedAt) })
        .returning({ id: invoices.id });
      return rows.length === 1;
    },
    async putMoneyBack(tx, row) {
      const { sourceId, ...said } = row;
      // Where it comes from is known to us before it is to Stripe.
      const set = sourceId === null ? said : row;
      const rows = await tx
        .insert(moneyBack)
        .values(row)
        .onConflictDoUpdate({ target: moneyBack.id, set, setWhere: lte(moneyBack.syncedAt, row.syncedAt) })
        .returning({ id: moneyBack.id });
      return rows.length === 1;
    },
    async removeInvoice(tx, id, syncedAt) {
      await tx.delete(invoices).where(and(eq(invoices.id, id), lte(invoices.syncedAt, syncedAt)));
    },
    async subscription(reader, id) {
      const [row] = await reader.select().from(subscriptions).where(eq(subscriptions.id, id));
      return row;
    },
    subscriptionsOf: async (reader, teamId) =>
      reader.select().from(subscriptions).where(eq(subscriptions.teamId, teamId)),
    async invoice(reader, id) {
      const [row] = await reader.select().from(invoices).where(eq(invoices.id, id));
      return row;
    },
    openInvoices: async (reader, teamId) =>
      reader
        .select()
        .from(invoices)
        .where(and(eq(invoices.teamId, teamId), eq(invoices.status, "open"))),
    async moneyBack(reader, id) {
      const [row] = await reader.select().from(moneyBack).where(eq(moneyBack.id, id));
      return row;
    },
    disputesOf: async (reader, teamId) =>
      reader
        .select()
        .from(moneyBack)
        .where(and(eq(moneyBack.teamId, teamId), eq(moneyBack.kind, "dispute"))),
  };
}
