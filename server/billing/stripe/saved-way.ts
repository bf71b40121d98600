/**
 * A way to pay that was saved on the hosted page becomes the one that is used: Stripe keeps it, but goes on charging the
 * earlier one. What is open is paid with it at once.
 */
import type Stripe from "stripe";
import { z } from "zod";
import type { TeamId } from "../../../shared/ids.ts";
import type { Reader, Writer } from "../../db/database.ts";
import type { PurchasesRepo } from "./purchases.repo.ts";
import type { CallKind, StripeCalls } from "./stripe-calls.ts";
import { outcomeOf } from "./stripe-errors.ts";
import { idOf } from "./stripe-prices.ts";

const saved = z.strictObject({ customerId: z.string(), sessionId: z.string(), subscriptionId: z.string().optional() });

export function savedWayCall({
  stripe,
}: {
  stripe: Stripe;
}): CallKind<z.output<typeof saved>, { readonly id: string | null }> {
  /** What the bank says to an open invoice is told by Stripe itself; here only an answer that is missing counts. */
  async function payOpen(customer: string, paymentMethod: string, key: string): Promise<void> {
    const { data } = await stripe.invoices.list({ customer, status: "open", limit: 100 });
    for (const { id } of data) {
      if (id === undefined) continue;
      try {
        await stripe.invoices.pay(id, { payment_method: paymentMethod }, { idempotencyKey: `${key}:${id}` });
      } catch (error) {
        if (outcomeOf(error) === "again") throw error;
      }
    }
  }
  return {
    name: "payment_method.use",
    input: saved,
    async make({ customerId, sessionId, subscriptionId }, { idempotencyKey: key }) {
      const session = await stripe.checkout.sessions.retrieve(sessionId, { expand: ["setup_intent"] });
      const intent = session.setup_intent;
      const way = typeof intent === "object" && intent !== null ? idOf(intent.payment_method) : undefined;
      if (way === undefined) return { id: null };
      const settings = { invoice_settings: { default_payment_method: way } };
      await stripe.customers.update(customerId, settings, { idempotencyKey: `${key}:customer` });
      if (subscriptionId !== undefined) {
        const subscription = await stripe.subscriptions.retrieve(subscriptionId);
        const options = { idempotencyKey: `${key}:subscription` };
        if (subscription.status !== "canceled") {
          await stripe.subscriptions.update(subscriptionId, { default_payment_method: way }, options);
        }
      }
      await payOpen(customerId, way, key);
      return { id: way };
    },
  };
}

/** In the transaction that notes the session as done. */
export type WaySaved = (tx: Writer, way: { teamId: TeamId; customerId: string; sessionId: string }) => Promise<void>;

export function createWaySaved(options: {
  repo: { subscription(reader: Reader, teamId: TeamId): ReturnType<PurchasesRepo["subscription"]> };
  calls: Pick<StripeCalls, "queue">;
  kind: ReturnType<typeof savedWayCall>;
}): WaySaved {
  const { repo, calls, kind } = options;
  return async (tx, { teamId, customerId, sessionId }) => {
    const subscriptionId = (await repo.subscription(tx, teamId))?.id;
    const input = { customerId, sessionId, ...(subscriptionId !== undefined && { subscriptionId }) };
    await calls.queue(tx, kind, { teamId, key: `payment_method.use:${sessionId}`, input });
  };
}
