/** Compares the fields of the sandbox's objects with those of `stripe-mock`'s, which are made of Stripe's specification. */
import type Stripe from "stripe";
import { openShop } from "./sandbox.ts";

/** Fields Stripe shows only sometimes, and the sandbox never. */
const SOMETIMES = new Set(["invoice.amount_paid_off_stripe", "charge.refunds", "setup_intent.flow_directions"]);

/** Fields Stripe's objects have and the sandbox's lack, as `invoice.number`. */
export async function missingFields(mock: Stripe): Promise<readonly string[]> {
  const { stripe, sandbox, customer, product, topUp, urls, subscribe } = await openShop({ loose: true });
  const { id: subscription } = await subscribe();
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    customer: customer.id,
    line_items: [{ price: topUp.id, quantity: 1 }],
    invoice_creation: { enabled: true },
    ...urls,
  });
  await sandbox.controls.pay(session.id, "pays");
  const paid = await stripe.checkout.sessions.retrieve(session.id);
  const intent = String(paid.payment_intent);
  const invoice = String(paid.invoice);
  const { latest_charge: charge } = await stripe.paymentIntents.retrieve(intent);
  const pairs: readonly (readonly [string, Promise<object | undefined>, Promise<object | undefined>])[] = [
    ["customer", stripe.customers.retrieve(customer.id), mock.customers.retrieve("cus_1")],
    ["product", stripe.products.retrieve(product.id), mock.products.retrieve("prod_1")],
    ["price", stripe.prices.retrieve(topUp.id), mock.prices.retrieve("price_1")],
    ["checkout.session", stripe.checkout.sessions.retrieve(session.id), mock.checkout.sessions.retrieve("cs_1")],
    ["subscription", stripe.subscriptions.retrieve(subscription), mock.subscriptions.retrieve("sub_1")],
    [
      "subscription_item",
      stripe.subscriptionItems.list({ subscription }).then(({ data }) => data[0]),
      mock.subscriptionItems.list({ subscription: "sub_1" }).then(({ data }) => data[0]),
    ],
    ["invoice", stripe.invoices.retrieve(invoice), mock.invoices.retrieve("in_1")],
    [
      "line_item",
      stripe.invoices.listLineItems(invoice).then(({ data }) => data[0]),
      mock.invoices.listLineItems("in_1").then(({ data }) => data[0]),
    ],
    [
      "invoiceitem",
      stripe.invoiceItems.list().then(({ data }) => data[0]),
      mock.invoiceItems.list().then(({ data }) => data[0]),
    ],
    [
      "invoice_payment",
      stripe.invoicePayments.list().then(({ data }) => data[0]),
      mock.invoicePayments.list().then(({ data }) => data[0]),
    ],
    [
      "payment_method",
      stripe.customers.listPaymentMethods(customer.id).then(({ data }) => data[0]),
      mock.paymentMethods.retrieve("pm_1"),
    ],
    ["payment_intent", stripe.paymentIntents.retrieve(intent), mock.paymentIntents.retrieve("pi_1")],
    ["setup_intent", stripe.setupIntents.create({}), mock.setupIntents.retrieve("seti_1")],
    ["charge", stripe.charges.retrieve(String(charge)), mock.charges.retrieve("ch_1")],
    ["refund", stripe.refunds.create({ payment_intent: intent }), mock.refunds.retrieve("re_1")],
    [
      "billing_portal.session",
      stripe.billingPortal.sessions.create({ customer: customer.id }),
      mock.billingPortal.sessions.create({ customer: "cus_1" }),
    ],
    ["event", stripe.events.list().then(({ data }) => data[0]), mock.events.list().then(({ data }) => data[0])],
  ];
  const missing: string[] = [];
  for (const [name, ours, theirs] of pairs) {
    const has = new Set(Object.keys((await ours) ?? {}));
    const lacks = Object.keys((await theirs) ?? {}).filter((field) => !has.has(field));
    missing.push(...lacks.map((field) => `${name}.${field}`).filter((field) => !SOMETIMES.has(field)));
  }
  return missing;
}
