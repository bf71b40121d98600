/** What people do about their team's billing, as far as Stripe is asked for it. */
import { newId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Database } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { Purchases } from "../billing.router.ts";
import type { Checkouts } from "./checkouts.service.ts";
import type { portalCall } from "./portal.ts";
import type { PurchasesRepo } from "./purchases.repo.ts";
import type { Refunds } from "./refunds.service.ts";
import type { StripeCalls } from "./stripe-calls.ts";
import type { Subscriptions } from "./subscriptions.service.ts";

export function createPurchases(options: {
  db: Database;
  repo: PurchasesRepo;
  calls: StripeCalls;
  portalKind: ReturnType<typeof portalCall>;
  checkouts: Checkouts;
  subscriptions: Subscriptions;
  refunds: Refunds;
  audit: Pick<Audit, "record">;
}): Purchases {
  const { db, repo, calls, portalKind, checkouts, subscriptions, refunds, audit } = options;
  return {
    ...checkouts,
    ...subscriptions,
    ...refunds,
    async portal({ teamId, userId }) {
      const customerId = (await repo.findAccount(db.read, teamId))?.customerId;
      if (customerId === undefined || customerId === null) {
        throw new PerchError("conflict", "There is nothing to manage yet: nothing was bought.");
      }
      const call = await db.tx(async (tx) => {
        const entry = { chain: teamId, actor: userId, action: "billing.portal_opened", object: teamId } as const;
        await audit.record(tx, entry);
        const key = `portal:${newId("stripeCall")}`;
        return calls.queue(tx, portalKind, { teamId, key, input: { customerId }, isWaitedFor: true });
      });
      const session = await calls.now(portalKind, call);
      if (session === undefined) throw new PerchError("conflict", "This page was opened a moment ago. Try again.");
      return { url: session.url };
    },
  };
}

/** For a server that sends no bills: each answers with a sentence. */
export function noPurchases(): Purchases {
  const off = async (): Promise<never> => {
    throw new PerchError("unavailable", "This server sends no bills: there is nothing to buy.");
  };
  return {
    ...{ checkout: off, checkoutState: off, portal: off, previewChange: off, applyChange: off, act: off },
    refundBalance: off,
  };
}
