/** The turn of a period: the next one begins, its invoice is drafted, or the subscription ends. */
import { periodEnd } from "./calendar.ts";
import { draft, methodFor, pendingItems } from "./invoice-life.ts";
import type { Invoice, Subscription } from "./objects.ts";
import { checkItems, meteredLines, periodLines } from "./subscription-build.ts";
import { periodOf } from "./subscription-change.ts";
import { cancelNow } from "./subscription-end.ts";
import type { View } from "./view.ts";

/** What is drafted when the period ends, and what the subscription is then. Shared with previews. */
export async function nextPeriod(view: View, subscription: Subscription) {
  const ended = periodOf(subscription);
  const [first] = subscription.items.data;
  const recurring = first?.price.recurring;
  if (recurring === null || recurring === undefined) throw new Error(`Subscription ${subscription.id} has no item.`);
  const period = { start: ended.end, end: periodEnd(subscription.billing_cycle_anchor, recurring, ended.end) };
  const wasTrial = subscription.status === "trialing";
  const next: Subscription = {
    ...subscription,
    status: wasTrial ? "active" : subscription.status,
    items: {
      ...subscription.items,
      data: subscription.items.data.map((item) => ({
        ...item,
        current_period_start: period.start,
        current_period_end: period.end,
      })),
    },
  };
  const items = await pendingItems(view, subscription.customer, subscription.currency, subscription.id);
  const lines = [...(await meteredLines(view, subscription, ended)), ...(await periodLines(view, next, period))];
  return { ended, period, next, items, lines };
}

/** Drafts, but starts nothing: what `auto_advance` and an hour do. */
export async function turnPeriod(view: View, subscription: Subscription): Promise<void> {
  const end = periodOf(subscription).end;
  if (subscription.cancel_at_period_end || (subscription.cancel_at !== null && subscription.cancel_at <= end)) {
    await cancelNow(view, subscription);
    return;
  }
  if (subscription.status === "trialing" && (await endsWithTrial(view, subscription))) return;
  const { ended, next, items, lines } = await nextPeriod(view, subscription);
  checkItems(next.items.data.map(({ price, quantity }) => ({ price: { ...price, active: true }, quantity })));
  await view.save(next, "customer.subscription.updated");
  const customer = await view.need("customer", next.customer);
  const autoAdvance = next.status !== "unpaid" && next.pause_collection?.behavior !== "keep_as_draft";
  const made: Invoice = await draft(
    view,
    {
      customer,
      currency: next.currency,
      subscription: next,
      reason: "subscription_cycle",
      period: ended,
      autoAdvance,
      daysUntilDue: next.days_until_due ?? undefined,
      now: ended.end,
    },
    lines,
    items,
  );
  await view.put({ ...(await view.need("subscription", next.id)), latest_invoice: made.id });
}

/** Nobody left a way to pay: what was agreed for that. */
async function endsWithTrial(view: View, subscription: Subscription): Promise<boolean> {
  const agreed = subscription.trial_settings?.end_behavior.missing_payment_method ?? "create_invoice";
  const way = await methodFor(view, {
    default_payment_method: null,
    customer: subscription.customer,
    parent: {
      quote_details: null,
      subscription_details: { metadata: null, subscription: subscription.id },
      type: "subscription_details",
    },
  });
  if (way !== undefined || agreed === "create_invoice") return false;
  if (agreed === "cancel") {
    await cancelNow(view, subscription);
    return true;
  }
  const paused: Subscription = { ...subscription, status: "paused" };
  await view.save(paused, "customer.subscription.updated");
  await view.emit("customer.subscription.paused", paused);
  return true;
}
