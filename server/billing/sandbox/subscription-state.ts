/** What an invoice, paid or not, does to its subscription. */
import type { Invoice, Subscription } from "./objects.ts";
import { settingsOf } from "./settings.ts";
import { cancelNow } from "./subscription-end.ts";
import type { View } from "./view.ts";

export async function afterPaid(view: View, invoice: Invoice, subscription: Subscription | undefined): Promise<void> {
  if (subscription === undefined || subscription.latest_invoice !== invoice.id) return;
  if (subscription.status === "incomplete") {
    if (invoice.status === "void") {
      await view.save(
        { ...subscription, status: "incomplete_expired", ended_at: await view.timeOf(subscription.customer) },
        "customer.subscription.updated",
      );
      return;
    }
    await view.save({ ...subscription, status: "active" }, "customer.subscription.updated");
  }
  if (subscription.status === "past_due" || subscription.status === "unpaid") {
    await view.save({ ...subscription, status: "active" }, "customer.subscription.updated");
  }
}

/** `last`: nobody will try again. */
export async function afterUnpaid(
  view: View,
  invoice: Invoice,
  subscription: Subscription | undefined,
  last: boolean,
): Promise<void> {
  if (subscription === undefined || subscription.latest_invoice !== invoice.id) return;
  if (subscription.status === "active" || subscription.status === "trialing") {
    await view.save({ ...subscription, status: "past_due" }, "customer.subscription.updated");
  }
  if (!last || !["active", "trialing", "past_due"].includes(subscription.status)) return;
  const { afterRetries } = await settingsOf(view);
  const now = (await view.get("subscription", subscription.id)) ?? subscription;
  if (afterRetries === "cancel") await cancelNow(view, now, { reason: "payment_failed" });
  if (afterRetries === "mark_unpaid") await view.save({ ...now, status: "unpaid" }, "customer.subscription.updated");
}
