/** From Stripe's events to what people have: purchases, invoices, failed payments, disputes, refunds, and a whole year. */
import { eq } from "drizzle-orm";
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TeamId } from "../../../shared/ids.ts";
import { TEST_ENGINES, testPglite } from "../../db/testing.ts";
import { GRACE_MS } from "../entitlements.ts";
import { mailsTo, mirrorOf, openStripeWorld, type StripeWorld, type WorldTeam } from "./testing/stripe-world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe.each(TEST_ENGINES)("on $name", (engine) => {
  /** PGlite takes long over these; PostgreSQL itself, where there is one, runs them. */
  const notOnPglite = it.runIf(engine.name !== testPglite.name);
  let world: StripeWorld;
  beforeAll(async () => {
    world = await openStripeWorld(engine);
  });
  afterAll(() => world.dispose());

  const may = (teamId: TeamId) => world.entitlements.of(world.db.read, teamId, new Date(world.clock.now()));
  const balance = (teamId: TeamId) => world.ledger.balance(world.db.read, teamId);
  const account = async (teamId: TeamId) => {
    const { billingAccounts: t } = world.db.t;
    return (await world.db.read.select().from(t).where(eq(t.teamId, teamId)))[0];
  };
  const checkoutOf = async (session: Pick<Stripe.Checkout.Session, "id">) => {
    const { checkouts: t } = world.db.t;
    return (await world.db.read.select().from(t).where(eq(t.sessionId, session.id)))[0];
  };
  const findings = () => world.db.read.select().from(world.db.t.reconcileFindings);
  const actions = async (teamId: TeamId) => {
    const { auditLog: t } = world.db.t;
    const rows = await world.db.read.select().from(t).where(eq(t.chain, teamId));
    return rows.map(({ action }) => action).filter((action) => action.startsWith("billing."));
  };

  notOnPglite(
    "follows a year of a subscription: twelve invoices, a month of plan time each, an end as asked for",
    async () => {
      const team = await world.team();
      const session = await world.buy(team, "perch_solo_month");
      await world.settle();
      const started = world.clock.now();
      const months = new Set<string>();
      for (let day = 0; day < 364; day += 14) {
        await world.pass(14 * DAY_MS);
        months.add((await may(team.teamId)).month.from.toISOString());
      }
      const { invoices, subscriptions } = await mirrorOf(world.db, team.teamId);
      expect(invoices.filter(({ status }) => status === "paid")).toHaveLength(12);
      expect(await world.billing.ofTeam(team.teamId)).toHaveLength(12);
      expect(months.size).toBe(12);
      expect(subscriptions[0]).toMatchObject({
        status: "active",
        anchor: new Date(Math.floor(started / 1_000) * 1_000),
      });
      await world.stripe.subscriptions.update(String(session.subscription), { cancel_at_period_end: true });
      await world.settle();
      expect((await mirrorOf(world.db, team.teamId)).subscriptions[0]).toMatchObject({ cancelAtPeriodEnd: true });
      await world.pass(3 * DAY_MS);
      expect(await may(team.teamId)).toMatchObject({ plan: "free" });
      expect((await mailsTo(world.db, team.userId)).filter((kind) => kind === "subscription_ended")).toHaveLength(1);
    },
  );

  describe("a purchase", () => {
    it("of a balance, a pack and a plan is given once, with a record of the law and one receipt each", async () => {
      const team = await world.team();
      await world.buy(team, "perch_topup_2500");
      await world.buy(team, "perch_pack_1000");
      await world.buy(team, "perch_solo_month");
      await world.settle();
      expect(await balance(team.teamId)).toBe(2_500);
      const funds = await world.db.tx((tx) => world.ledger.funds(tx, team.teamId, new Date(world.clock.now())));
      expect(funds.grants).toContainEqual(expect.objectContaining({ kind: "pack", remainingMs: 1_000 * 60_000 }));
      expect(await may(team.teamId)).toMatchObject({ plan: "solo", cycle: "month", standing: "good" });
      const { invoices, subscriptions } = await mirrorOf(world.db, team.teamId);
      expect(subscriptions).toMatchObject([
        { status: "active", items: [{ lookupKey: "perch_solo_month", quantity: 1 }] },
      ]);
      expect(invoices.map(({ words, status }) => `${words}: ${status}`)).toEqual([
        "Balance: paid",
        "1,000 minutes: paid",
        "Solo, monthly: paid",
      ]);
      const records = await world.billing.ofTeam(team.teamId);
      expect(records.map(({ net, country }) => `${net} ${country}`).sort()).toEqual(["1200 DE", "180 DE", "2500 DE"]);
      expect(records[0]?.billTo).toEqual({ name: "Anna Buyer", address: "Way 1\n10115 Berlin\nDE" });
      expect(await mailsTo(world.db, team.userId)).toEqual(["receipt", "receipt", "receipt"]);
      expect(await actions(team.teamId)).toEqual(["billing.purchased", "billing.purchased", "billing.purchased"]);
    });
    it("is given once when the person comes back at the moment Stripe tells", async () => {
      const team = await world.team();
      const deliveries: Parameters<StripeWorld["arriveOne"]>[0][] = [];
      world.state.take = async (delivery) => {
        deliveries.push(delivery);
        return 200;
      };
      const session = await world.buy(team, "perch_topup_500");
      await world.sandbox.tick();
      world.state.take = world.arriveOne;
      const redirect = () => world.parts.mirror.fulfil(session, world.parts.mirror.stamp());
      await Promise.all([
        redirect(),
        ...deliveries.map(world.arriveOne).map((arriving) => arriving.then(() => world.work())),
        redirect(),
        redirect(),
      ]);
      await Promise.all([redirect(), world.settle()]);
      expect(await balance(team.teamId)).toBe(500);
      expect(await actions(team.teamId)).toEqual(["billing.purchased"]);
      expect(await checkoutOf(session)).toMatchObject({ state: "paid" });
    });
    notOnPglite("that nobody paid gives nothing: left, expired, in processing, failed", async () => {
      const team = await world.team();
      const { session } = await world.checkout(team, "perch_topup_500");
      const shown = async (change: Partial<Stripe.Checkout.Session>) => {
        await world.parts.mirror.fulfil({ ...session, ...change } as Stripe.Checkout.Session, new Date());
        return (await checkoutOf(session))?.state;
      };
      expect(await shown({})).toBe("open");
      expect(await shown({ status: "complete", payment_status: "unpaid" })).toBe("processing");
      const intent = { id: "pi_1", status: "requires_payment_method" } as Stripe.PaymentIntent;
      expect(await shown({ status: "complete", payment_status: "unpaid", payment_intent: intent })).toBe("expired");
      expect(await shown({ status: "expired" })).toBe("expired");
      expect(await balance(team.teamId)).toBe(0);
      expect(await shown({ status: "complete", payment_status: "paid" })).toBe("paid");
      expect(await shown({ status: "expired" })).toBe("paid");
      expect(await balance(team.teamId)).toBe(500);
    });
    notOnPglite("by a bank that takes a day is given when it paid, and not at all when it did not", async () => {
      const team = await world.team();
      const paid = await world.buy(team, "perch_topup_500", "pays_later");
      const failed = await world.buy(team, "perch_topup_1000", "fails_later");
      await world.settle();
      const states = async () => [(await checkoutOf(paid))?.state, (await checkoutOf(failed))?.state];
      expect(await states()).toEqual(["processing", "processing"]);
      expect(await balance(team.teamId)).toBe(0);
      await world.pass(2 * DAY_MS);
      expect(await states()).toEqual(["paid", "expired"]);
      expect(await balance(team.teamId)).toBe(500);
    });
    notOnPglite(
      "at another amount or in another currency gives what was paid and is told; a foreign customer's gives nothing",
      async () => {
        const team = await world.team();
        const other = await world.team();
        const paid = async (what: "perch_topup_500" | "perch_pack_1000", change: Partial<Stripe.Checkout.Session>) => {
          const { session } = await world.checkout(team, what);
          const done = { ...session, status: "complete", payment_status: "paid", ...change } as Stripe.Checkout.Session;
          await world.parts.mirror.fulfil(done, new Date());
          return (await findings()).find(({ objectId }) => objectId === session.id)?.kind;
        };
        expect(await paid("perch_topup_500", { amount_total: 300 })).toBe("amount_differs");
        expect(await balance(team.teamId)).toBe(300);
        expect(await paid("perch_topup_500", { currency: "eur" })).toBe("amount_differs");
        expect(await paid("perch_pack_1000", { amount_total: 1 })).toBe("amount_differs");
        expect(await paid("perch_topup_500", { customer: other.customerId })).toBe("unknown_customer");
        expect(await balance(team.teamId)).toBe(300);
        const taxed = { amount_total: 595, total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 95 } };
        expect(await paid("perch_topup_500", taxed)).toBeUndefined();
        expect(await balance(team.teamId)).toBe(800);
        expect(
          await world.db.tx((tx) => world.ledger.funds(tx, team.teamId, new Date(world.clock.now()))),
        ).toMatchObject({
          wallet: 800,
        });
        expect(
          (await world.db.tx((tx) => world.ledger.funds(tx, team.teamId, new Date()))).grants.map(({ kind }) => kind),
        ).not.toContain("pack");
      },
    );
  });

  describe("a payment that fails", () => {
    /** A month of Solo on a card that pays the first time only, up to the failed renewal. */
    async function failing(): Promise<WorldTeam & { failedAt: number }> {
      const team = await world.team();
      await world.buy(team, "perch_solo_month", "insufficient_later");
      await world.settle();
      await world.pass(32 * DAY_MS);
      const failedAt = (await account(team.teamId))?.pastDueSince?.getTime() ?? 0;
      return { ...team, failedAt };
    }
    notOnPglite(
      "is told, lets phones run for 7 days, then stops them; paid, everything is as before at once",
      async () => {
        const { teamId, userId, failedAt } = await failing();
        expect(failedAt).toBeGreaterThan(0);
        expect(await may(teamId)).toMatchObject({ plan: "solo", standing: "grace" });
        expect(await mailsTo(world.db, userId)).toEqual(["receipt", "payment_failed"]);
        const at = (ms: number) => world.entitlements.of(world.db.read, teamId, new Date(failedAt + ms));
        expect((await at(GRACE_MS - 1)).standing).toBe("grace");
        expect((await at(GRACE_MS)).standing).toBe("stopped");
        const open = (await mirrorOf(world.db, teamId)).invoices.find(({ status }) => status === "open");
        const { id } = await world.stripe.paymentMethods.attach("pm_card_visa", {
          customer: (await account(teamId))?.customerId ?? "",
        });
        await world.stripe.invoices.pay(open?.id ?? "", { payment_method: id });
        await world.settle();
        expect(await may(teamId)).toMatchObject({ plan: "solo", standing: "good", stopsAt: undefined });
        expect((await account(teamId))?.pastDueSince).toBeNull();
        expect(await mailsTo(world.db, userId)).toEqual(["receipt", "payment_failed", "receipt"]);
      },
    );
    notOnPglite("for good ends the plan: it is told and the team is on Free", async () => {
      const { teamId, userId } = await failing();
      for (let day = 0; day < 20; day += 1) await world.pass(DAY_MS);
      expect(await may(teamId)).toMatchObject({ plan: "free", standing: "good" });
      expect((await account(teamId))?.pastDueSince).toBeNull();
      const mails = await mailsTo(world.db, userId);
      expect(mails.filter((kind) => kind === "payment_failed").length).toBeGreaterThanOrEqual(3);
      expect(mails.filter((kind) => kind === "subscription_ended")).toHaveLength(1);
    });
    notOnPglite("for use beyond the plan counts as well, and is over when it is paid", async () => {
      const team = await world.team();
      await world.buy(team, "perch_solo_month", "insufficient_later");
      await world.settle();
      const { id } = await world.stripe.invoices.create({
        ...{
          customer: team.customerId,
          currency: "usd",
          auto_advance: true,
          pending_invoice_items_behavior: "exclude",
        },
        collection_method: "charge_automatically",
      });
      await world.stripe.invoiceItems.create({ customer: team.customerId, invoice: id, amount: 700, currency: "usd" });
      await world.settle();
      await world.pass(5 * HOUR_MS);
      expect(await may(team.teamId)).toMatchObject({ plan: "solo", standing: "grace", overageCap: 0 });
      expect(await mailsTo(world.db, team.userId)).toContain("payment_failed");
      const good = await world.stripe.paymentMethods.attach("pm_card_visa", { customer: team.customerId });
      await world.stripe.invoices.pay(id, { payment_method: good.id });
      await world.settle();
      expect(await may(team.teamId)).toMatchObject({ standing: "good" });
    });
    notOnPglite("because the bank asks the person is told as that", async () => {
      const team = await world.team();
      const { session } = await world.checkout(team, "perch_solo_month");
      await world.sandbox.controls.pay(session.id, "needs_confirmation", "yes");
      await world.settle();
      await world.pass(32 * DAY_MS);
      expect((await mirrorOf(world.db, team.teamId)).invoices).toContainEqual(
        expect.objectContaining({
          status: "open",
          needsConfirmation: true,
          hostedUrl: expect.stringContaining("http"),
        }),
      );
      expect(await mailsTo(world.db, team.userId)).toContain("payment_confirmation");
    });
  });

  describe("money that goes back", () => {
    const paidIntent = async (session: Stripe.Checkout.Session) => String(session.payment_intent);
    it("frozen while a dispute is open, free when it is won", async () => {
      const team = await world.team();
      await world.buy(team, "perch_topup_1000", "disputed");
      await world.settle();
      expect(await account(team.teamId)).toMatchObject({ frozen: "dispute" });
      expect(await may(team.teamId)).toMatchObject({ walletFrozen: true });
      const [row] = (await mirrorOf(world.db, team.teamId)).moneyBack;
      expect(row).toMatchObject({ kind: "dispute", status: "needs_response", amount: 1_000 });
      await world.sandbox.controls.closeDispute(row?.id ?? "", "won");
      await world.settle();
      expect(await account(team.teamId)).toMatchObject({ frozen: null, frozenAt: null });
      expect(await balance(team.teamId)).toBe(1_000);
      expect((await mailsTo(world.db, team.userId)).sort()).toEqual(["balance_frozen", "receipt"]);
      const seen = (await actions(team.teamId)).sort();
      expect(seen).toEqual(["billing.frozen", "billing.purchased", "billing.unfrozen"]);
    });
    notOnPglite("a lost dispute takes what is left of that top-up, once, and nothing of another", async () => {
      const team = await world.team();
      await world.buy(team, "perch_topup_500");
      await world.buy(team, "perch_topup_1000", "disputed");
      await world.settle();
      await world.db.tx((tx) =>
        world.ledger.debit(tx, { teamId: team.teamId, amount: 1_200, whole: true, source: "usage", sourceId: "used" }),
      );
      const [row] = (await mirrorOf(world.db, team.teamId)).moneyBack;
      await world.stripe.disputes.close(row?.id ?? "");
      await world.settle();
      await world.parts.mirror.sync("dispute", row?.id ?? "");
      expect(await balance(team.teamId)).toBe(0);
      expect(await account(team.teamId)).toMatchObject({ frozen: null });
    });
    notOnPglite("a warning of fraud freezes; of a payment that is disputed it goes with the dispute", async () => {
      const team = await world.team();
      const session = await world.buy(team, "perch_topup_500");
      await world.settle();
      const intent = await world.stripe.paymentIntents.retrieve(await paidIntent(session));
      await world.sandbox.controls.warnOfFraud(String(intent.latest_charge));
      await world.settle();
      expect(await account(team.teamId)).toMatchObject({ frozen: "fraud_warning" });
      expect((await mailsTo(world.db, team.userId)).filter((kind) => kind === "balance_frozen")).toHaveLength(1);
      await world.sandbox.controls.dispute(String(intent.latest_charge));
      await world.settle();
      const [row] = (await mirrorOf(world.db, team.teamId)).moneyBack;
      await world.sandbox.controls.closeDispute(row?.id ?? "", "won");
      await world.settle();
      expect(await account(team.teamId)).toMatchObject({ frozen: null });
    });
    it("a refund is mirrored and told; one of the balance that fails is back in it, once", async () => {
      const team = await world.team();
      const session = await world.buy(team, "perch_topup_1000", "refund_fails");
      await world.settle();
      await world.db.tx((tx) =>
        world.ledger.debit(tx, { teamId: team.teamId, amount: 400, whole: true, source: "refund", sourceId: "ours" }),
      );
      const refund = await world.stripe.refunds.create({
        ...{ payment_intent: await paidIntent(session), amount: 400, metadata: { perch_refund: "ours" } },
      });
      await world.settle();
      await world.parts.mirror.sync("refund", refund.id);
      expect((await mirrorOf(world.db, team.teamId)).moneyBack).toMatchObject([
        { kind: "refund", status: "failed", amount: 400 },
      ]);
      expect(await balance(team.teamId)).toBe(1_000);

      const other = await world.team();
      const paid = await world.buy(other, "perch_topup_1000");
      await world.stripe.refunds.create({ payment_intent: await paidIntent(paid), amount: 400 });
      await world.settle();
      expect((await mirrorOf(world.db, other.teamId)).moneyBack).toMatchObject([{ status: "succeeded" }]);
      expect(await mailsTo(world.db, other.userId)).toContain("refund");
      // By the operator, at Stripe: the balance is not touched, and somebody is told.
      expect(await balance(other.teamId)).toBe(1_000);
      expect(await findings()).toContainEqual(
        expect.objectContaining({ kind: "amount_differs", teamId: other.teamId, resolvedAt: null }),
      );
    });
  });
});
