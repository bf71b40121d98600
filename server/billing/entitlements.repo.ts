/** What a team may now: one query and `entitlementsOf`. */
import { and, eq, isNull } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { countingSubscription, entitlementsOf, NO_ACCOUNT } from "./entitlements.ts";
import type { EntitlementsOf } from "./ports.ts";

export function createEntitlements(db: Database): EntitlementsOf {
  const { billingAccounts, subscriptions } = db.t;
  return {
    async of(reader, teamId, at) {
      const rows = await reader
        .select({
          account: {
            timeZone: billingAccounts.timeZone,
            overageAllowed: billingAccounts.overageAllowed,
            overageCap: billingAccounts.overageCap,
            frozen: billingAccounts.frozen,
            pastDueSince: billingAccounts.pastDueSince,
          },
          subscription: subscriptions,
        })
        .from(billingAccounts)
        .leftJoin(subscriptions, and(eq(subscriptions.teamId, billingAccounts.teamId), isNull(subscriptions.endedAt)))
        .where(eq(billingAccounts.teamId, teamId));
      const running = rows.flatMap(({ subscription }) => (subscription === null ? [] : [subscription]));
      return entitlementsOf(rows[0]?.account ?? NO_ACCOUNT, countingSubscription(running), at);
    },
  };
}
