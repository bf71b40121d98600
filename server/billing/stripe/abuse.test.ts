import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchSignals } from "../../abuse/score.ts";
import { testSqlite } from "../../db/testing.ts";
import { createPurchasesRepo } from "./purchases.repo.ts";
import { type Buyer, openPurchasesWorld, type PurchasesWorld } from "./testing/purchases-world.ts";
import { insertInterval } from "./testing/rows.repo.ts";

const TEN = { kind: "top_up", topUp: "topup_1000" } as const;

describe("money and those who mean harm", () => {
  let world: PurchasesWorld;
  let anna: Buyer;
  beforeAll(async () => {
    world = await openPurchasesWorld(testSqlite);
    anna = await world.buyer();
  });
  afterAll(() => world.dispose());
  const balance = ({ teamId }: Buyer) => world.ledger.balance(world.db.read, teamId);

  it("ABUSE-37 forged, stale and changed webhooks are refused, replayed and reordered ones change nothing", async () => {
    const { id } = await world.checkout(anna, TEN, 1_000);
    await world.pay(id);
    await world.settle();
    expect(await balance(anna)).toBe(1_000);
    const [first] = world.sent;
    const { body = "", headers = {} } = world.sent.find((one) => one.body.includes("checkout.session.completed")) ?? {};
    const changed = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace(/v1=.{8}/, "v1=00000000")]),
    );
    expect(changed).not.toEqual(headers);
    expect(body).toContain("1000");
    const forged = [
      { body: body.replaceAll("1000", "9000"), headers },
      { body, headers: {} },
      { body, headers: changed },
      { body: first?.body ?? "", headers },
    ];
    expect(first?.body).not.toBe(body);
    for (const one of forged) expect(await world.arrive(one.body, one.headers)).toBe(400);
    // The same ones again, in the opposite order.
    for (const one of world.sent.toReversed()) expect(await world.arrive(one.body, one.headers)).toBe(200);
    await world.settle();
    expect(await balance(anna)).toBe(1_000);
    world.clock.advance(3_600_000);
    expect(await world.arrive(body, headers)).toBe(400);
    await world.settle();
    expect(await balance(anna)).toBe(1_000);
  });

  it("ABUSE-38 cards that are refused one after another count against who pays, and use without pay does", async () => {
    const eve = await world.buyer();
    const { id } = await world.checkout(eve, TEN, 1_000);
    for (let tried = 0; tried < 3; tried += 1) await world.pay(id, "declined");
    await world.settle();
    expect(world.declined.filter((teamId) => teamId === eve.teamId)).toHaveLength(3);
    expect(await balance(eve)).toBe(0);
    const from = new Date(world.clock.now());
    await insertInterval(world.db, eve, from, new Date(from.getTime() + 11 * 3_600_000));
    const { paidBy } = createPurchasesRepo(world.db);
    const of = async ({ userId }: Buyer) => world.db.tx((tx) => paidBy(tx, userId));
    expect(await of(eve)).toEqual({ hasPaid: false, usedMs: 11 * 3_600_000 });
    expect(await of(anna)).toEqual({ hasPaid: true, usedMs: 0 });
    const signals = launchSignals({
      ...{ launches: 1, isSignUpDoubtful: false },
      payment: { ...(await of(eve)), declinedCards: 3 },
    });
    expect(signals).toEqual(["cards_declined", "unpaid_use"]);
  });
});
