/** What purchases read and write: accounts with Stripe, subscriptions as mirrored, checkouts, and what a team makes use of. */
import {
  and,
  count,
  desc,
  eq,
  exists,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  ne,
  notInArray,
  or,
  sql,
} from "drizzle-orm";
import type { Role } from "../../../shared/access.ts";
import { type LookupKey, TOP_UP_IDS } from "../../../shared/billing/catalogue.ts";
import type { CheckoutId, TeamId, UserId } from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";
import type { HourOfUse } from "./usage-sink.ts";

export type AccountRow = Tables["billingAccounts"]["$inferSelect"];
export type CheckoutRow = Tables["checkouts"]["$inferSelect"];
export type SubscriptionRow = Tables["subscriptions"]["$inferSelect"];
export type MoneyBackRow = Tables["moneyBack"]["$inferSelect"];

const HOUR_MS = 3_600_000;
const TOP_UP_KEYS = TOP_UP_IDS.map((id): LookupKey => `perch_${id}`);
/** Statuses in which a subscription is over, or never began. */
const OVER = ["canceled", "incomplete_expired"];

export interface Payer {
  readonly userId: UserId;
  readonly email: string;
  readonly name: string | undefined;
  readonly role: Role;
}

export interface PurchasesRepo {
  /** The team's account, made with its first purchase. */
  account(tx: Writer, teamId: TeamId, currency: string, at: Date): Promise<AccountRow>;
  findAccount(reader: Reader, teamId: TeamId): Promise<AccountRow | undefined>;
  /** Of the first customer alone; gives the account as it is then. */
  setCustomer(tx: Writer, teamId: TeamId, customerId: string): Promise<void>;
  /** The one that runs or could again, the newest first. */
  subscription(reader: Reader, teamId: TeamId): Promise<SubscriptionRow | undefined>;
  subscriptionsOf(reader: Reader, teamId: TeamId): Promise<SubscriptionRow[]>;

  insertCheckout(tx: Writer, row: CheckoutRow): Promise<void>;
  checkout(reader: Reader, id: CheckoutId): Promise<CheckoutRow | undefined>;
  checkoutByKey(reader: Reader, teamId: TeamId, key: string): Promise<CheckoutRow | undefined>;
  /** An open one for the same thing at the same price, that stays open for a while. */
  openCheckout(
    reader: Reader,
    same: { teamId: TeamId; what: string; amount: number; currency: string; openUntil: Date },
  ): Promise<CheckoutRow | undefined>;
  /** Pages that are open, and what was paid and has not arrived. */
  openCheckouts(reader: Reader, teamId: TeamId): Promise<CheckoutRow[]>;
  checkoutsSince(reader: Reader, teamId: TeamId, since: Date): Promise<number>;
  changeCheckout(tx: Writer, id: CheckoutId, change: Partial<CheckoutRow>): Promise<void>;
  /** Paid top-ups, the newest first. */
  topUps(reader: Reader, teamId: TeamId, since: Date): Promise<CheckoutRow[]>;
  /** True once money was put into the balance by anybody of the team. */
  hasToppedUp(reader: Reader, teamId: TeamId): Promise<boolean>;
  /** Refunds that were asked for and did not fail. */
  refundsOf(reader: Reader, teamId: TeamId): Promise<MoneyBackRow[]>;
  insertMoneyBack(tx: Writer, row: MoneyBackRow): Promise<void>;
  /** From our own id, under which it was asked for, to Stripe's. False when that is mirrored already. */
  renameMoneyBack(tx: Writer, from: string, change: Partial<MoneyBackRow>): Promise<void>;
  moneyBack(reader: Reader, id: string): Promise<MoneyBackRow | undefined>;

