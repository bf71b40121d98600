import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { createSandboxRepo } from "./sandbox.repo.ts";
import { openSandbox } from "./testing/sandbox.ts";

describe.each(TEST_ENGINES)("the sandbox's objects on $name", (engine) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());

  it("outlive the process, sealed, and go with the team", async () => {
    const { sandboxObjects } = test.db.t;
    const teamId = newId("team");
    const store = createSandboxRepo(test.db);
    const { stripe, sandbox } = openSandbox({ store });
    const customer = await stripe.customers.create(
      { email: "anna@x.example", name: "Anna", metadata: { perch_team: teamId } },
      { idempotencyKey: "customer" },
    );
    const product = await stripe.products.create({ name: "Perch" });
    const price = await stripe.prices.create({
      product: product.id,
      currency: "usd",
      unit_amount: 1_000,
      recurring: { interval: "month" },
    });
    const session = await stripe.checkout.sessions.create({
      mode: "subscription",
      customer: customer.id,
      line_items: [{ price: price.id, quantity: 1 }],
      success_url: "http://127.0.0.1/done",
    });
    await sandbox.controls.pay(session.id, "disputed");
    const once = await stripe.prices.create({ product: product.id, currency: "usd", unit_amount: 500 });
    const bought = await stripe.checkout.sessions.create({
      mode: "payment",
      customer: customer.id,
      line_items: [{ price: once.id, quantity: 1 }],
      success_url: "http://127.0.0.1/done",
    });
    await sandbox.controls.pay(bought.id, "pays");
    const refused = {
      amount: 500,
      currency: "usd",
      customer: customer.id,
      confirm: true,
      receipt_email: "anna@x.example",
    };
    await expect(
      stripe.paymentIntents.create(
        { ...refused, payment_method: "pm_card_chargeCustomerFail" },
        { idempotencyKey: "refused" },
      ),
    ).rejects.toMatchObject({ code: "card_declined" });
    await sandbox.tick();

    const again = openSandbox({ store: createSandboxRepo(test.db) });
    expect((await again.stripe.subscriptions.list({ customer: customer.id })).data).toMatchObject([
      { status: "active" },
    ]);
    const replayed = await again.stripe.customers.create(
      { email: "anna@x.example", name: "Anna", metadata: { perch_team: teamId } },
      { idempotencyKey: "customer" },
    );
    expect(replayed.id).toBe(customer.id);

    await test.db.tx((tx) => tx.delete(sandboxObjects).where(eq(sandboxObjects.teamId, teamId)));
    const left = await test.db.read.select().from(sandboxObjects);
    expect(JSON.stringify(left)).not.toMatch(/anna|Anna/);
    expect(new Set(left.map(({ type }) => type))).toEqual(
      new Set(["product", "price", "event", "settings", "idempotency"]),
    );
    expect(left.filter(({ data }) => JSON.stringify(data).includes(customer.id))).toEqual([]);
    await expect(again.stripe.customers.retrieve(customer.id)).rejects.toMatchObject({ code: "resource_missing" });
  });

  it("do not come back when they are erased while a call runs", async () => {
    const store = createSandboxRepo(test.db);
    const { stripe } = openSandbox({ store });
    const { id } = await stripe.customers.create({ name: "Anna" });
    const row = await store.get(id);
    if (row === undefined) throw new Error("no row");
    await store.apply({ inserts: [], updates: [], removals: [id] });
    await store.apply({ inserts: [], updates: [row], removals: [] });
    expect(await store.get(id)).toBeUndefined();
  });
});
