/** A new subscription: its items, its first period and its first invoice. */
import { periodEnd } from "./calendar.ts";
import { invalid } from "./errors.ts";
import { invoiceItemOf, lineOf } from "./invoice-build.ts";
import { draft, finalize, pendingItems } from "./invoice-life.ts";
import { meteredQuantity } from "./meters.ts";
import {
  type Invoice,
  type InvoiceLine,
  nested,
  type Price,
  type Subscription,
  type SubscriptionItem,
} from "./objects.ts";
import type { View } from "./view.ts";

export interface ItemGiven {
  readonly price: Price;
  readonly quantity: number | undefined;
  readonly metadata?: Record<string, string> | undefined;
}

export interface SubscriptionGiven {
  readonly customer: string;
  readonly items: readonly ItemGiven[];
  readonly once: readonly ItemGiven[];
  readonly metadata: Record<string, string>;
  readonly description: string | null;
  readonly trialEnd: number | undefined;
  readonly missingPaymentMethod: "cancel" | "create_invoice" | "pause" | undefined;
  readonly paymentMethod: string | null;
  readonly collectionMethod?: string | undefined;
  readonly daysUntilDue?: number | undefined;
}

export function itemOf(
  view: View,
  subscription: string,
  given: ItemGiven,
  period: Period,
  now: number,
): SubscriptionItem {
  const { price } = given;
  if (price.recurring === null) {
    throw invalid(
      `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
      "items",
    );
  }
  const metered = price.recurring.usage_type === "metered";
  if (metered && given.quantity !== undefined) throw invalid("Metered prices take no quantity.", "items[0][quantity]");
  return {
    id: view.id("si"),
    object: "subscription_item",
    billing_thresholds: null,
    created: now,
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata: given.metadata ?? {},
    plan: {
      id: price.id,
      object: "plan",
      active: price.active,
      amount: price.unit_amount,
      amount_decimal: price.unit_amount_decimal,
      billing_scheme: "per_unit",
      created: price.created,
      currency: price.currency,
      interval: price.recurring.interval,
      interval_count: price.recurring.interval_count,
      livemode: false,
      metadata: price.metadata,
      meter: price.recurring.meter,
      nickname: price.nickname,
      product: price.product,
      tiers_mode: null,
      transform_usage: null,
      trial_period_days: null,
      usage_type: price.recurring.usage_type,
    },
    price,
    ...(!metered && { quantity: given.quantity ?? 1 }),
    subscription,
    tax_rates: [],
  };
}

export interface Period {
  readonly start: number;
  readonly end: number;
}

/** One currency, one interval, active prices: or a sentence. */
export function checkItems(items: readonly ItemGiven[]): {
  currency: string;
  recurring: NonNullable<Price["recurring"]>;
} {
  const [first] = items;
  if (first === undefined || first.price.recurring === null) {
    throw invalid("A subscription needs at least one recurring price.", "items", "parameter_missing");
  }
  const { recurring, currency } = first.price;
  for (const { price } of items) {
    if (!price.active)
      throw invalid(`The price specified is inactive. This field only accepts active prices.`, "items[0][price]");
    if (price.currency !== currency) {
      throw invalid(
        `The price specified only supports \`${price.currency}\`. This doesn't match the expected currency: \`${currency}\`.`,
        "items",
      );
    }
    if (
      price.recurring?.interval !== recurring.interval ||
      price.recurring.interval_count !== recurring.interval_count
    ) {
      throw invalid("The billing sandbox models one billing interval per subscription.", "items");
    }
  }
  if (new Set(items.map(({ price }) => price.id)).size < items.length) {
    throw invalid("Cannot add multiple subscription items with the same price.", "items");
  }
  return { currency, recurring };
}

