/**
 * One story of billing, told to whatever answers for Stripe: the sandbox in `npm test`, Stripe's own `stripe-mock` and, with
 * a key, Stripe's test mode in `npm run test:counterparts`. It makes the calls the server makes. Where the listener
 * remembers, it also says what must have come of them.
 */
import assert from "node:assert/strict";
import Stripe from "stripe";

export interface Counterpart {
  readonly name: string;
  readonly stripe: Stripe;
  /** `stripe-mock` checks requests and answers with fixtures: nothing comes of anything. */
  readonly remembers: boolean;
  /** Distinguishes what this run makes where other runs left things. */
  readonly run: string;
  /** Where time is to be waited for. */
  wait(): Promise<void>;
}

const DAY = 24 * 3_600;

export async function tellScenario({ stripe, remembers, run, wait }: Counterpart): Promise<readonly string[]> {
  const told: string[] = [];
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    try {
      const made = await work();
      told.push(name);
      return made;
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
  const must = (holds: () => void) => {
    if (remembers) holds();
  };
  const now = Math.floor(Date.now() / 1_000);
  const urls = {
    success_url: "https://perch.example/done?session={CHECKOUT_SESSION_ID}",
    cancel_url: "https://perch.example/back",
  };

  const clock = await step("a test clock", () => stripe.testHelpers.testClocks.create({ frozen_time: now, name: run }));
  const customer = await step("a customer, once for one key", async () => {
    const params = {
      name: "Scenario",
      email: `${run}@perch.example`,
      metadata: { perch_team: run },
      test_clock: clock.id,
    };
    const key = { idempotencyKey: `${run}:customer` };
    const made = await stripe.customers.create(params, key);
    const again = await stripe.customers.create(params, key);
    must(() => assert.equal(again.id, made.id));
    return made;
  });
  const product = await step("a product", () =>
    stripe.products.create({ name: `Perch ${run}`, metadata: { perch: "solo" } }),
  );
  const lookup = `perch_${run}_month`;
  const price = await step("a price with a lookup key, handed on to the next", async () => {
    const params = { product: product.id, currency: "usd", tax_behavior: "exclusive" as const, lookup_key: lookup };
    const monthly = { recurring: { interval: "month" as const, usage_type: "licensed" as const } };
    await stripe.prices.create({ ...params, ...monthly, unit_amount: 1_000 });
    const next = await stripe.prices.create({ ...params, ...monthly, unit_amount: 1_200, transfer_lookup_key: true });
    const { data } = await stripe.prices.list({ lookup_keys: [lookup], active: true, expand: ["data.product"] });
    must(() =>
      assert.deepEqual(
        data.map(({ id }) => id),
        [next.id],
      ),
    );
    return next;
  });
  const slot = await step("an add-on", () =>
    stripe.prices.create({
      product: product.id,
      currency: "usd",
      unit_amount: 1_500,
      recurring: { interval: "month" },
    }),
  );
  const topUp = await step("a top-up", () =>
    stripe.prices.create({ product: product.id, currency: "usd", unit_amount: 2_500 }),
  );

  await step("checkouts: payment, subscription, setup; one ends", async () => {
    const shared = { customer: customer.id, client_reference_id: run, metadata: { run }, expires_at: now + 1_860 };
    const payment = await stripe.checkout.sessions.create({
      ...shared,
      ...urls,
      mode: "payment",
      line_items: [{ price: topUp.id, quantity: 1 }],
      invoice_creation: { enabled: true, invoice_data: { metadata: { run } } },
      payment_intent_data: { setup_future_usage: "off_session", metadata: { run } },
    });
    must(() => {
      assert.equal(payment.amount_total, 2_500);
      assert.equal(payment.status, "open");
      assert.ok(payment.url);
    });
    await stripe.checkout.sessions.create({
      ...shared,
      ...urls,
      mode: "subscription",
      line_items: [{ price: price.id, quantity: 1 }],
      payment_method_collection: "always",
      subscription_data: { metadata: { run } },
    });
    await stripe.checkout.sessions.create({ ...shared, ...urls, mode: "setup", currency: "usd" });
    const ended = await stripe.checkout.sessions.expire(payment.id, { expand: ["line_items"] });
    must(() => assert.equal(ended.status, "expired"));
  });

  const method = await step("a way to pay, by Stripe's name for tests", async () => {
    const attached = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: attached.id } });
    return attached;
  });
  const subscription = await step("a subscription, paid", async () => {
    const made = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id, quantity: 1 }],
      default_payment_method: method.id,
      metadata: { run },
      expand: ["latest_invoice.payments"],
    });
    must(() => {
      assert.equal(made.status, "active");
      assert.equal(made.billing_mode.type, "flexible");
      assert.ok((made.items.data[0]?.current_period_end ?? 0) > now + 27 * DAY);
      const invoice = made.latest_invoice as Stripe.Invoice;
      assert.equal(invoice.status, "paid");
      assert.equal(invoice.total, 1_200);
      assert.equal(invoice.billing_reason, "subscription_create");
      assert.equal(invoice.parent?.subscription_details?.subscription, made.id);
      assert.equal(invoice.payments?.data[0]?.payment.type, "payment_intent");
    });
    return made;
  });
  await step("a refund of a part of it, once for one key", async () => {
    const { data } = await stripe.invoicePayments.list({
      invoice: String((subscription.latest_invoice as Stripe.Invoice | null)?.id ?? "in_1"),
    });
    const intent = String(data[0]?.payment.payment_intent ?? "pi_1");
    const params = { payment_intent: intent, amount: 200, reason: "requested_by_customer" as const, metadata: { run } };
    const refund = await stripe.refunds.create(params, { idempotencyKey: `${run}:refund` });
    const again = await stripe.refunds.create(params, { idempotencyKey: `${run}:refund` });
    must(() => {
      assert.equal(refund.status, "succeeded");
      assert.equal(again.id, refund.id);
    });
  });
  await step("two slots more: what it costs, then bought", async () => {
    const change = { items: [{ price: slot.id, quantity: 2 }], proration_behavior: "always_invoice" as const };
    const at = { proration_date: now };
    const preview = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: { ...change, ...at },
    });
    const changed = await stripe.subscriptions.update(subscription.id, {
      ...change,
      ...at,
      payment_behavior: "error_if_incomplete",
      expand: ["latest_invoice"],
    });
    must(() => {
      assert.equal(preview.total, 3_000);
      const invoice = changed.latest_invoice as Stripe.Invoice;
      assert.equal(invoice.billing_reason, "subscription_update");
      assert.equal(invoice.total, preview.total);
      assert.equal(invoice.status, "paid");
      assert.equal(changed.items.data.length, 2);
    });
  });
  await step("a pause of collecting, and its end", async () => {
    const paused = await stripe.subscriptions.update(subscription.id, {
      pause_collection: { behavior: "keep_as_draft" },
    });
    must(() => assert.equal(paused.pause_collection?.behavior, "keep_as_draft"));
    const resumed = await stripe.subscriptions.update(subscription.id, { pause_collection: "" });
    must(() => assert.equal(resumed.pause_collection, null));
  });
  await step("the turn of the month: a draft to add to, then paid", async () => {
    const advance = async (to: number) => {
      await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: to });
      while (remembers && (await stripe.testHelpers.testClocks.retrieve(clock.id)).status !== "ready") await wait();
    };
    const end = subscription.items.data[0]?.current_period_end ?? now;
    await advance(end + 60);
    const { data } = await stripe.invoices.list({ subscription: subscription.id, status: "draft", limit: 1 });
    must(() => assert.equal(data[0]?.billing_reason, "subscription_cycle"));
    const draft = data[0]?.id ?? "in_1";
    const item = await stripe.invoiceItems.create(
      {
        customer: customer.id,
        invoice: draft,
        amount: 345,
        currency: "usd",
        description: "Overage",
        metadata: { run },
      },
      { idempotencyKey: `${run}:overage:${draft}` },
    );
    must(() => assert.equal(item.invoice, draft));
    await advance(end + 3 * 3_600);
    const paid = await stripe.invoices.retrieve(draft, { expand: ["lines"] });
    must(() => {
      assert.equal(paid.status, "paid");
      assert.equal(paid.total, 1_200 + 2 * 1_500 + 345);
    });
  });
  await step("an invoice by hand: items that wait, finalized, paid", async () => {
    await stripe.invoiceItems.create({ customer: customer.id, amount: 500, currency: "usd", description: "By hand" });
    const made = await stripe.invoices.create({
      customer: customer.id,
      pending_invoice_items_behavior: "include",
      auto_advance: false,
      metadata: { run },
    });
    await stripe.invoices.finalizeInvoice(made.id, {});
    const paid = await stripe.invoices.pay(made.id, {});
    must(() => {
      assert.equal(paid.status, "paid");
      assert.equal(paid.amount_paid, 500);
      assert.ok(paid.number);
    });
  });
  await step("the portal", async () => {
    const configuration = await stripe.billingPortal.configurations.create({
      business_profile: { headline: "Perch" },
      features: {
        invoice_history: { enabled: true },
        payment_method_update: { enabled: true },
        subscription_cancel: { enabled: true, mode: "at_period_end" },
      },
    });
    const session = await stripe.billingPortal.sessions.create({
      customer: customer.id,
      configuration: configuration.id,
      return_url: "https://perch.example/back",
    });
    must(() => assert.ok(session.url));
  });
  await step("an end at the period's end, taken back, then at once", async () => {
    const ending = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
    must(() => assert.equal(ending.cancel_at, ending.items.data[0]?.current_period_end));
    await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false });
    const ended = await stripe.subscriptions.cancel(subscription.id, {
      prorate: false,
      cancellation_details: { comment: run },
    });
    must(() => assert.equal(ended.status, "canceled"));
  });
  await step("what happened, listed", async () => {
    const { data } = await stripe.events.list({
      types: ["customer.subscription.deleted", "invoice.paid"],
      limit: 100,
      created: { gte: now - 60 },
    });
    must(() => {
      assert.ok(
        data.some(
          ({ type, data: { object } }) =>
            type === "customer.subscription.deleted" && "id" in object && object.id === subscription.id,
        ),
      );
    });
  });
  await step("mistakes are told as mistakes", async () => {
    const unknown = stripe.customers.create({ emial: "x" } as Stripe.CustomerCreateParams);
    await assert.rejects(unknown, Stripe.errors.StripeInvalidRequestError);
    if (!remembers) return;
    await assert.rejects(unknown, { code: "parameter_unknown", param: "emial" });
    await assert.rejects(stripe.customers.retrieve("cus_nobody"), { code: "resource_missing", statusCode: 404 });
    const other = stripe.customers.create({ name: "Other" }, { idempotencyKey: `${run}:customer` });
    await assert.rejects(other, Stripe.errors.StripeIdempotencyError);
    const declined = await stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer: customer.id });
    const pay = stripe.paymentIntents.create({
      amount: 2_500,
      currency: "usd",
      customer: customer.id,
      payment_method: declined.id,
      confirm: true,
      off_session: true,
    });
    await assert.rejects(pay, { type: "StripeCardError", code: "card_declined" });
  });
  await step("clearing away", async () => {
    await stripe.customers.del(customer.id);
    await stripe.testHelpers.testClocks.del(clock.id);
  });
  return told;
}
