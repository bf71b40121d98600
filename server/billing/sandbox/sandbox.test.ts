import Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { PerchError } from "../../errors.ts";
import { openSandbox, openShop, WEBHOOK_SECRET } from "./testing/sandbox.ts";

describe("the sandbox behind the real SDK", () => {
  it("serves this machine alone", () => {
    expect(() => openSandbox({ publicUrl: new URL("https://perch.example") })).toThrow(PerchError);
  });

  it("sells a top-up: payment, invoice, events signed as Stripe signs", async () => {
    const { stripe, sandbox, sent, types, customer, topUp, urls, clock } = await openShop();
    const session = await stripe.checkout.sessions.create({
      mode: "payment",
      customer: customer.id,
      line_items: [{ price: topUp.id, quantity: 2 }],
      invoice_creation: { enabled: true },
      payment_intent_data: { setup_future_usage: "off_session", metadata: { perch_kind: "topup" } },
      client_reference_id: "ref",
      ...urls,
    });
    expect(session).toMatchObject({ status: "open", payment_status: "unpaid", amount_total: 4_000, livemode: false });
    expect(session.url).toMatch(/^http:\/\/127\.0\.0\.1:8787\/sandbox\/checkout\/cs_test_/);
    expect(await sandbox.controls.pay(session.id, "declined")).toBe("declined");
    expect(await sandbox.controls.pay(session.id, "pays")).toBe("paid");
    const paid = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ["line_items", "payment_intent.latest_charge", "invoice.payments"],
    });
    expect(paid).toMatchObject({ status: "complete", payment_status: "paid", url: null });
    expect(paid.line_items?.data[0]).toMatchObject({ quantity: 2, amount_total: 4_000 });
    expect(paid.payment_intent).toMatchObject({ status: "succeeded", latest_charge: { paid: true, amount: 4_000 } });
    expect(paid.invoice).toMatchObject({
      status: "paid",
      amount_paid: 4_000,
      amount_remaining: 0,
      billing_reason: "manual",
    });
    const { data } = await stripe.customers.listPaymentMethods(customer.id);
    expect(data).toHaveLength(1);
    await sandbox.tick();
    expect(types()).toContain("payment_intent.payment_failed");
    expect(types().slice(-5)).toEqual(expect.arrayContaining(["checkout.session.completed", "invoice.paid"]));
    for (const { body, headers } of sent) {
      const event = stripe.webhooks.constructEvent(
        body,
        headers["stripe-signature"] ?? "",
        WEBHOOK_SECRET,
        undefined,
        undefined,
        clock.now() / 1_000,
      );
      expect(event).toMatchObject({ api_version: Stripe.API_VERSION, livemode: false });
    }
    const before = sent.length;
    await sandbox.tick();
    expect(sent).toHaveLength(before);
  });

  it("is paid once when the button is pressed twice", async () => {
    const { stripe, sandbox, customer, topUp, urls } = await openShop();
    const session = await stripe.checkout.sessions.create({
      mode: "payment",
      customer: customer.id,
      line_items: [{ price: topUp.id, quantity: 1 }],
      ...urls,
    });
    const pressed = await Promise.allSettled([
      sandbox.controls.pay(session.id, "pays"),
      sandbox.controls.pay(session.id, "pays"),
    ]);
    expect(pressed.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await stripe.charges.list({ customer: customer.id })).data).toHaveLength(1);
  });

  it("goes on selling when its clock is ahead of the server's", async () => {
    const { stripe, sandbox, sent, customer, topUp, slot, urls, clock, subscribe } = await openShop();
    const subscription = await subscribe();
    await sandbox.controls.moveClock(40 * 24 * 3_600_000);
    const serverNow = Math.floor(clock.now() / 1_000);
    const session = await stripe.checkout.sessions.create({
      mode: "payment",
      customer: customer.id,
      line_items: [{ price: topUp.id, quantity: 1 }],
      expires_at: serverNow + 1_860,
      ...urls,
    });
    expect(await sandbox.controls.pay(session.id, "pays")).toBe("paid");
    const preview = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: {
        items: [{ price: slot.id, quantity: 1 }],
        proration_behavior: "always_invoice",
        proration_date: serverNow,
      },
    });
    // 19 of 31 days are left.
    expect(preview.total).toBe(Math.round((500 * 19) / 31));
    await sandbox.tick();
    expect(
      sent
        .map(({ body }) => body)
        .filter((body) => body.includes("line_items") || body.includes("confirmation_secret")),
    ).toEqual([]);
  });

  it("subscribes, changes with proration and cancels", async () => {
    const { stripe, small, large, subscribe, clock } = await openShop();
    const subscription = await subscribe(small.id);
    expect(subscription).toMatchObject({ status: "active", billing_mode: { type: "flexible" } });
    expect(subscription).not.toHaveProperty("current_period_end");
    const item = subscription.items.data[0];
    expect(item?.current_period_end).toBe(Date.UTC(2026, 1, 28, 12) / 1_000);
    const first = await stripe.invoices.retrieve(String(subscription.latest_invoice));
    expect(first).toMatchObject({ status: "paid", total: 1_000, billing_reason: "subscription_create" });
    expect(first.parent?.subscription_details?.subscription).toBe(subscription.id);
    expect(first).not.toHaveProperty("subscription");
    expect(first).not.toHaveProperty("payment_intent");
    clock.advance(14 * 24 * 3_600_000);
    const changed = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: item?.id ?? "", price: large.id }],
      proration_behavior: "always_invoice",
      expand: ["latest_invoice"],
    });
    const invoice = changed.latest_invoice as Stripe.Invoice;
    expect(invoice).toMatchObject({ status: "paid", total: 1_000, billing_reason: "subscription_update" });
    expect(invoice.lines.data.map(({ amount }) => amount)).toEqual([-500, 1_500]);
    const canceled = await stripe.subscriptions.cancel(subscription.id);
    expect(canceled).toMatchObject({ status: "canceled", cancellation_details: { reason: "cancellation_requested" } });
    await expect(stripe.subscriptions.update(subscription.id, { description: "x" })).rejects.toThrow(/canceled/);
  });
});
