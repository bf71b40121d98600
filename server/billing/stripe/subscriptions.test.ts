import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TEST_ENGINES } from "../../db/testing.ts";
import { type Buyer, openPurchasesWorld, type PurchasesWorld } from "./testing/purchases-world.ts";
import { insertDedicated } from "./testing/rows.repo.ts";

type Change = Parameters<PurchasesWorld["purchases"]["previewChange"]>[1];
const DAY_MS = 24 * 3_600_000;

describe.each(TEST_ENGINES)("a subscription on $name", (engine) => {
  let world: PurchasesWorld;
  let anna: Buyer;
  beforeAll(async () => {
    world = await openPurchasesWorld(engine);
  });
  beforeEach(async () => {
    world.sandbox.controls.faults.clear();
    world.clock.advance(1_000);
    anna = await world.buyer();
    await world.subscribes(anna);
    world.clock.advance(DAY_MS);
  });
  afterAll(() => world.dispose());

  const preview = (change: Partial<Change>) => world.purchases.previewChange(anna.scope, { addOns: [], ...change });
  async function apply(change: Partial<Change>, more: Partial<Parameters<typeof world.purchases.applyChange>[1]> = {}) {
    const { due, prorationAt } = await preview(change);
    const given = { change: { addOns: [], ...change }, shown: due, prorationAt, idempotencyKey: world.key(), ...more };
    return world.purchases.applyChange(anna.scope, given);
  }
  const act = (what: "cancel_at_period_end" | "keep" | "pause" | "resume", idempotencyKey = world.key()) =>
    world.purchases.act(anna.scope, { act: what, idempotencyKey });
  /** Lookup keys with numbers, as Stripe has them. */
  const items = async () =>
    (await world.subscription(anna)).items.data.map(({ price, quantity }) => `${price.lookup_key} ${quantity}`).sort();
  const invoices = async () =>
    (await world.stripe.invoices.list({ customer: (await world.account(anna))?.customerId ?? "" })).data;

  it("is previewed with what is due now and each cycle, and made at exactly that", async () => {
    const shown = await preview({ plan: "team", addOns: [{ addOn: "seat", quantity: 2 }] });
    expect(shown.next).toEqual({ amount: 4_900 + 2 * 500, currency: "usd" });
    expect(shown.lines.reduce((sum, { amount }) => sum + amount, 0)).toBe(shown.due.amount);
    expect(shown.due.amount).toBeGreaterThan(4_000);
    await apply({ plan: "team", addOns: [{ addOn: "seat", quantity: 2 }] });
    expect(await items()).toEqual(["perch_seat_month 2", "perch_team_month 1"]);
    const [latest] = await invoices();
    expect(latest).toMatchObject({ billing_reason: "subscription_update", status: "paid" });
    expect(latest?.total).toBe(shown.due.amount);
  });

  it("goes to another cycle with all it has, from today on", async () => {
    await apply({ addOns: [{ addOn: "slot", quantity: 1 }] });
    const shown = await preview({ cycle: "year" });
    expect(shown.next.amount).toBe(12_000 + 15_000);
    expect(Date.parse(shown.nextAt) - world.clock.now()).toBeGreaterThan(360 * DAY_MS);
    await apply({ cycle: "year" });
    expect(await items()).toEqual(["perch_slot_year 1", "perch_solo_year 1"]);
  });

  it("gives back what is unused when it becomes less", async () => {
    await apply({ addOns: [{ addOn: "storage", quantity: 3 }] });
    const shown = await preview({ addOns: [{ addOn: "storage", quantity: 0 }] });
    expect(shown.due.amount).toBeLessThan(0);
    await apply({ addOns: [{ addOn: "storage", quantity: 0 }] });
    expect(await items()).toEqual(["perch_solo_month 1"]);
  });

  it("is not changed at another price than shown, at an old one, or at one of a time to come", async () => {
    const change = { addOns: [{ addOn: "seat" as const, quantity: 1 }] };
    await expect(apply(change, { shown: { amount: 1, currency: "usd" } })).rejects.toThrow(
      /The price is now .* Look again/,
    );
    const { prorationAt } = await preview(change);
    world.clock.advance(2 * 3_600_000);
    await expect(apply(change, { prorationAt })).rejects.toThrow("too old by now");
    const later = new Date(world.clock.now() + 20 * DAY_MS).toISOString();
    await expect(apply(change, { prorationAt: later })).rejects.toThrow("too old by now");
    expect(await items()).toEqual(["perch_solo_month 1"]);
  });

  it("does not go below what is in use", async () => {
    for (let at = 0; at < 3; at += 1) await world.buyer("billing", anna.teamId);
    await expect(preview({ addOns: [{ addOn: "slot", quantity: 1 }] })).rejects.toThrow(
      "The team has 4 members, and this would leave 3 seats. Remove members first, or keep 1 extra seats.",
    );
    await apply({
      addOns: [
        { addOn: "seat", quantity: 1 },
        { addOn: "dedicated", quantity: 1 },
      ],
    });
    await insertDedicated(world.db, anna.teamId, new Date(world.clock.now()));
    await expect(preview({ addOns: [{ addOn: "dedicated", quantity: 0 }] })).rejects.toThrow("1 phones are dedicated");
    await expect(preview({ addOns: [{ addOn: "seat", quantity: 0 }] })).rejects.toThrow("4 members");
    await expect(preview({ addOns: [{ addOn: "seat", quantity: 1 }] })).rejects.toThrow("Nothing would change");
  });

  it.each([
    ["pm_card_chargeCustomerFail", "Your bank declined the payment."],
    [
      "pm_card_authenticationRequired",
      "Your bank wants you to confirm this payment, so nothing was changed or charged.",
    ],
  ])("stays as it is when the payment fails with %s", async (alias, words) => {
    const customer = (await world.account(anna))?.customerId ?? "";
    const { id } = await world.stripe.paymentMethods.attach(alias, { customer });
    await world.stripe.subscriptions.update((await world.subscription(anna)).id, { default_payment_method: id });
    const before = (await invoices()).length;
    const idempotencyKey = world.key();
    await expect(apply({ plan: "team" }, { idempotencyKey })).rejects.toThrow(words);
    await expect(apply({ plan: "team" }, { idempotencyKey })).rejects.toMatchObject({ code: "payment_required" });
    expect(await items()).toEqual(["perch_solo_month 1"]);
    expect(await invoices()).toHaveLength(before);
    expect((await world.callsOf("subscription.change")).filter(({ teamId }) => teamId === anna.teamId)).toMatchObject([
      { state: "failed", error: expect.any(String) },
    ]);
  });

  it.each(["lose", "fail"] as const)("is changed once when Stripe is told to %s the answer", async (fault) => {
    const call = `POST /v1/subscriptions/${(await world.subscription(anna)).id}`;
    const change = { addOns: [{ addOn: "slot" as const, quantity: 2 }] };
    const { due, prorationAt } = await preview(change);
    const given = { change, shown: due, prorationAt, idempotencyKey: world.key() };
    world.sandbox.controls.faults.next(fault, call);
    await expect(world.purchases.applyChange(anna.scope, given)).rejects.toThrow("Stripe does not answer");
    if (fault === "lose") {
      await Promise.all([
        world.purchases.applyChange(anna.scope, given),
        world.purchases.applyChange(anna.scope, given),
        world.work(),
      ]);
      expect(await items()).toEqual(["perch_slot_month 2", "perch_solo_month 1"]);
      expect((await invoices()).filter(({ billing_reason }) => billing_reason === "subscription_update")).toHaveLength(
        1,
      );
      await world.settle();
      return;
    }
    // An error of Stripe's is answered again under its key, then the day is over and the change is given up.
    world.clock.advance(25 * 3_600_000);
    await expect(world.purchases.applyChange(anna.scope, given)).rejects.toThrow("took too long and was given up");
    await world.work();
    expect(await items()).toEqual(["perch_solo_month 1"]);
  });

  it("ends with its period, is kept, is paused and goes on", async () => {
    const key = world.key();
    await act("cancel_at_period_end", key);
    await act("cancel_at_period_end", key);
    expect(await world.subscription(anna)).toMatchObject({ cancel_at_period_end: true });
    await expect(act("cancel_at_period_end")).rejects.toThrow("ends with this period already");
    await expect(preview({ plan: "team" })).rejects.toThrow("Keep it first");
    await act("keep");
    await expect(act("keep")).rejects.toThrow("nothing to keep");
    expect(await world.subscription(anna)).toMatchObject({ cancel_at_period_end: false });
    await act("pause");
    expect(await world.subscription(anna)).toMatchObject({ pause_collection: { behavior: "void" } });
    await expect(preview({ plan: "team" })).rejects.toThrow("Resume it first");
    await expect(act("pause")).rejects.toThrow("paused already");
    await act("resume");
    await expect(act("resume")).rejects.toThrow("not paused");
    expect((await world.subscription(anna)).pause_collection).toBeNull();
  });

  it("is paid with the way that was saved last, and what is open is paid at once", async () => {
    const customer = (await world.account(anna))?.customerId ?? "";
    const { id: failing } = await world.stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer });
    const subscription = await world.subscription(anna);
    await world.stripe.subscriptions.update(subscription.id, { default_payment_method: failing });
    const end = subscription.items.data[0]?.current_period_end ?? 0;
    world.clock.advance(end * 1_000 - world.clock.now() + 60_000);
    await world.settle();
    // Stripe closes the draft an hour after its webhook was answered.
    for (let hour = 0; hour < 3; hour += 1) {
      world.clock.advance(3_600_000);
      await world.settle();
    }
    expect((await world.subscription(anna)).status).toBe("past_due");
    const { id } = await world.checkout(anna, { kind: "payment_method" }, 0);
    await world.pay(id);
    world.sandbox.controls.faults.next("lose", `POST /v1/customers/${customer}`);
    await world.purchases.checkoutState(anna.scope, { checkoutId: world.asCheckout(id) });
    await world.work();
    world.clock.advance(120_000);
    await world.settle();
    const after = await world.subscription(anna);
    expect(after.status).toBe("active");
    expect(after.default_payment_method).not.toBe(failing);
    expect((await invoices()).filter(({ status }) => status === "open")).toEqual([]);
    expect((await world.callsOf("payment_method.use")).filter(({ teamId }) => teamId === anna.teamId)).toMatchObject([
      { state: "done" },
    ]);
  });

  it("is there to be changed at all, and the team's own", async () => {
    const eve = await world.buyer();
    const change = { addOns: [], plan: "team" as const };
    await expect(world.purchases.previewChange(eve.scope, change)).rejects.toThrow("no plan to change");
    const foreign = await world.stripe.customers.create({});
    await world.setCustomer(anna.teamId, foreign.id);
    await expect(preview({ plan: "team" })).rejects.toThrow("belongs to another customer");
    await expect(act("pause")).rejects.toThrow("belongs to another customer");
  });
});