  members(reader: Reader, teamId: TeamId): Promise<number>;
  dedicatedPhones(reader: Reader, teamId: TeamId): Promise<number>;
  keptPhones(reader: Reader, teamId: TeamId): Promise<number>;
  payer(reader: Reader, userId: UserId, teamId: TeamId): Promise<Payer | undefined>;
  /** Who answers for the team, the first to join first. */
  owners(reader: Reader, teamId: TeamId): Promise<Payer[]>;
  teamName(reader: Reader, teamId: TeamId): Promise<string | undefined>;
  /** Teams of a person that are customers. */
  customersOf(reader: Reader, userId: UserId): Promise<{ readonly teamId: TeamId; readonly customerId: string }[]>;
  /** Until when the newest invoice of these teams has to be kept, if there is one. */
  invoicesKeptUntil(reader: Reader, teams: readonly TeamId[]): Promise<Date | undefined>;
  teamOfCustomer(reader: Reader, customerId: string): Promise<TeamId | undefined>;
  /** Customers that used more than they paid ahead, since a moment. */
  owing(since: Date): Promise<{ readonly teamId: TeamId; readonly customerId: string; readonly currency: string }[]>;
  /** Whether anything was ever paid in a team of the person's, and how long phones ran that they started. */
  paidBy(tx: Writer, userId: UserId): Promise<{ readonly hasPaid: boolean; readonly usedMs: number }>;
  /** What each team that is a customer used within an hour, in milliseconds. */
  hoursOfUse(hour: Date): Promise<HourOfUse[]>;
  /** True when some phone time before the moment is not in the ledger yet. */
  hasUnrated(reader: Reader, teamId: TeamId, before: Date): Promise<boolean>;
}

