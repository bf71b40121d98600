/** The end of a subscription. */
import type { Subscription } from "./objects.ts";
import type { View } from "./view.ts";

export interface EndGiven {
  readonly reason?: "cancellation_requested" | "payment_failed" | "payment_disputed" | undefined;
  readonly comment?: string | null | undefined;
  readonly feedback?: string | null | undefined;
}

export async function cancelNow(view: View, subscription: Subscription, given: EndGiven = {}): Promise<Subscription> {
  const now = await view.timeOf(subscription.customer);
  const ended: Subscription = {
    ...subscription,
    status: "canceled",
    canceled_at: subscription.canceled_at ?? now,
    ended_at: now,
    cancellation_details: {
      comment: given.comment ?? subscription.cancellation_details?.comment ?? null,
      feedback: given.feedback ?? subscription.cancellation_details?.feedback ?? null,
      feedback_option: null,
      reason: given.reason ?? subscription.cancellation_details?.reason ?? "cancellation_requested",
    },
  };
  // What is open stays open to be paid by hand; nobody tries by themselves any more.
  for (const invoice of await view.list("invoice", subscription.customer)) {
    const isOf = invoice.parent?.subscription_details?.subscription === subscription.id;
    if (isOf && (invoice.status === "open" || invoice.status === "draft")) {
      await view.save(
        { ...invoice, auto_advance: false, automatically_finalizes_at: null, next_payment_attempt: null },
        "invoice.updated",
      );
    }
  }
  await view.put(ended);
  await view.emit("customer.subscription.deleted", ended);
  return ended;
}
