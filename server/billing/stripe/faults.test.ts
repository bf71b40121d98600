import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TEST_ENGINES } from "../../db/testing.ts";
import { PerchError } from "../../errors.ts";
import { type Buyer, openPurchasesWorld, type PurchasesWorld } from "./testing/purchases-world.ts";

const TEN = { kind: "top_up", topUp: "topup_1000" } as const;
const SOLO = { kind: "plan", plan: "solo", cycle: "month" } as const;

/** A person who presses the button again for as long as Stripe does not answer; the extension sends the same key. */
async function untilAnswered<T>(world: PurchasesWorld, work: () => Promise<T>): Promise<T> {
  for (let tried = 0; tried < 40; tried += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PerchError) || error.code !== "unavailable") throw error;
      world.clock.advance(1_000);
    }
  }
  throw new Error("It was never answered.");
}

describe.each(TEST_ENGINES)("one effect each on $name, though answers are lost and come twice", (engine) => {
  let world: PurchasesWorld;
  beforeAll(async () => {
    world = await openPurchasesWorld(engine);
  });
  beforeEach(() => world.sandbox.controls.faults.clear());
  afterAll(() => world.dispose());

  it.each([1, 2, 3])("a team buys, changes and takes back: story %i", async () => {
    const anna: Buyer = await world.buyer();
    const { purchases, sandbox } = world;
    const faults = {
      loseAnswers: 0.2,
      failCalls: 0.05,
      duplicateWebhooks: 0.3,
      dropWebhooks: 0.2,
      reorderWebhooks: true,
    };
    const calm = () => sandbox.controls.faults.clear();
    const keyed = <T>(work: (idempotencyKey: string) => Promise<T>) => {
      const key = world.key();
      return untilAnswered(world, () => work(key));
    };
    async function buys(buy: typeof TEN | typeof SOLO, amount: number): Promise<void> {
      sandbox.controls.faults.set(faults);
      const { id } = await keyed((idempotencyKey) => world.checkout(anna, buy, amount, { idempotencyKey }));
      await world.pay(id);
      await world.settle();
      await untilAnswered(world, () => purchases.checkoutState(anna.scope, { checkoutId: world.asCheckout(id) }));
      calm();
    }
    await buys(TEN, 1_000);
    await buys(SOLO, 1_200);
    const change = { addOns: [{ addOn: "slot" as const, quantity: 2 }] };
    const { due: shown, prorationAt } = await purchases.previewChange(anna.scope, change);
    const idempotencyKey = world.key();
    sandbox.controls.faults.set({ loseAnswers: 0.3 });
    const apply = { change, shown, prorationAt, idempotencyKey };
    await untilAnswered(world, () => purchases.applyChange(anna.scope, apply));
    sandbox.controls.faults.set({ loseAnswers: 0.3 });
    await keyed((key) => purchases.refundBalance(anna.scope, { amount: 400, idempotencyKey: key }));
    for (let round = 0; round < 6; round += 1) {
      await world.work();
      world.clock.advance(61_000);
    }
    calm();
    world.clock.advance(26 * 3_600_000);
    await world.settle();

    const customer = (await world.account(anna))?.customerId ?? "";
    const of = { customer, limit: 100 } as const;
    const named = await world.stripe.customers.search({ query: `metadata['perch_team']:'${anna.teamId}'` });
    expect(named.data.map(({ id }) => id)).toEqual([customer]);
    const subscriptions = (await world.stripe.subscriptions.list({ ...of, status: "all" })).data;
    expect(subscriptions).toHaveLength(1);
    expect(subscriptions[0]?.items.data.map(({ quantity }) => quantity).sort()).toEqual([1, 2]);
    const invoices = (await world.stripe.invoices.list(of)).data;
    expect(invoices.filter(({ billing_reason }) => billing_reason === "subscription_update")).toHaveLength(1);
    const refunds = (await world.stripe.refunds.list({ limit: 100 })).data.filter(
      ({ metadata }) => metadata?.["perch_team"] === anna.teamId,
    );
    expect(refunds.map(({ amount }) => amount)).toEqual([400]);
    expect(await world.ledger.balance(world.db.read, anna.teamId)).toBe(600);
  });
});
