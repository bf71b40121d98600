import type Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "./store.ts";
import { openShop } from "./testing/sandbox.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const seconds = (...parts: Parameters<typeof Date.UTC>) => Date.UTC(...parts) / 1_000;

describe("the passing of time", () => {
  it("renews by the calendar for a year, from the 31st, each month once", async () => {
    const { stripe, sandbox, subscribe, customer } = await openShop();
    const { id } = await subscribe();
    const ends: number[] = [];
    for (let month = 0; month < 12; month++) {
      const { items } = await stripe.subscriptions.retrieve(id);
      const end = items.data[0]?.current_period_end ?? 0;
      ends.push(end);
      await sandbox.controls.moveClock(end * 1_000 - (await sandbox.controls.now()) + 2 * HOUR);
    }
    expect(ends).toEqual(
      [28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31].map((day, index) => seconds(2026, 1 + index, day, 12)),
    );
    const invoices = await stripe.invoices.list({ customer: customer.id, limit: 100 });
    expect(invoices.data.map(({ status, total, billing_reason }) => ({ status, total, billing_reason }))).toEqual([
      ...Array.from({ length: 12 }, () => ({ status: "paid", total: 1_000, billing_reason: "subscription_cycle" })),
      { status: "paid", total: 1_000, billing_reason: "subscription_create" },
    ]);
  });

  it("leaves an hour to add to a draft, counted from when the webhook was taken", async () => {
    const { stripe, sandbox, subscribe, customer, endpoint, sent } = await openShop();
    const { id } = await subscribe();
    await sandbox.tick();
    endpoint.answer = 503;
    await sandbox.controls.moveClock(28 * DAY + 5 * HOUR);
    const drafts = await stripe.invoices.list({ subscription: id, status: "draft" });
    expect(drafts.data).toHaveLength(1);
    const draft = drafts.data[0]?.id ?? "";
    endpoint.answer = 200;
    await sandbox.controls.moveClock(13 * HOUR);
    expect((await stripe.invoices.retrieve(draft)).status).toBe("paid");
    const tries = sent.filter(({ body }) => body.includes('"type": "invoice.created"') && body.includes(draft));
    expect(tries.length).toBeGreaterThan(2);

    await sandbox.controls.moveClock(30 * DAY + 6.5 * HOUR);
    const [next] = (await stripe.invoices.list({ subscription: id, status: "draft" })).data;
    await stripe.invoiceItems.create({
      customer: customer.id,
      invoice: next?.id ?? "",
      amount: 345,
      currency: "usd",
      description: "Overage",
    });
    await sandbox.controls.moveClock(2 * HOUR);
    expect(await stripe.invoices.retrieve(next?.id ?? "")).toMatchObject({
      status: "paid",
      total: 1_345,
      amount_paid: 1_345,
    });
  });

  it("lets the server settle between the steps of a moved clock, however impatient the retries", async () => {
    let settles = 0;
    const { stripe, sandbox, subscribe, customer, endpoint } = await openShop({
      settled: async () => {
        settles += 1;
        // What an endpoint that is not ready yet needs: a while that is no time of the sandbox's.
        if (settles === 3) endpoint.answer = 200;
      },
    });
    await subscribe();
    await sandbox.tick();
    expect(settles).toBe(0);
    endpoint.answer = 503;
    await sandbox.controls.moveClock(29 * DAY);
    expect(settles).toBeGreaterThan(3);
    expect((await stripe.invoices.list({ customer: customer.id })).data.map(({ status }) => status)).toEqual([
      "paid",
      "paid",
    ]);
  });

  it("tries again to collect, tells each time, and ends what nobody pays", async () => {
    const { stripe, sandbox, subscribe, types } = await openShop();
    const { id } = await subscribe(undefined, "insufficient_later");
    await sandbox.controls.moveClock(28 * DAY + 2 * HOUR);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: "past_due" });
    await sandbox.controls.moveClock(20 * DAY);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
      status: "canceled",
      cancellation_details: { reason: "payment_failed" },
    });
    expect(types().filter((type) => type === "invoice.payment_failed")).toHaveLength(4);
    expect(types()).toContain("customer.subscription.deleted");
  });

  it("is paid again when the person gives another way to pay", async () => {
    const { stripe, sandbox, subscribe, customer } = await openShop();
    const { id } = await subscribe(undefined, "insufficient_later");
    await sandbox.controls.moveClock(28 * DAY + 2 * HOUR);
    const method = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
    await stripe.subscriptions.update(id, { default_payment_method: method.id });
    await sandbox.controls.moveClock(3 * DAY);
    expect(await stripe.subscriptions.retrieve(id, { expand: ["latest_invoice"] })).toMatchObject({
      status: "active",
      latest_invoice: { status: "paid", attempt_count: 2 },
    });
  });

  it("asks the person when their bank wants it", async () => {
    const { stripe, sandbox, customer, small, urls, types } = await openShop();
    const session = await stripe.checkout.sessions.create({
      mode: "subscription",
      customer: customer.id,
      line_items: [{ price: small.id, quantity: 1 }],
      ...urls,
    });
    expect(await sandbox.controls.pay(session.id, "needs_confirmation")).toBe("asks");
    expect((await stripe.subscriptions.list({ customer: customer.id })).data).toEqual([]);
    expect(await sandbox.controls.pay(session.id, "needs_confirmation", "yes")).toBe("paid");
    await sandbox.controls.moveClock(28 * DAY + 2 * HOUR);
    expect(types()).toContain("invoice.payment_action_required");
  });

  it("ends at the end of the period when told to, and not when told otherwise", async () => {
    const { stripe, sandbox, subscribe } = await openShop();
    const { id } = await subscribe();
    const ending = await stripe.subscriptions.update(id, { cancel_at_period_end: true });
    expect(ending).toMatchObject({ cancel_at: ending.items.data[0]?.current_period_end, status: "active" });
    expect(await stripe.subscriptions.update(id, { cancel_at_period_end: false })).toMatchObject({
      cancel_at: null,
      canceled_at: null,
    });
    await stripe.subscriptions.update(id, { cancel_at_period_end: true });
    await sandbox.controls.moveClock(28 * DAY);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: "canceled" });
  });

  it("pauses collection and resumes it", async () => {
    const { stripe, sandbox, subscribe } = await openShop();
    const { id } = await subscribe();
    await stripe.subscriptions.update(id, { pause_collection: { behavior: "void" } });
    await sandbox.controls.moveClock(28 * DAY + 2 * HOUR);
    const paused = await stripe.subscriptions.retrieve(id, { expand: ["latest_invoice"] });
    expect(paused).toMatchObject({ status: "active", latest_invoice: { status: "void" } });
    await stripe.subscriptions.update(id, { pause_collection: "" });
    await sandbox.controls.moveClock(31 * DAY);
    const resumed = await stripe.subscriptions.retrieve(id, { expand: ["latest_invoice"] });
    expect((resumed.latest_invoice as Stripe.Invoice).status).toBe("paid");
  });

  it("ends a trial nobody can pay for as agreed, after a notice", async () => {
    const { stripe, sandbox, customer, small, types } = await openShop();
    const trial = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: small.id }],
      trial_period_days: 14,
      trial_settings: { end_behavior: { missing_payment_method: "cancel" } },
    });
    expect(trial).toMatchObject({ status: "trialing" });
    await sandbox.controls.moveClock(12 * DAY);
    expect(types().filter((type) => type === "customer.subscription.trial_will_end")).toHaveLength(1);
    await sandbox.controls.moveClock(3 * DAY);
    expect(await stripe.subscriptions.retrieve(trial.id)).toMatchObject({ status: "canceled" });
  });

  it("lets a customer live in the time of a test clock", async () => {
    const { stripe, small } = await openShop();
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(2027, 0, 1) });
    const customer = await stripe.customers.create({ test_clock: clock.id });
    const method = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: small.id }],
      default_payment_method: method.id,
    });
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: seconds(2027, 2, 2) });
    expect(await stripe.testHelpers.testClocks.retrieve(clock.id)).toMatchObject({
      status: "ready",
      frozen_time: seconds(2027, 2, 2),
    });
    const { data } = await stripe.invoices.list({ subscription: id });
    expect(data.map(({ status, created }) => ({ status, created }))).toEqual([
      { status: "paid", created: seconds(2027, 2, 1) },
      { status: "paid", created: seconds(2027, 1, 1) },
      { status: "paid", created: seconds(2027, 0, 1) },
    ]);
  });

  it("looks at nothing while nothing is due, and at once when something was changed", async () => {
    const store = createMemoryStore();
    let looks = 0;
    const list: typeof store.list = (...given) => {
      looks += 1;
      return store.list(...given);
    };
    const { sandbox, stripe, subscribe, clock, types } = await openShop({ store: { ...store, list } });
    await subscribe();
    for (let tick = 0; tick < 3; tick++) await sandbox.tick();
    looks = 0;
    for (let tick = 0; tick < 5; tick++) {
      clock.advance(1_000);
      await sandbox.tick();
    }
    expect(looks).toBe(0);
    await stripe.customers.create({});
    await sandbox.tick();
    expect(types().at(-1)).toBe("customer.created");
    await sandbox.tick();
    clock.advance(28 * DAY);
    await sandbox.tick();
    expect(types()).toContain("invoice.created");
  });

  it("takes a day to hear of a bank debit, which then went through or did not", async () => {
    const { stripe, sandbox, topUp, customer, urls, types } = await openShop();
    const buy = async (way: "pays_later" | "fails_later") => {
      const session = await stripe.checkout.sessions.create({
        mode: "payment",
        customer: customer.id,
        line_items: [{ price: topUp.id, quantity: 1 }],
        invoice_creation: { enabled: true },
        ...urls,
      });
      await sandbox.controls.pay(session.id, way);
      return session.id;
    };
    const [good, bad] = [await buy("pays_later"), await buy("fails_later")];
    const slow = { status: "complete", payment_status: "unpaid", payment_intent: { status: "processing" } };
    expect(await stripe.checkout.sessions.retrieve(good, { expand: ["payment_intent"] })).toMatchObject(slow);
    await sandbox.controls.moveClock(DAY);
    expect(await stripe.checkout.sessions.retrieve(good, { expand: ["invoice"] })).toMatchObject({
      payment_status: "paid",
      invoice: { status: "paid", amount_paid: 2_000 },
    });
    expect(await stripe.checkout.sessions.retrieve(bad)).toMatchObject({
      status: "complete",
      payment_status: "unpaid",
    });
    await sandbox.controls.moveClock(3 * DAY);
    const settled = types().filter((type) => type.startsWith("checkout.session.async"));
    expect(settled).toEqual(["checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"]);
  });

  it("expires a checkout nobody finished", async () => {
    const { stripe, sandbox, topUp, urls, types } = await openShop();
    const session = await stripe.checkout.sessions.create({
      mode: "payment",
      line_items: [{ price: topUp.id, quantity: 1 }],
      ...urls,
    });
    await sandbox.controls.moveClock(DAY);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: "expired", url: null });
    expect(types()).toContain("checkout.session.expired");
    await expect(sandbox.controls.pay(session.id, "pays")).rejects.toThrow("expired");
  });
});
