/** What the sandbox keeps: Stripe's objects as they go over the wire, with ids where Stripe would expand. */
import type Stripe from "stripe";

/** `V` as Stripe answers it when nothing is expanded: an id where an object with an id could stand. */
type Unexpanded<V> = string extends V ? Exclude<V, { id: string }> : V;

/** A type of the SDK as JSON holds it: ids for references, text for exact decimals. */
export type Flat<T> = T extends string
  ? T
  : T extends Stripe.Decimal
    ? string
    : T extends readonly (infer U)[]
      ? Flat<Unexpanded<U>>[]
      : T extends object
        ? { [K in keyof T]: Flat<Unexpanded<T[K]>> }
        : T;

/** An event whose data this sandbox wrote; the SDK's union of 260 types says no more about it. */
export interface SandboxEvent extends Omit<Flat<Stripe.EventBase>, "data" | "type"> {
  object: "event";
  type: Stripe.Event["type"];
  data: { object: object; previous_attributes?: object };
}

export interface SandboxObjects {
  customer: Flat<Stripe.Customer>;
  product: Flat<Stripe.Product>;
  price: Flat<Stripe.Price>;
  "checkout.session": Flat<Stripe.Checkout.Session>;
  subscription: Flat<Stripe.Subscription>;
  invoice: Flat<Stripe.Invoice>;
  invoiceitem: Flat<Stripe.InvoiceItem>;
  invoice_payment: Flat<Stripe.InvoicePayment>;
  payment_method: Flat<Stripe.PaymentMethod>;
  payment_intent: Flat<Stripe.PaymentIntent>;
  setup_intent: Flat<Stripe.SetupIntent>;
  charge: Flat<Stripe.Charge>;
  refund: Flat<Stripe.Refund>;
  dispute: Flat<Stripe.Dispute>;
  "radar.early_fraud_warning": Flat<Stripe.Radar.EarlyFraudWarning>;
  "billing_portal.session": Flat<Stripe.BillingPortal.Session>;
  "billing_portal.configuration": Flat<Stripe.BillingPortal.Configuration>;
  "billing.meter": Flat<Stripe.Billing.Meter>;
  "test_helpers.test_clock": Flat<Stripe.TestHelpers.TestClock>;
  event: SandboxEvent;
}
export type Kind = keyof SandboxObjects;
export type Obj<K extends Kind> = SandboxObjects[K];
export type AnyObj = SandboxObjects[Kind];

export type Price = Obj<"price">;
export type Subscription = Obj<"subscription">;
export type SubscriptionItem = Subscription["items"]["data"][number];
export type Invoice = Obj<"invoice">;
export type InvoiceLine = Invoice["lines"]["data"][number];
export type Session = Obj<"checkout.session">;

/** The beginning of an id, by what it names. */
export const PREFIX = {
  customer: "cus",
  product: "prod",
  price: "price",
  "checkout.session": "cs_test",
  subscription: "sub",
  invoice: "in",
  invoiceitem: "ii",
  invoice_payment: "inpay",
  payment_method: "pm",
  payment_intent: "pi",
  setup_intent: "seti",
  charge: "ch",
  refund: "re",
  dispute: "du",
  "radar.early_fraud_warning": "issfr",
  "billing_portal.session": "bps",
  "billing_portal.configuration": "bpc",
  "billing.meter": "mtr_test",
  "test_helpers.test_clock": "clock",
  event: "evt",
} as const satisfies Record<Kind, string>;

const PREFIXES = (Object.entries(PREFIX) as [Kind, string][]).map(([kind, prefix]) => [kind, `${prefix}_`] as const);

/** What an id names, by how it begins. */
export function kindOf(id: string): Kind | undefined {
  return PREFIXES.find(([, prefix]) => id.startsWith(prefix))?.[0];
}

/** A list inside an object, as Stripe nests one. */
export function nested<T>(data: T[], url: string): { object: "list"; data: T[]; has_more: boolean; url: string } {
  return { object: "list", data, has_more: false, url };
}
