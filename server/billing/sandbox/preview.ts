/** What an invoice would be: worked out on a fork of the world that is thrown away. */
import type { Routes } from "./calls.ts";
import { nextPeriod } from "./cycle.ts";
import { invalid } from "./errors.ts";
import { invoiceItemOf, invoiceOf, lineOfItem, withLines } from "./invoice-build.ts";
import { draft, pendingItems } from "./invoice-life.ts";
import type { Invoice, Subscription } from "./objects.ts";
import * as p from "./params.ts";
import { startSubscription } from "./subscription-build.ts";
import { changeItems, periodOf, prorated } from "./subscription-change.ts";
import { itemChange, prorationBehavior } from "./subscriptions.ts";
import type { View } from "./view.ts";

const DAY = 24 * 3_600;

const params = p.object({
  automatic_tax: p.object({ enabled: p.bool }).optional(),
  currency: p.text.optional(),
  customer: p.text.optional(),
  customer_details: p.ignored.optional(),
  preview_mode: p.oneOf("next", "recurring").optional(),
  subscription: p.text.optional(),
  subscription_details: p
    .object({
      items: p.list(itemChange).optional(),
      proration_behavior: prorationBehavior.optional(),
      proration_date: p.int.optional(),
      billing_cycle_anchor: p.oneOf("now", "unchanged").optional(),
      billing_mode: p.object({ type: p.oneOf("flexible"), flexible: p.ignored.optional() }).optional(),
      cancel_at: p.clearable(p.int).optional(),
      cancel_at_period_end: p.bool.optional(),
      cancel_now: p.bool.optional(),
      trial_end: p.text.optional(),
    })
    .optional(),
  invoice_items: p
    .list(
      p.object({
        amount: p.int.optional(),
        currency: p.text.optional(),
        description: p.text.optional(),
        price: p.text.optional(),
        quantity: p.natural.optional(),
        metadata: p.metadata.optional(),
        period: p.object({ start: p.int, end: p.int }).optional(),
      }),
    )
    .optional(),
});

export const previews: Routes = {
  "POST /v1/invoices/create_preview": async ({ view, params: given, pages }) => {
    const asked = p.read(params, given);
    const fork = view.fork();
    const details = asked.subscription_details ?? {};
    const customer =
      asked.subscription === undefined
        ? asked.customer
        : (await fork.need("subscription", asked.subscription, "subscription")).customer;
    if (customer === undefined)
      throw invalid("You must provide a customer, a subscription or a schedule.", "customer", "parameter_missing");
    if (asked.customer !== undefined && asked.customer !== customer) {
      throw invalid("The subscription belongs to another customer.", "subscription");
    }
    const owner = await fork.need("customer", customer, "customer");
    const now = await fork.timeOf(customer);
    for (const [index, item] of (asked.invoice_items ?? []).entries()) {
      const price =
        item.price === undefined ? undefined : await fork.need("price", item.price, `invoice_items[${index}][price]`);
      const quantity = item.quantity ?? 1;
      const amount = item.amount ?? quantity * (price?.unit_amount ?? 0);
      const currency = price?.currency ?? item.currency ?? owner.currency ?? "usd";
      const period = item.period ?? { start: now, end: now };
      const description = item.description ?? null;
      await fork.put(invoiceItemOf(fork, { amount, currency, customer, description, period, quantity, price, now }));
    }
    if (asked.subscription === undefined && details.items === undefined) return previewPending(fork, customer);
    if (asked.subscription === undefined) {
      const items = await Promise.all(
        (details.items ?? []).map(async ({ price = "", quantity }, index) => ({
          price: await fork.need("price", price, `subscription_details[items][${index}][price]`),
          quantity,
        })),
      );
      const blank = {
        once: [],
        metadata: {},
        description: null,
        trialEnd: undefined,
        missingPaymentMethod: undefined,
        paymentMethod: null,
      };
      const { invoice } = await startSubscription(fork, { customer, items, ...blank }, pages);
      return asUpcoming(invoice, invoice.period_end, invoice.created);
    }
    if (details.cancel_now) {
      const subscription = await fork.need("subscription", asked.subscription);
      const at = details.proration_date ?? now;
      const period = periodOf(subscription);
      for (const item of details.proration_behavior === "none" ? [] : subscription.items.data) {
        await prorated(fork, subscription, item, { at, period, sign: -1 });
      }
      return previewPending(fork, customer, subscription);
    }
    const trialEnd =
      details.trial_end === undefined
        ? undefined
        : details.trial_end === "now"
          ? "now"
          : p.wholeNumber(details.trial_end, "subscription_details[trial_end]");
    const { subscription, invoice } = await changeItems(
      fork,
      asked.subscription,
      {
        items: details.items,
        prorationBehavior: asked.preview_mode === "recurring" ? "none" : details.proration_behavior,
        prorationDate: details.proration_date,
        restart: details.billing_cycle_anchor === "now",
        trialEnd,
        preview: true,
      },
      pages,
    );
    if (invoice !== undefined && asked.preview_mode !== "recurring")
      return asUpcoming(invoice, invoice.created, invoice.created);
    if (subscription.cancel_at_period_end && details.cancel_at_period_end !== false && details.items === undefined) {
      throw invalid("No upcoming invoices for customer: the subscription ends.", undefined, "invoice_upcoming_none");
    }
    return previewNext(fork, subscription, asked.preview_mode === "recurring");
  },
};

/** The invoice of the next period. */
export async function previewNext(fork: View, subscription: Subscription, bare = false): Promise<Invoice> {
  const { ended, next, items, lines } = await nextPeriod(fork, subscription);
  const customer = await fork.need("customer", subscription.customer);
  const invoice = await draft(
    fork,
    {
      customer,
      currency: next.currency,
      subscription: next,
      reason: "upcoming",
      period: ended,
      autoAdvance: true,
      now: ended.end,
    },
    lines,
    bare ? [] : items,
  );
  return asUpcoming(invoice, ended.end, ended.end);
}

async function previewPending(fork: View, customer: string, subscription?: Subscription): Promise<Invoice> {
  const owner = await fork.need("customer", customer);
  const currency = subscription?.currency ?? owner.currency ?? "usd";
  const items = await pendingItems(fork, customer, currency, subscription?.id);
  if (items.length === 0 && subscription === undefined) {
    throw invalid(`No upcoming invoices for customer: ${customer}`, undefined, "invoice_upcoming_none");
  }
  const now = await fork.timeOf(customer);
  const empty = invoiceOf(fork.id("invoice"), {
    customer: owner,
    currency,
    subscription,
    reason: "upcoming",
    period: { start: now, end: now },
    autoAdvance: true,
    now,
  });
  return asUpcoming(
    withLines(
      empty,
      items.map((item) => lineOfItem(fork, item)),
    ),
    now,
    now,
  );
}

function asUpcoming(invoice: Invoice, end: number, created: number): Invoice {
  return {
    ...invoice,
    id: `upcoming_${invoice.id}`,
    billing_reason: "upcoming",
    created,
    period_end: end,
    status: "draft",
    number: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    automatically_finalizes_at: null,
    next_payment_attempt: end + DAY / 24,
  };
}
