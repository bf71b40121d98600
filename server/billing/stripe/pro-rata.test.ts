import { eq } from "drizzle-orm";
import fc from "fast-check";
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testSqlite } from "../../db/testing.ts";
import { unusedOf } from "./pro-rata.ts";
import { type Buyer, openPurchasesWorld, type PurchasesWorld } from "./testing/purchases-world.ts";

const DAY_MS = 24 * 3_600_000;
const invoiceOf = (lines: readonly { amount: number; start: number; end: number; tax?: number }[]) => {
  const data = lines.map(({ amount, start, end, tax = 0 }) => ({
    ...{ amount, period: { start, end }, taxes: [{ amount: tax, tax_behavior: "exclusive" }] },
  }));
  return { lines: { data } } as unknown as Pick<Stripe.Invoice, "lines">;
};

describe("what is unused of an invoice", () => {
  it.each([
    [[{ amount: 1_200, start: 0, end: 100 }], 25, 900],
    [[{ amount: 1_200, start: 0, end: 100, tax: 228 }], 50, 714],
    [[{ amount: 100, start: 0, end: 3 }], 1, 67],
    [[{ amount: 1_200, start: 50, end: 100 }], 0, 1_200],
    [[{ amount: 1_200, start: 0, end: 100 }], 100, 0],
    [[{ amount: 500, start: 10, end: 10 }], 10, 0],
    [
      [
        { amount: 1_200, start: 0, end: 100 },
        { amount: -600, start: 50, end: 100 },
        { amount: 2_450, start: 50, end: 100 },
      ],
      75,
      300 - 300 + 1_225,
    ],
  ])("%j at %d is %d", (lines, at, unused) => expect(unusedOf(invoiceOf(lines), at)).toBe(unused));
  it("is never more than was charged, never less than its part, and shrinks with time", () => {
    const amount = fc.integer({ min: 0, max: 2 ** 40 });
    const length = fc.integer({ min: 1, max: 366 * 24 * 3_600 });
    fc.assert(
      fc.property(amount, length, fc.nat(), fc.nat(), (of, end, one, two) => {
        const [early, late] = [one % (end + 1), two % (end + 1)].sort((a, b) => a - b) as [number, number];
        const invoice = invoiceOf([{ amount: of, start: 0, end }]);
        const [first, second] = [unusedOf(invoice, early), unusedOf(invoice, late)];
        expect(first).toBeLessThanOrEqual(of);
        expect(first).toBeGreaterThanOrEqual(second);
        expect(BigInt(first) * BigInt(end)).toBeGreaterThanOrEqual(BigInt(of) * BigInt(end - early));
      }),
    );
  });
});

describe("who does not agree with a new policy", () => {
  let world: PurchasesWorld;
  beforeAll(async () => {
    world = await openPurchasesWorld(testSqlite);
  });
  afterAll(() => world.dispose());
  const object = (by: Buyer) => world.db.tx((tx) => world.out.proRata.whenLeaving(tx, by.userId, 2));
  /** What was asked for is made, and then heard of. */
  async function settle(): Promise<void> {
    await world.settle();
    await world.settle();
  }
  const refunds = async ({ teamId }: Buyer) => {
    const { moneyBack: t } = world.db.t;
    return (await world.db.read.select().from(t).where(eq(t.teamId, teamId))).map(({ amount, status }) => ({
      amount,
      status,
    }));
  };

  it("gets back the unused part of the month, once, and their plan ends", async () => {
    const by = await world.buyer();
    await world.subscribes(by);
    world.clock.advance(7 * DAY_MS + DAY_MS / 2 + DAY_MS / 4);
    await object(by);
    await object(by);
    await settle();
    // A month of 31 days, a quarter of it used.
    expect(await refunds(by)).toEqual([{ amount: 900, status: "succeeded" }]);
    expect((await world.subscription(by)).status).toBe("canceled");
    await object(by);
    await settle();
    expect(await refunds(by)).toHaveLength(1);
  });
  it("asks again after an answer that was lost, and gives back once", async () => {
    const by = await world.buyer();
    await world.subscribes(by);
    world.clock.advance((31 * DAY_MS) / 2);
    await object(by);
    world.sandbox.controls.faults.next("lose", "POST /v1/refunds");
    await settle();
    world.clock.advance(2 * DAY_MS);
    await settle();
    expect(await refunds(by)).toEqual([{ amount: 600, status: "succeeded" }]);
    expect((await world.callsOf("subscription.leave")).map(({ state }) => state)).toEqual(["done", "done"]);
  });
  it("leaves the plan to a team that has another owner, and pays nothing where nothing was paid", async () => {
    const by = await world.buyer();
    await world.subscribes(by);
    await world.buyer("owner", by.teamId);
    const free = await world.buyer();
    await object(by);
    await object(free);
    await settle();
    expect((await world.subscription(by)).status).toBe("active");
    expect([...(await refunds(by)), ...(await refunds(free))]).toEqual([]);
  });
});