/** The subscription stands `incomplete` (or `trialing`) with an open invoice: whoever asked for it collects. */
export async function startSubscription(
  view: View,
  given: SubscriptionGiven,
  pages: string,
): Promise<{ subscription: Subscription; invoice: Invoice }> {
  const { currency, recurring } = checkItems(given.items);
  const customer = await view.need("customer", given.customer, "customer");
  if (customer.currency && customer.currency !== currency) {
    throw invalid(
      `You cannot combine currencies on a single customer. This customer has used \`${customer.currency}\`.`,
      "items",
    );
  }
  const now = await view.timeOf(customer.id);
  const id = view.id("subscription");
  const trial = given.trialEnd;
  const anchor = trial ?? now;
  const period = { start: now, end: trial ?? periodEnd(anchor, recurring, now) };
  const subscription: Subscription = {
    id,
    object: "subscription",
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: anchor,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: "included" }, type: "flexible" },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: given.collectionMethod ?? "charge_automatically",
    created: now,
    currency,
    customer: customer.id,
    customer_account: null,
    days_until_due: given.daysUntilDue ?? null,
    default_payment_method: given.paymentMethod,
    default_source: null,
    default_tax_rates: [],
    description: given.description,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: "self" },
    },
    items: nested(
      given.items.map((item) => itemOf(view, id, item, period, now)),
      `/v1/subscription_items?subscription=${id}`,
    ),
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: given.metadata,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: { payment_method_options: null, payment_method_types: null, save_default_payment_method: "off" },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: now,
    status: trial === undefined ? "incomplete" : "trialing",
    test_clock: customer.test_clock ?? null,
    transfer_data: null,
    trial_end: trial ?? null,
    trial_settings: {
      end_behavior: {
        billing_cycle_anchor: null,
        missing_payment_method: given.missingPaymentMethod ?? "create_invoice",
      },
    },
    trial_start: trial === undefined ? null : now,
  };
  await view.put({ ...customer, currency });
  await view.put(subscription);
  await view.emit("customer.subscription.created", subscription);
  for (const { price, quantity = 1 } of given.once) {
    const name = (await view.get("product", price.product))?.name ?? null;
    const amount = quantity * (price.unit_amount ?? 0);
    const item = {
      amount,
      currency,
      customer: customer.id,
      description: name,
      period: { start: now, end: now },
      quantity,
      price,
    };
    await view.put(invoiceItemOf(view, { ...item, testClock: customer.test_clock, now }));
  }
  const lines = await periodLines(view, subscription, period);
  const made = await draft(
    view,
    {
      customer,
      currency,
      subscription,
      reason: "subscription_create",
      period: { start: now, end: now },
      autoAdvance: true,
      now,
    },
    lines,
    await pendingItems(view, customer.id, currency, id),
  );
  await view.put({ ...subscription, latest_invoice: made.id });
  const invoice = await finalize(view, made, pages);
  return { subscription: (await view.get("subscription", id)) ?? subscription, invoice };
}

/** What each item costs for a period ahead; what was metered is billed behind, see `meteredLines`. */
export async function periodLines(view: View, subscription: Subscription, period: Period): Promise<InvoiceLine[]> {
  const trial = subscription.status === "trialing";
  const lines: InvoiceLine[] = [];
  for (const item of subscription.items.data) {
    if (item.price.recurring?.usage_type === "metered") continue;
    const quantity = item.quantity ?? 1;
    const name = (await view.get("product", item.price.product))?.name ?? "Subscription";
    lines.push(
      lineOf(view, {
        amount: trial ? 0 : quantity * (item.price.unit_amount ?? 0),
        currency: item.price.currency,
        description: trial ? `Trial period for ${name}` : `${quantity} × ${name} (${rateWords(item.price)})`,
        period,
        price: item.price,
        quantity,
        metadata: subscription.metadata,
        subscription: subscription.id,
        parent: itemParent(subscription.id, item.id),
      }),
    );
  }
  return lines;
}

/** What was metered in a period that has ended. */
export async function meteredLines(view: View, subscription: Subscription, period: Period): Promise<InvoiceLine[]> {
  const lines: InvoiceLine[] = [];
  for (const item of subscription.items.data) {
    const meter = item.price.recurring?.meter;
    if (meter === null || meter === undefined) continue;
    const quantity = await meteredQuantity(view, meter, subscription.customer, period);
    const name = (await view.get("product", item.price.product))?.name ?? "Usage";
    lines.push(
      lineOf(view, {
        amount: Math.max(0, quantity) * (item.price.unit_amount ?? 0),
        currency: item.price.currency,
        description: `${quantity} × ${name} (${rateWords(item.price)})`,
        period,
        price: item.price,
        quantity,
        subscription: subscription.id,
        parent: itemParent(subscription.id, item.id),
      }),
    );
  }
  return lines;
}

export function itemParent(subscription: string, item: string): NonNullable<InvoiceLine["parent"]> {
  return {
    type: "subscription_item_details",
    invoice_item_details: null,
    subscription_item_details: {
      invoice_item: null,
      proration: false,
      proration_details: { credited_items: null },
      subscription,
      subscription_item: item,
    },
  };
}

function rateWords({ unit_amount, currency, recurring }: Price): string {
  const amount = new Intl.NumberFormat("en-US", { style: "currency", currency }).format((unit_amount ?? 0) / 100);
  return recurring === null ? amount : `at ${amount} / ${recurring.interval}`;
}
