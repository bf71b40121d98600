/** Changing what is subscribed to, in the middle of a period: what was paid for is given back by the second. */
import { periodEnd } from "./calendar.ts";
import { invalid, missing, SandboxError } from "./errors.ts";
import { invoiceItemOf } from "./invoice-build.ts";
import { collect, draft, finalize, methodFor, paymentOf, pendingItems } from "./invoice-life.ts";
import type { Invoice, Price, Subscription, SubscriptionItem } from "./objects.ts";
import { type MetadataParam, mergeMetadata } from "./params.ts";
import { cardError } from "./payments.ts";
import { checkItems, itemOf, type Period, periodLines } from "./subscription-build.ts";
import type { View } from "./view.ts";

export interface ItemChange {
  readonly id?: string | undefined;
  readonly price?: string | undefined;
  readonly quantity?: number | undefined;
  readonly deleted?: boolean | undefined;
  readonly metadata?: MetadataParam;
}

export interface ChangeGiven {
  readonly items?: readonly ItemChange[] | undefined;
  readonly prorationBehavior?: "always_invoice" | "create_prorations" | "none" | undefined;
  readonly prorationDate?: number | undefined;
  readonly paymentBehavior?: string | undefined;
  readonly restart?: boolean | undefined;
  readonly trialEnd?: number | "now" | undefined;
  /** Nothing is charged; an invoice that would be due at once stays a draft. */
  readonly preview?: boolean | undefined;
}

/** What is asked, on the subscription as it is stored; resolves with the invoice that became due at once, if any. */
export async function changeItems(
  view: View,
  id: string,
  given: ChangeGiven,
  pages: string,
): Promise<{ subscription: Subscription; invoice: Invoice | undefined }> {
  const before = await view.need("subscription", id);
  const now = await view.timeOf(before.customer);
  const period = periodOf(before);
  const at = given.prorationDate === undefined ? now : await dateIn(view, before, given.prorationDate);
  if (at < period.start || at > period.end) {
    throw invalid("The `proration_date` must be within the current period.", "proration_date");
  }
  const items = await changedItems(view, before, given.items ?? [], now);
  const { recurring } = checkItems(items.map(({ price, quantity }) => ({ price, quantity })));
  const was = before.items.data[0]?.price.recurring;
  const otherInterval = was?.interval !== recurring.interval || was.interval_count !== recurring.interval_count;
  const trialOver = before.status === "trialing" && given.trialEnd === "now";
  const restarts = otherInterval || given.restart === true || trialOver;
  const longer = typeof given.trialEnd === "number" ? given.trialEnd : undefined;
  const next: Period =
    longer !== undefined
      ? { start: now, end: longer }
      : restarts
        ? { start: now, end: periodEnd(now, recurring, now) }
        : period;
  const after: Subscription = {
    ...before,
    billing_cycle_anchor: longer ?? (restarts ? now : before.billing_cycle_anchor),
    status: trialOver ? "active" : longer === undefined ? before.status : "trialing",
    trial_end: trialOver ? now : (longer ?? before.trial_end),
    trial_start: longer === undefined ? before.trial_start : (before.trial_start ?? now),
    items: {
      ...before.items,
      data: items.map((item) => ({ ...item, current_period_start: next.start, current_period_end: next.end })),
    },
  };
  await view.put(after);
  const free = before.status === "trialing" || longer !== undefined;
  if (!free && given.prorationBehavior !== "none") await prorate(view, before, after, at, restarts);
  const billsNow = restarts || given.prorationBehavior === "always_invoice";
  if (!billsNow || longer !== undefined) return { subscription: after, invoice: undefined };
  return billNow(view, after, { lines: restarts, period: next, at, given }, pages);
}

async function billNow(
  view: View,
  subscription: Subscription,
  options: { lines: boolean; period: Period; at: number; given: ChangeGiven },
  pages: string,
): Promise<{ subscription: Subscription; invoice: Invoice | undefined }> {
  const { customer: who, currency } = subscription;
  const items = await pendingItems(view, who, currency, subscription.id);
  const lines = options.lines ? await periodLines(view, subscription, options.period) : [];
  if (items.length + lines.length === 0) return { subscription, invoice: undefined };
  const now = await view.timeOf(who);
  const customer = await view.need("customer", who);
  const made = await draft(
    view,
    {
      customer,
      currency,
      subscription,
      reason: "subscription_update",
      period: { start: now, end: now },
      autoAdvance: true,
      prorationDate: options.at,
      now,
    },
    lines,
    items,
  );
  if (options.given.preview) return { subscription, invoice: made };
  await view.put({ ...subscription, latest_invoice: made.id });
  const open = await finalize(view, made, pages);
  const invoice =
    open.status === "open" &&
    open.collection_method === "charge_automatically" &&
    options.given.paymentBehavior !== "default_incomplete"
      ? await collect(view, open, await methodFor(view, open))
      : open;
  if (invoice.status !== "paid" && options.given.paymentBehavior === "error_if_incomplete") {
    const { intent } = await paymentOf(view, invoice);
    if (intent !== undefined) {
      const { status, body } = cardError(intent);
      throw new SandboxError(status, body);
    }
  }
  return { subscription: await view.need("subscription", subscription.id), invoice };
}

