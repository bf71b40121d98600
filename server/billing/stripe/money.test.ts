import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TEST_ENGINES } from "../../db/testing.ts";
import { creditBack } from "./refunds.service.ts";
import { type Buyer, openPurchasesWorld, type PurchasesWorld } from "./testing/purchases-world.ts";
import { forgetCalls, insertInterval, insertOverage, moneyBackOf, setFrozen } from "./testing/rows.repo.ts";

const DAY_MS = 24 * 3_600_000;
const topUp = (topUp: "topup_500" | "topup_1000" | "topup_2500") => ({ kind: "top_up", topUp }) as const;

describe.each(TEST_ENGINES)("money that goes back, and what is owed, on $name", (engine) => {
  let world: PurchasesWorld;
  let anna: Buyer;
  beforeAll(async () => {
    world = await openPurchasesWorld(engine);
  });
  beforeEach(async () => {
    world.sandbox.controls.faults.clear();
    world.clock.advance(1_000);
    anna = await world.buyer();
  });
  afterAll(() => world.dispose());
  const balance = () => world.ledger.balance(world.db.read, anna.teamId);
  const refund = (amount: number, idempotencyKey = world.key()) =>
    world.purchases.refundBalance(anna.scope, { amount, idempotencyKey });
  const refunds = async () => {
    const all = (await world.stripe.refunds.list({ limit: 100 })).data;
    return all
      .filter(({ metadata }) => metadata?.["perch_team"] === anna.teamId)
      .map(({ amount, status }) => ({ amount, status }));
  };
  const use = (amount: number) =>
    world.db.tx((tx) =>
      world.ledger.debit(tx, { teamId: anna.teamId, amount, whole: true, source: "operator", sourceId: world.key() }),
    );

  describe("a refund of the balance", () => {
    it("takes the newest top-ups first, out of the balance before anything is asked, once for each key", async () => {
      await world.buys(anna, topUp("topup_1000"), 1_000);
      world.clock.advance(DAY_MS);
      await world.buys(anna, topUp("topup_500"), 500);
      const key = world.key();
      expect(await refund(800, key)).toEqual({ refunded: 800 });
      expect(await balance()).toBe(700);
      expect(await refunds()).toEqual([]);
      expect(await refund(800, key)).toEqual({ refunded: 800 });
      await expect(refund(700, key)).rejects.toMatchObject({ code: "idempotency_mismatch" });
      await world.settle();
      expect((await refunds()).map(({ amount }) => amount).sort()).toEqual([300, 500]);
      expect(await balance()).toBe(700);
      await expect(refund(701)).rejects.toThrow("$7.00 can be given back");
      await refund(700);
      await world.settle();
      expect(await balance()).toBe(0);
      expect(
        (await moneyBackOf(world.db, anna.teamId)).map(({ amount, status }) => `${amount} ${status}`).sort(),
      ).toEqual(["300 succeeded", "500 succeeded", "700 succeeded"]);
    });

    it("leaves what was used, what is older than 90 days, and a frozen balance", async () => {
      await world.buys(anna, topUp("topup_1000"), 1_000);
      await use(600);
      await expect(refund(500)).rejects.toThrow("$4.00 can be given back");
      await setFrozen(world.db, anna.teamId, "dispute");
      await expect(refund(100)).rejects.toThrow("Nothing of the balance can be given back");
      await setFrozen(world.db, anna.teamId, null);
      world.clock.advance(91 * DAY_MS);
      await expect(refund(100)).rejects.toThrow("Nothing of the balance can be given back");
      expect(await balance()).toBe(400);
      expect(await refunds()).toEqual([]);
    });

    it("is made once, whether the answer was lost or Stripe failed, also after its key is forgotten", async () => {
      await world.buys(anna, topUp("topup_1000"), 1_000);
      world.sandbox.controls.faults.next("lose", "POST /v1/refunds");
      await refund(400);
      await world.work();
      world.clock.advance(26 * 3_600_000);
      await world.settle();
      expect(await refunds()).toEqual([{ amount: 400, status: "succeeded" }]);
      world.sandbox.controls.faults.next("fail", "POST /v1/refunds");
      await refund(300);
      await world.work();
      world.clock.advance(26 * 3_600_000);
      await world.settle();
      expect((await refunds()).map(({ amount }) => amount).sort()).toEqual([300, 400]);
      expect(await balance()).toBe(300);
    });

    it("that Stripe refuses, or that does not arrive, is in the balance again, once", async () => {
      const id = await world.buys(anna, topUp("topup_1000"), 1_000);
      const { sessionId } = await world.row(id);
      const { payment_intent } = await world.stripe.checkout.sessions.retrieve(sessionId ?? "");
      await refund(600);
      await world.stripe.refunds.create({ payment_intent: String(payment_intent), amount: 900 });
      await world.settle();
      expect(await balance()).toBe(1_000);
      const [call] = (await world.callsOf("refund.create")).filter(({ teamId }) => teamId === anna.teamId);
      expect(call).toMatchObject({ state: "failed", error: expect.any(String) });
      const refundId = String(call?.input["refundId"]);
      const again = await world.db.tx((tx) =>
        creditBack(
          tx,
          { repo: { renameMoneyBack: async () => {} }, ledger: world.ledger },
          {
            ...{ teamId: anna.teamId, refundId, amount: 600 },
          },
        ),
      );
      expect(again).toBe(false);
      expect(await balance()).toBe(1_000);

      const bert = await world.buyer();
      const { id: other } = await world.checkout(bert, topUp("topup_500"), 500);
      await world.pay(other, "refund_fails");
      await world.settle();
      await world.purchases.refundBalance(bert.scope, { amount: 500, idempotencyKey: world.key() });
      expect(await world.ledger.balance(world.db.read, bert.teamId)).toBe(0);
      await world.settle();
      await world.settle();
      expect(await world.ledger.balance(world.db.read, bert.teamId)).toBe(500);
    });

    it("is not paid twice by two who ask at once", async () => {
      await world.buys(anna, topUp("topup_1000"), 1_000);
      const asked = await Promise.allSettled([refund(700), refund(700)]);
      expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      await world.settle();
      expect(await refunds()).toEqual([{ amount: 700, status: "succeeded" }]);
      expect(await balance()).toBe(300);
    });
  });

  describe("overage", () => {
    /** Passes the end of the period; gives the draft Stripe made. */
    async function draftOf() {
      const [item] = (await world.subscription(anna)).items.data;
      world.clock.advance((item?.current_period_end ?? 0) * 1_000 - world.clock.now() + 60_000);
      await world.sandbox.tick();
      const customer = (await world.account(anna))?.customerId ?? "";
      const all = (await world.stripe.invoices.list({ customer })).data;
      return all.find(({ billing_reason }) => billing_reason === "subscription_cycle");
    }
    const items = async (invoice: string) => (await world.stripe.invoiceItems.list({ invoice })).data;

    it("comes onto the draft of the cycle once, though asked twice and the answer is lost", async () => {
      await world.subscribes(anna);
      await insertOverage(world.db, anna.teamId, 125, new Date(world.clock.now() + DAY_MS));
      world.sandbox.controls.faults.next("lose", "POST /v1/invoiceitems");
      const draft = await draftOf();
      for (let round = 0; round < 5; round += 1) {
        await world.settle();
        world.clock.advance(61_000);
      }
      await world.out.asking?.overage.addOverage(draft?.id ?? "");
      expect(await items(draft?.id ?? "")).toMatchObject([{ amount: 125, currency: "usd" }]);
      expect((await world.callsOf("overage.create")).filter(({ teamId }) => teamId === anna.teamId)).toHaveLength(1);
    });

    it("waits while phone time of the period is being counted", async () => {
      await world.subscribes(anna);
      const from = new Date(world.clock.now() + DAY_MS);
      const interval = await insertInterval(world.db, anna, from, new Date(from.getTime() + 60_000));
      await insertOverage(world.db, anna.teamId, 40, from);
      const draft = await draftOf();
      const add = () => world.out.asking?.overage.addOverage(draft?.id ?? "");
      await expect(add()).rejects.toMatchObject({ code: "unavailable" });
      expect(await items(draft?.id ?? "")).toEqual([]);
      await interval.rated();
      await add();
      expect(await items(draft?.id ?? "")).toMatchObject([{ amount: 40 }]);
    });

    const rest = () =>
      world.out.jobs["billing.overage_rest"]?.(
        {},
        {
          ...{ signal: new AbortController().signal, progress: null, idempotencyKey: "", isLastAttempt: false },
          ...{ log: { info() {}, warn() {}, error() {} }, saveProgress: async () => {}, finish: async () => {} },
        },
      );
    const ownInvoices = async () => {
      const customer = (await world.account(anna))?.customerId ?? "";
      const all = (await world.stripe.invoices.list({ customer, limit: 100 })).data;
      return all.filter(({ billing_reason }) => billing_reason === "manual").map(({ total }) => total);
    };

    it("of a plan paid by the year comes each month on an invoice of its own, once", async () => {
      await world.buys(anna, { kind: "plan", plan: "solo", cycle: "year" }, 12_000);
      await insertOverage(world.db, anna.teamId, 70, new Date(world.clock.now() + DAY_MS));
      await rest();
      expect(await ownInvoices()).toEqual([]);
      world.clock.advance(32 * DAY_MS);
      await insertOverage(world.db, anna.teamId, 30, new Date(world.clock.now()));
      world.sandbox.controls.faults.next("lose", "POST /v1/invoices");
      await rest();
      world.clock.advance(120_000);
      await world.settle();
      await rest();
      expect(await ownInvoices()).toEqual([70]);
      world.clock.advance(31 * DAY_MS);
      await rest();
      expect((await ownInvoices()).sort()).toEqual([30, 70]);
      // Neither when the calls that asked for it are forgotten, nor with the invoice of the year.
      for (let month = 0; month < 12; month += 1) {
        world.clock.advance(31 * DAY_MS);
        await forgetCalls(world.db, new Date(world.clock.now() - 90 * DAY_MS));
        await rest();
        await world.settle();
      }
      expect((await ownInvoices()).sort()).toEqual([30, 70]);
      const customer = (await world.account(anna))?.customerId ?? "";
      const owed = (await world.stripe.invoiceItems.list({ customer, limit: 100 })).data;
      expect(owed.map(({ amount }) => amount).sort()).toEqual([30, 70]);
    });

    it("that is left when a plan has ended comes on a last invoice; one that goes on by the month brings its own", async () => {
      await world.subscribes(anna);
      await insertOverage(world.db, anna.teamId, 55, new Date(world.clock.now() + DAY_MS));
      world.clock.advance(3 * DAY_MS);
      await rest();
      expect(await ownInvoices()).toEqual([]);
      await world.stripe.subscriptions.cancel((await world.subscription(anna)).id);
      await world.settle();
      await rest();
      await rest();
      expect(await ownInvoices()).toEqual([55]);
    });

    it("is nothing for other invoices, and where nothing is owed", async () => {
      await world.subscribes(anna);
      const customer = (await world.account(anna))?.customerId ?? "";
      const [first] = (await world.stripe.invoices.list({ customer })).data;
      await insertOverage(world.db, anna.teamId, 40, new Date(world.clock.now() - DAY_MS));
      await world.out.asking?.overage.addOverage(first?.id ?? "");
      const draft = await draftOf();
      await world.out.asking?.overage.addOverage(draft?.id ?? "");
      expect(await items(draft?.id ?? "")).toEqual([]);
    });
  });

  it("a meter of Stripe's gets each hour's minutes, again with what is right by then", async () => {
    const metered = await openPurchasesWorld(engine, { STRIPE_METER: "phone_minutes" });
    await metered.stripe.billing.meters.create({
      ...{ display_name: "Minutes", event_name: "phone_minutes", default_aggregation: { formula: "sum" } },
      event_time_window: "hour",
    });
    const bea = await metered.buyer();
    await metered.buys(bea, topUp("topup_500"), 500);
    const hour = Math.floor(metered.clock.now() / 3_600_000) * 3_600_000;
    await insertInterval(metered.db, bea, new Date(hour + 50 * 60_000), new Date(hour + 75 * 60_000));
    metered.clock.advance(2 * 3_600_000);
    const run = () =>
      metered.out.jobs["billing.usage_sink"]?.(
        {},
        {
          ...{ signal: new AbortController().signal, progress: null, idempotencyKey: "", isLastAttempt: false },
          ...{ log: { info() {}, warn() {}, error() {} }, saveProgress: async () => {}, finish: async () => {} },
        },
      );
    metered.requests.length = 0;
    await run();
    const sent = metered.requests.filter(({ path }) => path === "/v1/billing/meter_events").map(({ params }) => params);
    expect(sent).toMatchObject([{ payload: { value: "10" } }, { payload: { value: "15" } }]);
    await run();
    await metered.dispose();
  });
});
