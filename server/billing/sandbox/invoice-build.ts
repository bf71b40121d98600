/** How an invoice is put together: its lines, its sums, and nothing about paying it. */
import { type Invoice, type InvoiceLine, nested, type Obj, type Price, type Subscription } from "./objects.ts";
import type { View } from "./view.ts";

export interface InvoiceGiven {
  readonly customer: Obj<"customer">;
  readonly currency: string;
  readonly subscription?: Subscription | undefined;
  readonly reason: string;
  readonly period: { readonly start: number; readonly end: number };
  readonly autoAdvance: boolean;
  readonly collectionMethod?: string | undefined;
  readonly daysUntilDue?: number | undefined;
  readonly description?: string | null | undefined;
  readonly footer?: string | null | undefined;
  readonly metadata?: Record<string, string> | undefined;
  readonly prorationDate?: number | undefined;
  readonly now: number;
}

const DAY = 24 * 3_600;

export function invoiceOf(id: string, given: InvoiceGiven): Invoice {
  const { customer, subscription, now } = given;
  const empty: Invoice = {
    id,
    object: "invoice",
    account_country: "US",
    account_name: "Perch billing sandbox",
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: given.autoAdvance,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: given.reason,
    collection_method: given.collectionMethod ?? subscription?.collection_method ?? "charge_automatically",
    created: now,
    currency: given.currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: customer.tax_exempt ?? "none",
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: given.description ?? null,
    discounts: [],
    due_date: given.daysUntilDue === undefined ? null : now + given.daysUntilDue * DAY,
    effective_at: null,
    ending_balance: null,
    footer: given.footer ?? null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: "self" },
    last_finalization_error: null,
    latest_revision: null,
    lines: nested<InvoiceLine>([], `/v1/invoices/${id}/lines`),
    livemode: false,
    metadata: given.metadata ?? {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent:
      subscription === undefined
        ? null
        : {
            quote_details: null,
            subscription_details: {
              metadata: subscription.metadata,
              subscription: subscription.id,
              ...(given.prorationDate !== undefined && { subscription_proration_date: given.prorationDate }),
            },
            type: "subscription_details",
          },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: given.period.end,
    period_start: given.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: customer.balance,
    statement_descriptor: null,
    status: "draft",
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: 0,
    subtotal_excluding_tax: 0,
    test_clock: customer.test_clock ?? null,
    total: 0,
    total_discount_amounts: [],
    total_excluding_tax: 0,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  };
  return empty;
}

/** The sums of its lines. What the customer has in credit pays first; below zero nothing is due. */
export function withLines(invoice: Invoice, lines: readonly InvoiceLine[]): Invoice {
  const total = lines.reduce((sum, line) => sum + line.amount, 0);
  const due = Math.max(0, total + invoice.starting_balance);
  return {
    ...invoice,
    lines: nested(
      lines.map((line) => ({ ...line, invoice: invoice.id })),
      `/v1/invoices/${invoice.id}/lines`,
    ),
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
    amount_due: due,
    amount_remaining: due - invoice.amount_paid,
  };
}

export interface LineGiven {
  readonly amount: number;
  readonly currency: string;
  readonly description: string | null;
  readonly period: { readonly start: number; readonly end: number };
  readonly price?: Price | undefined;
  readonly quantity: number | null;
  readonly metadata?: Record<string, string> | undefined;
  readonly subscription?: string | null | undefined;
  readonly parent: InvoiceLine["parent"];
}

export function lineOf(view: View, given: LineGiven): InvoiceLine {
  return {
    id: view.id("il"),
    object: "line_item",
    amount: given.amount,
    currency: given.currency,
    description: given.description,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: given.metadata ?? {},
    parent: given.parent,
    period: { start: given.period.start, end: given.period.end },
    pretax_credit_amounts: [],
    pricing: given.price === undefined ? null : pricingOf(given.price),
    quantity: given.quantity,
    quantity_decimal: given.quantity === null ? null : String(given.quantity),
    subscription: given.subscription ?? null,
    subtotal: given.amount,
    taxes: [],
  };
}

export function pricingOf(price: Price) {
  return {
    type: "price_details" as const,
    price_details: { price: price.id, product: price.product },
    unit_amount_decimal: price.unit_amount_decimal,
  };
}

/** What an invoice item becomes on an invoice. */
export function lineOfItem(view: View, item: Obj<"invoiceitem">): InvoiceLine {
  const details = item.parent?.subscription_details ?? null;
  const shared = { invoice_item: item.id, proration: item.proration, proration_details: { credited_items: null } };
  const subscription = details?.subscription ?? null;
  return {
    ...lineOf(view, {
      amount: item.amount,
      currency: item.currency,
      description: item.description,
      period: item.period,
      quantity: item.quantity,
      metadata: item.metadata ?? {},
      subscription,
      parent:
        details?.subscription_item === undefined
          ? {
              type: "invoice_item_details",
              invoice_item_details: { ...shared, subscription },
              subscription_item_details: null,
            }
          : {
              type: "subscription_item_details",
              invoice_item_details: null,
              subscription_item_details: { ...shared, subscription, subscription_item: details.subscription_item },
            },
    }),
    pricing: item.pricing,
  };
}

export interface ItemGiven {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string;
  readonly description: string | null;
  readonly period: { readonly start: number; readonly end: number };
  readonly quantity?: number | undefined;
  readonly price?: Price | undefined;
  readonly invoice?: string | undefined;
  readonly subscription?: string | undefined;
  readonly subscriptionItem?: string | undefined;
  readonly proration?: boolean | undefined;
  readonly metadata?: Record<string, string> | undefined;
  readonly discountable?: boolean | undefined;
  readonly testClock?: string | null | undefined;
  readonly now: number;
}

/** Waits for the next invoice unless one is given. */
export function invoiceItemOf(view: View, given: ItemGiven): Obj<"invoiceitem"> {
  const quantity = given.quantity ?? 1;
  return {
    id: view.id("invoiceitem"),
    object: "invoiceitem",
    amount: given.amount,
    currency: given.currency,
    customer: given.customer,
    customer_account: null,
    date: given.now,
    description: given.description,
    discountable: given.discountable ?? !given.proration,
    discounts: [],
    invoice: given.invoice ?? null,
    livemode: false,
    metadata: given.metadata ?? {},
    net_amount: given.amount,
    parent:
      given.subscription === undefined
        ? null
        : {
            type: "subscription_details",
            subscription_details: {
              subscription: given.subscription,
              ...(given.subscriptionItem !== undefined && { subscription_item: given.subscriptionItem }),
            },
          },
    period: { start: given.period.start, end: given.period.end },
    pricing:
      given.price === undefined
        ? { type: "price_details", unit_amount_decimal: String(given.amount) }
        : pricingOf(given.price),
    proration: given.proration ?? false,
    quantity,
    quantity_decimal: String(quantity),
    tax_rates: [],
    test_clock: given.testClock ?? null,
  };
}