/** A date of the server's, which may be behind: its "now" is meant as now. */
async function dateIn(view: View, subscription: Subscription, date: number): Promise<number> {
  const { start, end } = periodOf(subscription);
  return date >= start && date <= end ? date : view.translated(date, subscription.customer);
}

export function periodOf(subscription: Subscription): Period {
  const item = subscription.items.data[0];
  return { start: item?.current_period_start ?? 0, end: item?.current_period_end ?? 0 };
}

/** The share of a price for what is left of a period, rounded to a whole minor unit. */
export function share(amount: number, at: number, { start, end }: Period): number {
  return Math.round((amount * (end - at)) / (end - start));
}

async function prorate(
  view: View,
  before: Subscription,
  after: Subscription,
  at: number,
  restarts: boolean,
): Promise<void> {
  const period = periodOf(before);
  const kept = (item: SubscriptionItem) =>
    after.items.data.some(
      ({ id, price, quantity }) => id === item.id && price.id === item.price.id && quantity === item.quantity,
    );
  const was = (item: SubscriptionItem) =>
    before.items.data.some(
      ({ id, price, quantity }) => id === item.id && price.id === item.price.id && quantity === item.quantity,
    );
  for (const item of before.items.data) {
    if (restarts || !kept(item)) await prorated(view, before, item, { at, period, sign: -1 });
  }
  for (const item of restarts ? [] : after.items.data) {
    if (!was(item)) await prorated(view, after, item, { at, period, sign: 1 });
  }
}

/** One item's share as a pending invoice item: given back (`-1`) or charged (`1`). */
export async function prorated(
  view: View,
  subscription: Subscription,
  item: SubscriptionItem,
  { at, period, sign }: { at: number; period: Period; sign: 1 | -1 },
): Promise<void> {
  if (item.price.recurring?.usage_type === "metered" || period.end === at) return;
  const quantity = item.quantity ?? 1;
  const name = (await view.get("product", item.price.product))?.name ?? "Subscription";
  const since = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" }).format(at * 1_000);
  const made = invoiceItemOf(view, {
    amount: sign * share(quantity * (item.price.unit_amount ?? 0), at, period),
    currency: item.price.currency,
    customer: subscription.customer,
    description: `${sign < 0 ? "Unused" : "Remaining"} time on ${quantity > 1 ? `${quantity} × ` : ""}${name} after ${since}`,
    period: { start: at, end: period.end },
    quantity,
    price: item.price,
    subscription: subscription.id,
    subscriptionItem: item.id,
    proration: true,
    testClock: subscription.test_clock,
    now: at,
  });
  await view.put(made);
  await view.emit("invoiceitem.created", made);
}

async function changedItems(
  view: View,
  subscription: Subscription,
  changes: readonly ItemChange[],
  now: number,
): Promise<SubscriptionItem[]> {
  const items = new Map(subscription.items.data.map((item) => [item.id, item]));
  for (const [index, change] of changes.entries()) {
    const price =
      change.price === undefined ? undefined : await activePrice(view, change.price, `items[${index}][price]`);
    const had = change.id === undefined ? undefined : items.get(change.id);
    if (change.id !== undefined && had === undefined)
      throw missing("subscription item", change.id, `items[${index}][id]`);
    if (change.deleted) {
      if (had === undefined) throw invalid("Give the id of the item that is to be deleted.", `items[${index}][id]`);
      items.delete(had.id);
      continue;
    }
    if (had === undefined) {
      if (price === undefined)
        throw invalid("Give a price or the id of an item.", `items[${index}]`, "parameter_missing");
      const metadata = mergeMetadata(null, change.metadata);
      const made = itemOf(
        view,
        subscription.id,
        { price, quantity: change.quantity, metadata },
        periodOf(subscription),
        now,
      );
      items.set(made.id, made);
      continue;
    }
    const fresh =
      price === undefined
        ? had
        : {
            ...itemOf(view, subscription.id, { price, quantity: had.quantity }, periodOf(subscription), had.created),
            id: had.id,
          };
    items.set(had.id, {
      ...fresh,
      ...(change.quantity !== undefined && { quantity: change.quantity }),
      metadata: mergeMetadata(had.metadata, change.metadata),
    });
  }
  return [...items.values()];
}

async function activePrice(view: View, id: string, param: string): Promise<Price> {
  const price = await view.need("price", id, param);
  if (!price.active) throw invalid("The price specified is inactive. This field only accepts active prices.", param);
  return price;
}
