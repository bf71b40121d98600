/** What is read of a team's plan, money and counts. */
import { and, count, desc, eq, gt, inArray, isNotNull, isNull, ne, or, sum } from "drizzle-orm";
import { TIME_GRANTS } from "../../../shared/billing/rating.ts";
import type { TeamId } from "../../../shared/ids.ts";
import type { Database } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";

export type AccountRow = Tables["billingAccounts"]["$inferSelect"];
export type SubscriptionRow = Tables["subscriptions"]["$inferSelect"];
export type InvoiceRow = Tables["invoices"]["$inferSelect"];
export type GrantRow = Tables["grants"]["$inferSelect"];

const MOST_INVOICES = 200;

export interface BillingViewsRepo {
  account(teamId: TeamId): Promise<AccountRow | undefined>;
  /** Those that go on, the latest first. */
  subscriptions(teamId: TeamId): Promise<SubscriptionRow[]>;
  /** The newest first. */
  invoices(teamId: TeamId): Promise<InvoiceRow[]>;
  /** Time to draw from that has not ended. */
  timeGrants(teamId: TeamId, at: Date): Promise<GrantRow[]>;
  /** Phone time drawn since a moment, in milliseconds. */
  drawnSince(teamId: TeamId, since: Date): Promise<number>;
  counts(teamId: TeamId): Promise<{ members: number; phones: number; dedicated: readonly string[] }>;
  phones(teamId: TeamId): Promise<{ id: string; name: string }[]>;
}

export function createBillingViewsRepo(db: Database): BillingViewsRepo {
  const { billingAccounts, subscriptions, invoices, grants, ledgerEntries: entries } = db.t;
  const { teamMembers, phones, dedicatedPhones } = db.t;
  const { read } = db;
  const kept = (teamId: TeamId) => and(eq(phones.teamId, teamId), ne(phones.state, "removed"));
  return {
    async account(teamId) {
      const [row] = await read.select().from(billingAccounts).where(eq(billingAccounts.teamId, teamId));
      return row;
    },
    subscriptions: (teamId) =>
      read
        .select()
        .from(subscriptions)
        .where(and(eq(subscriptions.teamId, teamId), isNull(subscriptions.endedAt)))
        .orderBy(desc(subscriptions.startedAt)),
    invoices: (teamId) =>
      read
        .select()
        .from(invoices)
        .where(eq(invoices.teamId, teamId))
        .orderBy(desc(invoices.createdAt), desc(invoices.id))
        .limit(MOST_INVOICES),
    timeGrants: (teamId, at) =>
      read
        .select()
        .from(grants)
        .where(
          and(
            ...[eq(grants.teamId, teamId), inArray(grants.kind, [...TIME_GRANTS])],
            or(isNull(grants.expiresAt), gt(grants.expiresAt, at)),
          ),
        ),
    async drawnSince(teamId, since) {
      const [row] = await read
        .select({ ms: sum(entries.ms).mapWith(Number) })
        .from(entries)
        .where(
          and(
            ...[eq(entries.teamId, teamId), gt(entries.toAt, since), isNotNull(entries.intervalId)],
            inArray(entries.cover, [...TIME_GRANTS]),
          ),
        );
      return row?.ms ?? 0;
    },
    async counts(teamId) {
      const [members] = await read.select({ n: count() }).from(teamMembers).where(eq(teamMembers.teamId, teamId));
      const [all] = await read.select({ n: count() }).from(phones).where(kept(teamId));
      const dedicated = await read
        .select({ id: dedicatedPhones.phoneId })
        .from(dedicatedPhones)
        .where(eq(dedicatedPhones.teamId, teamId))
        .orderBy(dedicatedPhones.createdAt);
      return { members: members?.n ?? 0, phones: all?.n ?? 0, dedicated: dedicated.map(({ id }) => id) };
    },
    phones: (teamId) => read.select({ id: phones.id, name: phones.name }).from(phones).where(kept(teamId)),
  };
}
