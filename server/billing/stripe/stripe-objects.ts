/** What we keep of Stripe's objects: rows of the mirror, made from an object alone, so that the same object gives the same row. */
import type Stripe from "stripe";
import { ADD_ONS, PACKS, PLANS } from "../../../shared/billing/catalogue.ts";
import type { TeamId } from "../../../shared/ids.ts";
import type { Database } from "../../db/database.ts";
import type { MirroredItem } from "./stripe.tables.ts";
import { idOf, lookupKeyOf, pausedAtOf } from "./stripe-prices.ts";

type Tables = Database["t"];
export type SubscriptionRow = Tables["subscriptions"]["$inferSelect"];
export type InvoiceRow = Tables["invoices"]["$inferSelect"];
export type MoneyBackRow = Tables["moneyBack"]["$inferSelect"];

/** To whom a row belongs and when its reading began. */
export interface Stamp {
  readonly teamId: TeamId;
  readonly syncedAt: Date;
}

export const instant = (seconds: number) => new Date(seconds * 1_000);
const orNull = (seconds: number | null | undefined) => (typeof seconds === "number" ? instant(seconds) : null);

export function subscriptionRow(subscription: Stripe.Subscription, stamp: Stamp): SubscriptionRow {
  const { items, status, status_details } = subscription;
  const starts = items.data.map((item) => item.current_period_start);
  const ends = items.data.map((item) => item.current_period_end);
  const periodStart = starts.length === 0 ? subscription.start_date : Math.min(...starts);
  const paused = status === "paused" ? instant(status_details?.paused?.transitioned_at ?? periodStart) : null;
  return {
    ...stamp,
    id: subscription.id,
    customerId: idOf(subscription.customer) ?? "",
    status,
    items: items.data.map(
      (item): MirroredItem => ({
        id: item.id,
        lookupKey: lookupKeyOf(item.price) ?? item.price.lookup_key,
        quantity: item.quantity ?? 1,
      }),
    ),
    currency: subscription.currency,
    periodStart: instant(periodStart),
    periodEnd: instant(ends.length === 0 ? periodStart : Math.max(...ends)),
    anchor: instant(subscription.billing_cycle_anchor),
    cancelAt: orNull(subscription.cancel_at),
    cancelAtPeriodEnd: subscription.cancel_at_period_end,
    endedAt: orNull(subscription.ended_at),
    pausedAt: paused ?? pausedAtOf(subscription),
    startedAt: instant(subscription.start_date),
  };
}

export function invoiceRow(invoice: Stripe.Invoice, stamp: Stamp): InvoiceRow {
  const period = periodOf(invoice);
  return {
    ...stamp,
    id: invoice.id,
    subscriptionId: idOf(invoice.parent?.subscription_details?.subscription) ?? null,
    number: invoice.number,
    status: invoice.status ?? "draft",
    billingReason: invoice.billing_reason,
    words: invoiceWords(invoice),
    currency: invoice.currency,
    total: invoice.total,
    tax: taxOf(invoice),
    amountDue: invoice.amount_due,
    amountPaid: invoice.amount_paid,
    attempts: invoice.attempt_count,
    nextAttemptAt: orNull(invoice.next_payment_attempt),
    needsConfirmation: invoice.status === "open" && waitsForPerson(invoice),
    hostedUrl: invoice.hosted_invoice_url ?? null,
    pdfUrl: invoice.invoice_pdf ?? null,
    periodStart: instant(period.start),
    periodEnd: instant(period.end),
    createdAt: instant(invoice.created),
  };
}

export function taxOf(invoice: Pick<Stripe.Invoice, "total_taxes">): number {
  return (invoice.total_taxes ?? []).reduce((sum, { amount }) => sum + amount, 0);
}

/** A payment that the person's bank wants to be asked about. Payments have to be expanded with their intents. */
function waitsForPerson(invoice: Stripe.Invoice): boolean {
  return (invoice.payments?.data ?? []).some(({ status, payment }) => {
    const intent = payment.payment_intent;
    return status === "open" && typeof intent === "object" && intent.status === "requires_action";
  });
}

/** What is paid for ahead: the longest period of a line, else the invoice's own. */
function periodOf(invoice: Stripe.Invoice): { start: number; end: number } {
  const own = { start: invoice.period_start, end: invoice.period_end };
  const length = ({ start, end }: { start: number; end: number }) => end - start;
  return invoice.lines.data
    .map(({ period }) => period)
    .reduce((longest, period) => (length(period) > length(longest) ? period : longest), own);
}

const MOST_WORDS = 3;
const HALF_A_YEAR_S = 182 * 24 * 3_600;

/** `Solo, monthly`, `Balance`, `1,000 minutes`: of each line once, the first ones. */
function invoiceWords(invoice: Stripe.Invoice): string {
  const words = [...new Set(invoice.lines.data.map(lineWords))];
  const shown = words.slice(0, MOST_WORDS).join(" + ");
  const more = words.length > MOST_WORDS ? " and more" : "";
  return shown === "" ? "Nothing" : `${shown}${more}`;
}

export function lineWords(line: Stripe.InvoiceLineItem): string {
  const product = line.pricing?.price_details?.product ?? "";
  const key = product.replace(/^perch_/, "");
  if (key === "topup") return "Balance";
  for (const pack of Object.values(PACKS)) if (pack.id === key) return pack.name;
  for (const plan of [PLANS.solo, PLANS.team]) {
    if (plan.id !== key) continue;
    const yearly = line.period.end - line.period.start > HALF_A_YEAR_S;
    return isProrated(line) ? `${plan.name}, change` : `${plan.name}, ${yearly ? "yearly" : "monthly"}`;
  }
  for (const addOn of Object.values(ADD_ONS)) if (addOn.id === key) return addOn.name;
  return line.description ?? "Perch";
}

function isProrated({ parent }: Stripe.InvoiceLineItem): boolean {
  return (parent?.subscription_item_details ?? parent?.invoice_item_details)?.proration ?? false;
}

export function refundRow(refund: Stripe.Refund, stamp: Stamp): MoneyBackRow {
  return {
    ...stamp,
    id: refund.id,
    kind: "refund",
    status: refund.status ?? "pending",
    amount: refund.amount,
    currency: refund.currency,
    chargeId: idOf(refund.charge) ?? null,
    sourceId: refund.metadata?.["perch_source"] ?? null,
    createdAt: instant(refund.created),
  };
}

export function disputeRow(dispute: Stripe.Dispute, stamp: Stamp): MoneyBackRow {
  return {
    ...stamp,
    id: dispute.id,
    kind: "dispute",
    status: dispute.status,
    amount: dispute.amount,
    currency: dispute.currency,
    chargeId: idOf(dispute.charge) ?? null,
    sourceId: null,
    createdAt: instant(dispute.created),
  };
}

/** While a dispute is not decided the balance may not be used. */
const DECIDED: readonly string[] = ["won", "lost", "warning_closed", "prevented"];
export function isOpenDispute({ kind, status }: Pick<MoneyBackRow, "kind" | "status">): boolean {
  return kind === "dispute" && !DECIDED.includes(status);
}
