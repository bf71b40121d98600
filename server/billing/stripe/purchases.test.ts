import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TEST_ENGINES } from "../../db/testing.ts";
import { type Buyer, openPurchasesWorld, type PurchasesWorld } from "./testing/purchases-world.ts";
import { setSession } from "./testing/rows.repo.ts";

const SOLO = { kind: "plan", plan: "solo", cycle: "month" } as const;
const TEN = { kind: "top_up", topUp: "topup_1000" } as const;

describe.each(TEST_ENGINES)("buying on $name", (engine) => {
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
  const fails = (call: string) => world.sandbox.controls.faults.next("fail", call);
  const loses = (call: string) => world.sandbox.controls.faults.next("lose", call);
  const customersOf = async ({ teamId }: Buyer) =>
    (await world.stripe.customers.search({ query: `metadata['perch_team']:'${teamId}'` })).data;
  const sessionsOf = async (buyer: Buyer) => {
    const customer = (await world.account(buyer))?.customerId;
    return customer ? (await world.stripe.checkout.sessions.list({ customer, limit: 100 })).data : [];
  };
  const balance = ({ teamId }: Buyer) => world.ledger.balance(world.db.read, teamId);

  describe("a payment page", () => {
    it("sells a plan, a pack and a top-up, and saves a way to pay", async () => {
      await world.subscribes(anna);
      await world.buys(anna, { kind: "pack", pack: "pack_1000" }, 180);
      await world.buys(anna, TEN, 1_000);
      const saved = await world.buys(anna, { kind: "payment_method" }, 0);
      expect(await world.purchases.checkoutState(anna.scope, { checkoutId: world.asCheckout(saved) })).toEqual({
        ...{ state: "paid", words: "Saved. It is used for what you pay later." },
      });
      expect((await world.subscription(anna)).status).toBe("active");
      expect(await balance(anna)).toBe(1_000);
      const [customer, ...others] = await customersOf(anna);
      expect(others).toEqual([]);
      expect(customer).toMatchObject({ email: `${anna.userId.toLowerCase()}@x.example`, name: "Anna Buyer" });
    });

    it("asks Stripe for what fits each: a card in any case, an invoice, a card that stays for later", async () => {
      world.requests.length = 0;
      await world.checkout(anna, SOLO, 1_200);
      await world.checkout(anna, TEN, 1_000);
      await world.checkout(anna, { kind: "payment_method" }, 0);
      const [plan, topUp, saved] = world.requests.flatMap(({ method, path, params }) =>
        method === "POST" && path === "/v1/checkout/sessions" ? [params] : [],
      );
      expect(plan).toMatchObject({ mode: "subscription", payment_method_collection: "always" });
      expect(plan?.["subscription_data"]).toEqual({ metadata: expect.objectContaining({ perch_team: anna.teamId }) });
      expect(topUp).toMatchObject({ mode: "payment", invoice_creation: { enabled: "true" } });
      expect(topUp).toMatchObject({ payment_intent_data: { setup_future_usage: "off_session" } });
      expect(saved).toMatchObject({ mode: "setup", currency: "usd" });
      for (const asked of [plan, topUp, saved]) {
        expect(asked?.["client_reference_id"]).toMatch(/^chk_/);
        expect(asked).not.toHaveProperty("automatic_tax");
      }
    });

    it("is the same one for whoever asks again, with the same key or another", async () => {
      const idempotencyKey = world.key();
      const first = await world.checkout(anna, TEN, 1_000, { idempotencyKey });
      const bert = await world.buyer("billing", anna.teamId);
      const again = await Promise.all([
        world.checkout(anna, TEN, 1_000, { idempotencyKey }),
        world.checkout(anna, TEN, 1_000),
        world.checkout(bert, TEN, 1_000),
      ]);
      expect(again).toEqual([first, first, first]);
      expect(await sessionsOf(anna)).toHaveLength(1);
    });

    it("is one when several ask at the same moment, and one customer", async () => {
      const bert = await world.buyer("billing", anna.teamId);
      const opened = await Promise.all([
        world.checkout(anna, TEN, 1_000),
        world.checkout(bert, TEN, 1_000),
        world.checkout(anna, TEN, 1_000),
      ]);
      expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
      expect(await sessionsOf(anna)).toHaveLength(1);
      expect(await customersOf(anna)).toHaveLength(1);
    });

    it.each([
      ["POST /v1/customers", "lose"],
      ["POST /v1/customers", "fail"],
      ["POST /v1/checkout/sessions", "lose"],
      ["POST /v1/checkout/sessions", "fail"],
    ] as const)("survives %s when it is told to %s: one customer, one page", async (call, fault) => {
      const idempotencyKey = world.key();
      world.sandbox.controls.faults.next(fault, call);
      const again = () => world.checkout(anna, TEN, 1_000, { idempotencyKey });
      await expect(again()).rejects.toThrow("Stripe does not answer at the moment");
      const { id } = await again();
      expect(await again()).toMatchObject({ id });
      world.clock.advance(100_000);
      await world.work();
      expect(await sessionsOf(anna)).toHaveLength(1);
      expect(await customersOf(anna)).toHaveLength(1);
      await world.pay(id);
      await world.settle();
      expect(await balance(anna)).toBe(1_000);
    });

    it.each([
      ["POST /v1/customers", false],
      ["POST /v1/customers", true],
      ["POST /v1/checkout/sessions", false],
      ["POST /v1/checkout/sessions", true],
    ])("is not held up for a day by an error of Stripe's to %s, whether that worked (%s)", async (call, works) => {
      const idempotencyKey = world.key();
      const again = () => world.checkout(anna, TEN, 1_000, { idempotencyKey });
      world.errors.next = { call, works };
      await expect(again()).rejects.toThrow("Stripe does not answer at the moment");
      const { id, url } = await again();
      expect(url).toContain("http");
      expect(await sessionsOf(anna)).toHaveLength(1);
      expect(await customersOf(anna)).toHaveLength(1);
      await world.pay(id);
      await world.settle();
      expect(await balance(anna)).toBe(1_000);
    });

    it("gives what was bought once, though the person and the webhook come at once, and again", async () => {
      const { id } = await world.checkout(anna, TEN, 1_000);
      await world.pay(id);
      const look = () => world.purchases.checkoutState(anna.scope, { checkoutId: world.asCheckout(id) });
      const states = await Promise.all([look(), world.settle(), look()]);
      expect(states[0]).toEqual({ state: "paid", words: "Paid. Thank you." });
      expect(states[2]).toEqual(states[0]);
      await world.settle();
      expect(await balance(anna)).toBe(1_000);
      expect(await look()).toEqual(states[0]);
    });

    it("of another plan is closed first, so that nobody subscribes twice", async () => {
      const solo = await world.checkout(anna, SOLO, 1_200);
      const team = await world.checkout(anna, { kind: "plan", plan: "team", cycle: "month" }, 4_900);
      expect(team.id).not.toBe(solo.id);
      const open = (await sessionsOf(anna)).filter(({ status }) => status === "open");
      expect(open).toHaveLength(1);
      await expect(world.pay(solo.id)).rejects.toThrow();
      // One that was paid a moment ago stands in the way.
      await world.pay(team.id);
      await expect(world.checkout(anna, SOLO, 1_200)).rejects.toThrow("This team has a plan");
      expect(
        (await world.stripe.subscriptions.list({ customer: (await world.account(anna))?.customerId ?? "" })).data,
      ).toHaveLength(1);
    });

    it("asks for taxes where that is set up", async () => {
      const taxed = await openPurchasesWorld(engine, { STRIPE_TAX: "on" });
      const bea = await taxed.buyer();
      await taxed.checkout(bea, SOLO, 1_200);
      const asked = taxed.requests.find(({ method, path }) => method === "POST" && path === "/v1/checkout/sessions");
      expect(asked?.params).toMatchObject({
        ...{ automatic_tax: { enabled: "true" }, tax_id_collection: { enabled: "true" } },
        customer_update: { address: "auto", name: "auto" },
      });
      await taxed.dispose();
    });
  });

  describe("what does not fit is refused with a sentence, and nothing is charged", () => {
    const nothing = async () => {
      expect(await sessionsOf(anna)).toEqual([]);
      expect(await balance(anna)).toBe(0);
    };
    it("another price than the one shown", async () => {
      await expect(world.checkout(anna, SOLO, 1_000)).rejects.toThrow(
        "The price is now $12.00, it was shown as $10.00. Look again.",
      );
      await nothing();
    });
    it("no price shown, or another currency", async () => {
      await expect(world.checkout(anna, TEN, 1_000, { shown: undefined })).rejects.toThrow("Say which price was shown");
      const shown = { amount: 1_000, currency: "eur" };
      await expect(world.checkout(anna, TEN, 1_000, { shown })).rejects.toThrow("Prices here are in USD");
      await nothing();
    });
    it("a team that pays in another currency", async () => {
      await world.db.tx((tx) =>
        tx.insert(world.db.t.billingAccounts).values({
          ...{ teamId: anna.teamId, currency: "eur", timeZone: "UTC", overageAllowed: false, overageCap: 0 },
          createdAt: new Date(world.clock.now()),
        }),
      );
      await expect(world.checkout(anna, TEN, 1_000)).rejects.toThrow("This team pays in EUR");
      await nothing();
    });
    it("a price that is not set up at Stripe, or is another one there", async () => {
      const [price] = (await world.stripe.prices.list({ lookup_keys: ["perch_topup_2500"] })).data;
      await world.stripe.prices.update(price?.id ?? "", { active: false });
      const buy = { kind: "top_up", topUp: "topup_2500" } as const;
      await expect(world.checkout(anna, buy, 2_500)).rejects.toThrow("not set up at Stripe yet");
      await world.out.asking?.syncCatalogue();
      await expect(world.checkout(anna, buy, 2_500)).resolves.toMatchObject({ url: expect.any(String) });
    });
    it("a first top-up that is too large, until one was paid", async () => {
      const large = { kind: "top_up", topUp: "topup_10000" } as const;
      await expect(world.checkout(anna, large, 10_000)).rejects.toThrow("The first top-up may be $50.00 at most");
      await nothing();
      await world.buys(anna, TEN, 1_000);
      await expect(world.checkout(anna, large, 10_000)).resolves.toBeDefined();
    });
    it("a second plan", async () => {
      await world.subscribes(anna);
      await expect(world.checkout(anna, SOLO, 1_200)).rejects.toThrow("This team has a plan. Change that one");
    });
    it("a key that was used for something else", async () => {
      const idempotencyKey = world.key();
      await world.checkout(anna, TEN, 1_000, { idempotencyKey });
      await expect(
        world.checkout(anna, { kind: "pack", pack: "pack_1000" }, 180, { idempotencyKey }),
      ).rejects.toMatchObject({ code: "idempotency_mismatch" });
    });
    it("a page that has closed, also for its state", async () => {
      const idempotencyKey = world.key();
      const { id } = await world.checkout(anna, TEN, 1_000, { idempotencyKey });
      world.clock.advance(45 * 60_000);
      await world.settle();
      await expect(world.checkout(anna, TEN, 1_000, { idempotencyKey })).rejects.toThrow(
        "This payment page has closed, and nothing was charged. Start again.",
      );
      expect(await world.purchases.checkoutState(anna.scope, { checkoutId: world.asCheckout(id) })).toMatchObject({
        state: "expired",
      });
      expect(await balance(anna)).toBe(0);
      await expect(world.checkout(anna, TEN, 1_000)).resolves.toBeDefined();
    });
    it("another team's purchase, and a session of another customer", async () => {
      const { id } = await world.checkout(anna, TEN, 1_000);
      const eve = await world.buyer();
      const look = { checkoutId: world.asCheckout(id) };
      await expect(world.purchases.checkoutState(eve.scope, look)).rejects.toThrow("no such purchase in this team");
      const hers = await world.checkout(eve, TEN, 1_000);
      await world.pay(hers.id);
      const { sessionId } = await world.row(hers.id);
      await setSession(world.db, world.asCheckout(hers.id), "cs_gone");
      await setSession(world.db, world.asCheckout(id), sessionId);
      await expect(world.purchases.checkoutState(anna.scope, look)).rejects.toThrow("belongs to another customer");
      // Nor is a session of her own for another purchase.
      const pack = await world.checkout(anna, { kind: "pack", pack: "pack_1000" }, 180);
      const packSession = (await world.row(pack.id)).sessionId;
      await setSession(world.db, world.asCheckout(pack.id), "cs_gone_too");
      await setSession(world.db, world.asCheckout(id), packSession);
      await expect(world.purchases.checkoutState(anna.scope, look)).rejects.toThrow("belongs to another customer");
      expect(await balance(anna)).toBe(0);
    });
    it("a sixth page of a team within an hour, and an eleventh from one network", async () => {
      const things = [
        { buy: SOLO, amount: 1_200 },
        { buy: { kind: "pack", pack: "pack_1000" }, amount: 180 },
        { buy: { kind: "pack", pack: "pack_5000" }, amount: 800 },
        { buy: TEN, amount: 1_000 },
        { buy: { kind: "top_up", topUp: "topup_500" }, amount: 500 },
      ] as const;
      for (const { buy, amount } of things) await world.checkout(anna, buy, amount);
      const sixth = { kind: "top_up", topUp: "topup_2500" } as const;
      await expect(world.checkout(anna, sixth, 2_500)).rejects.toMatchObject({ code: "rate_limited" });
      expect(await sessionsOf(anna)).toHaveLength(5);
      let opened = 0;
      for (let at = 0; at < 15; at += 1) {
        const one = await world.buyer();
        world.clock.advance(3 * 60_000);
        opened += await world.checkout(one, TEN, 1_000, {}, "192.0.2.7").then(
          () => 1,
          () => 0,
        );
      }
      expect(opened).toBeLessThanOrEqual(10);
      expect(opened).toBeGreaterThan(4);
    });
  });

  describe("the portal", () => {
    it("opens for who bought something, with a set-up from code, and not for others", async () => {
      await expect(world.purchases.portal(anna.scope)).rejects.toThrow("nothing was bought");
      await world.subscribes(anna);
      const { url } = await world.purchases.portal(anna.scope);
      expect(url).toContain("http");
      await world.purchases.portal(anna.scope);
      const { data } = await world.stripe.billingPortal.configurations.list();
      expect(data).toHaveLength(1);
      expect(data[0]?.features).toMatchObject({
        ...{ subscription_update: { enabled: false }, subscription_cancel: { enabled: true, mode: "at_period_end" } },
        ...{ payment_method_update: { enabled: true }, invoice_history: { enabled: true } },
      });
    });
    it("is not asked for again once nobody waits", async () => {
      await world.subscribes(anna);
      fails("POST /v1/billing_portal/sessions");
      await expect(world.purchases.portal(anna.scope)).rejects.toThrow("does not answer");
      loses("POST /v1/billing_portal/sessions");
      await expect(world.purchases.portal(anna.scope)).rejects.toThrow("does not answer");
      expect((await world.callsOf("portal.open")).filter(({ state }) => state === "queued")).toEqual([]);
    });
  });
});