export function createPurchasesRepo(db: Database): PurchasesRepo {
  const t = db.t;
  const { billingAccounts, subscriptions, checkouts, moneyBack, teamMembers, users, usageIntervals } = t;
  const peopleOf = (reader: Reader) =>
    reader
      .select({ userId: users.id, email: users.emailShown, name: users.fullName, role: teamMembers.role })
      .from(teamMembers)
      .innerJoin(users, eq(users.id, teamMembers.userId));
  const payerOf = <P extends { readonly name: string | null }>({ name, ...rest }: P) => ({
    ...rest,
    name: name ?? undefined,
  });
  const find = async (reader: Reader, teamId: TeamId) => {
    const [row] = await reader.select().from(billingAccounts).where(eq(billingAccounts.teamId, teamId));
    return row;
  };
  return {
    async account(tx, teamId, currency, at) {
      const fresh = {
        ...{ teamId, currency, timeZone: "UTC", overageAllowed: false, overageCap: 0, createdAt: at },
      };
      await tx.insert(billingAccounts).values(fresh).onConflictDoNothing();
      await tx
        .update(billingAccounts)
        .set({ currency })
        .where(and(eq(billingAccounts.teamId, teamId), isNull(billingAccounts.currency)));
      const row = await find(tx, teamId);
      if (row === undefined) throw new Error("An account that was just written is not there.");
      return row;
    },
    findAccount: find,
    async setCustomer(tx, teamId, customerId) {
      await tx
        .update(billingAccounts)
        .set({ customerId })
        .where(and(eq(billingAccounts.teamId, teamId), isNull(billingAccounts.customerId)));
    },
    async subscription(reader, teamId) {
      const [row] = await reader
        .select()
        .from(subscriptions)
        .where(and(eq(subscriptions.teamId, teamId), notInArray(subscriptions.status, OVER)))
        .orderBy(desc(subscriptions.startedAt), desc(subscriptions.id))
        .limit(1);
      return row;
    },
    subscriptionsOf: async (reader, teamId) =>
      reader.select().from(subscriptions).where(eq(subscriptions.teamId, teamId)),

    insertCheckout: async (tx, row) => void (await tx.insert(checkouts).values(row)),
    async checkout(reader, id) {
      const [row] = await reader.select().from(checkouts).where(eq(checkouts.id, id));
      return row;
    },
    async checkoutByKey(reader, teamId, key) {
      const [row] = await reader
        .select()
        .from(checkouts)
        .where(and(eq(checkouts.teamId, teamId), eq(checkouts.idempotencyKey, key)));
      return row;
    },
    async openCheckout(reader, { teamId, what, amount, currency, openUntil }) {
      const [row] = await reader
        .select()
        .from(checkouts)
        .where(
          and(
            ...[eq(checkouts.teamId, teamId), eq(checkouts.what, what), eq(checkouts.amount, amount)],
            ...[eq(checkouts.currency, currency), eq(checkouts.state, "open"), gt(checkouts.expiresAt, openUntil)],
          ),
        )
        .orderBy(desc(checkouts.createdAt))
        .limit(1);
      return row;
    },
    openCheckouts: async (reader, teamId) =>
      reader
        .select()
        .from(checkouts)
        .where(and(eq(checkouts.teamId, teamId), inArray(checkouts.state, ["open", "processing"]))),
    checkoutsSince: (reader, teamId, since) =>
      reader.$count(checkouts, and(eq(checkouts.teamId, teamId), gt(checkouts.createdAt, since))),
    async changeCheckout(tx, id, change) {
      await tx.update(checkouts).set(change).where(eq(checkouts.id, id));
    },
    topUps: async (reader, teamId, since) =>
      reader
        .select()
        .from(checkouts)
        .where(
          and(
            ...[eq(checkouts.teamId, teamId), inArray(checkouts.what, TOP_UP_KEYS)],
            ...[isNotNull(checkouts.fulfilledAt), gte(checkouts.fulfilledAt, since)],
          ),
        )
        .orderBy(desc(checkouts.fulfilledAt), desc(checkouts.id)),
    async hasToppedUp(reader, teamId) {
      const [entry] = await reader
        .select({ id: t.ledgerEntries.id })
        .from(t.ledgerEntries)
        .where(
          and(
            ...[eq(t.ledgerEntries.teamId, teamId), eq(t.ledgerEntries.source, "checkout")],
            lt(t.ledgerEntries.amount, 0),
          ),
        )
        .limit(1);
      return entry !== undefined;
    },
    refundsOf: async (reader, teamId) =>
      reader
        .select()
        .from(moneyBack)
        .where(
          and(
            ...[eq(moneyBack.teamId, teamId), eq(moneyBack.kind, "refund")],
            notInArray(moneyBack.status, ["failed", "canceled"]),
          ),
        ),
    insertMoneyBack: async (tx, row) => void (await tx.insert(moneyBack).values(row)),
    async renameMoneyBack(tx, from, change) {
      const to = change.id ?? from;
      const [there] = await tx.select({ id: moneyBack.id }).from(moneyBack).where(eq(moneyBack.id, to));
      if (there !== undefined && to !== from) await tx.delete(moneyBack).where(eq(moneyBack.id, from));
      else await tx.update(moneyBack).set(change).where(eq(moneyBack.id, from));
    },
    async moneyBack(reader, id) {
      const [row] = await reader.select().from(moneyBack).where(eq(moneyBack.id, id));
      return row;
    },

    members: (reader, teamId) => reader.$count(teamMembers, eq(teamMembers.teamId, teamId)),
    dedicatedPhones: (reader, teamId) => reader.$count(t.dedicatedPhones, eq(t.dedicatedPhones.teamId, teamId)),
    keptPhones: (reader, teamId) =>
      reader.$count(t.phones, and(eq(t.phones.teamId, teamId), ne(t.phones.state, "removed"))),
    async payer(reader, userId, teamId) {
      const [row] = await peopleOf(reader).where(and(eq(teamMembers.teamId, teamId), eq(users.id, userId)));
      return row && payerOf(row);
    },
    async owners(reader, teamId) {
      const rows = await peopleOf(reader)
        .where(and(eq(teamMembers.teamId, teamId), eq(teamMembers.role, "owner")))
        .orderBy(teamMembers.joinedAt, users.id);
      return rows.map(payerOf);
    },
    async teamName(reader, teamId) {
      const [row] = await reader.select({ name: t.teams.name }).from(t.teams).where(eq(t.teams.id, teamId));
      return row?.name;
    },
    async customersOf(reader, userId) {
      const rows = await reader
        .select({ teamId: billingAccounts.teamId, customerId: billingAccounts.customerId })
        .from(billingAccounts)
        .innerJoin(teamMembers, eq(teamMembers.teamId, billingAccounts.teamId))
        .where(and(eq(teamMembers.userId, userId), isNotNull(billingAccounts.customerId)));
      return rows.flatMap(({ teamId, customerId }) => (customerId === null ? [] : [{ teamId, customerId }]));
    },
    async invoicesKeptUntil(reader, teams) {
      if (teams.length === 0) return undefined;
      const [row] = await reader
        .select({ until: t.billingRecords.legalUntil })
        .from(t.billingRecords)
        .where(inArray(t.billingRecords.teamId, [...teams]))
        .orderBy(desc(t.billingRecords.legalUntil))
        .limit(1);
      return row?.until;
    },
    async teamOfCustomer(reader, customerId) {
      const [row] = await reader
        .select({ teamId: billingAccounts.teamId })
        .from(billingAccounts)
        .where(eq(billingAccounts.customerId, customerId));
      return row?.teamId;
    },
    async owing(since) {
      const { ledgerEntries } = t;
      const owes = db.read
        .select({ id: ledgerEntries.id })
        .from(ledgerEntries)
        .where(
          and(
            eq(ledgerEntries.teamId, billingAccounts.teamId),
            ...[eq(ledgerEntries.cover, "overage"), gte(ledgerEntries.fromAt, since)],
          ),
        );
      const rows = await db.read
        .select({
          ...{ teamId: billingAccounts.teamId, customerId: billingAccounts.customerId },
          currency: billingAccounts.currency,
        })
        .from(billingAccounts)
        .where(and(isNotNull(billingAccounts.customerId), isNotNull(billingAccounts.currency), exists(owes)));
      return rows.flatMap(({ teamId, customerId, currency }) =>
        customerId === null || currency === null ? [] : [{ teamId, customerId, currency }],
      );
    },
    async paidBy(tx, userId) {
      const [paid] = await tx
        .select({ id: t.invoices.id })
        .from(t.invoices)
        .innerJoin(teamMembers, eq(teamMembers.teamId, t.invoices.teamId))
        .where(and(eq(teamMembers.userId, userId), gt(t.invoices.amountPaid, 0)))
        .limit(1);
      const ran = await tx
        .select({ from: usageIntervals.startedAt, seen: usageIntervals.lastSeenAt, to: usageIntervals.endedAt })
        .from(usageIntervals)
        .where(eq(usageIntervals.startedBy, userId));
      const usedMs = ran.reduce((sum, { from, seen, to }) => sum + (to ?? seen).getTime() - from.getTime(), 0);
      return { hasPaid: paid !== undefined, usedMs };
    },
    async hoursOfUse(hour) {
      const end = new Date(hour.getTime() + HOUR_MS);
      const rows = await db.read
        .select({
          ...{ teamId: usageIntervals.teamId, customerId: billingAccounts.customerId },
          ...{ startedAt: usageIntervals.startedAt, until: usageIntervals.lastSeenAt, endedAt: usageIntervals.endedAt },
        })
        .from(usageIntervals)
        .innerJoin(billingAccounts, eq(billingAccounts.teamId, usageIntervals.teamId))
        .where(
          and(
            ...[isNotNull(billingAccounts.customerId), lt(usageIntervals.startedAt, end)],
            or(isNull(usageIntervals.endedAt), gt(usageIntervals.endedAt, hour)),
          ),
        );
      const used = new Map<TeamId, HourOfUse>();
      for (const { teamId, customerId, startedAt, until, endedAt } of rows) {
        const to = Math.min((endedAt ?? until).getTime(), end.getTime());
        const ms = Math.max(0, to - Math.max(startedAt.getTime(), hour.getTime()));
        const earlier = used.get(teamId)?.ms ?? 0;
        if (customerId !== null) used.set(teamId, { teamId, customerId, hour, ms: earlier + ms });
      }
      return [...used.values()];
    },
    async hasUnrated(reader, teamId, before) {
      const isBehind = or(
        and(isNull(usageIntervals.endedAt), lt(usageIntervals.ratedAt, before)),
        sql`${usageIntervals.ratedAt} < ${usageIntervals.endedAt}`,
      );
      const [row] = await reader
        .select({ n: count() })
        .from(usageIntervals)
        .where(and(eq(usageIntervals.teamId, teamId), lt(usageIntervals.startedAt, before), isBehind));
      return (row?.n ?? 0) > 0;
    },
  };
}
