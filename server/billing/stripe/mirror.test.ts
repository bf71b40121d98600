/**
 * Any order, duplicates and gaps end the same: whatever becomes of the deliveries of a subscription's life, once what was
 * missed is taken up the mirror is what Stripe says, and everything that follows from it is there once.
 */
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import {
  type Delivery,
  mailsTo,
  mirrorOf,
  openStripeWorld,
  type StripeWorld,
  type WorldTeam,
} from "./testing/stripe-world.ts";

const DAY_MS = 24 * 3_600_000;
let opened: TestDatabase;
let world: StripeWorld;
/** A shop of its own each time, which begins after the one before. */
async function openWorld(): Promise<void> {
  world = await openStripeWorld({ open: async () => opened }, world?.clock.now());
}
beforeAll(async () => {
  opened = await testSqlite.open();
  await openWorld();
});
afterAll(() => opened.dispose());

/** What happens to a team, in this order as far as it can. */
const STEPS = ["top_up", "month", "change", "fail", "pay", "pause", "cancel"] as const;
type Step = (typeof STEPS)[number];

async function live(team: WorldTeam, subscription: string, step: Step): Promise<void> {
  const { stripe, clock, sandbox } = world;
  const items = (await stripe.subscriptions.retrieve(subscription)).items.data;
  const isOver = (await stripe.subscriptions.retrieve(subscription)).status === "canceled";
  switch (step) {
    case "top_up":
      await world.buy(team, "perch_topup_500");
      break;
    case "month":
      clock.advance(27 * DAY_MS);
      break;
    case "change":
      if (!isOver) {
        const price = world.prices.get("perch_slot_month") ?? "";
        const known = items.find((item) => item.price.id === price);
        await stripe.subscriptions.update(subscription, {
          items: [known === undefined ? { price, quantity: 1 } : { id: known.id, quantity: (known.quantity ?? 1) + 1 }],
        });
      }
      break;
    case "fail": {
      const bad = await stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer: team.customerId });
      if (!isOver) await stripe.subscriptions.update(subscription, { default_payment_method: bad.id });
      break;
    }
    case "pay": {
      const good = await stripe.paymentMethods.attach("pm_card_visa", { customer: team.customerId });
      if (!isOver) await stripe.subscriptions.update(subscription, { default_payment_method: good.id });
      const { data } = await stripe.invoices.list({ customer: team.customerId, status: "open" });
      for (const { id } of data) await stripe.invoices.pay(id ?? "", { payment_method: good.id });
      break;
    }
    case "pause":
      if (!isOver) {
        const metadata = { perch_paused_at: String(clock.now()) };
        await stripe.subscriptions.update(subscription, { pause_collection: { behavior: "void" }, metadata });
      }
      break;
    case "cancel":
      if (!isOver) await stripe.subscriptions.cancel(subscription);
  }
  await sandbox.tick();
}

describe("the mirror", () => {
  it("ends the same whatever order deliveries come in, how often and how many are lost", async () => {
    const life = fc.array(fc.constantFrom(...STEPS), { minLength: 1, maxLength: 5 });
    /** Of each delivery: how many steps late it comes, how often, or never. */
    const fates = fc.infiniteStream(
      fc.record({
        late: fc.integer({ min: 0, max: 4 }),
        times: fc.constantFrom(0, 1, 1, 1, 2),
        at: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(life, fates, async (steps, fate) => {
        await openWorld();
        const team = await world.team();
        const waiting: { delivery: Delivery; due: number; at: number }[] = [];
        let step = 0;
        world.state.take = async (delivery) => {
          const { value } = fate.next();
          // A lost answer to a draft's event is asked again by Stripe; to lose it for good is its own business.
          const times = delivery.body.includes('"invoice.created"') ? 1 : (value?.times ?? 1);
          for (let copy = 0; copy < times; copy += 1) {
            waiting.push({ delivery, due: step + (value?.late ?? 0) + copy, at: value?.at ?? 0 });
          }
          return 200;
        };
        const arrive = async (until: number) => {
          const due = waiting.filter(({ due: at }) => at <= until).sort((a, b) => a.at - b.at);
          for (const one of due) {
            waiting.splice(waiting.indexOf(one), 1);
            await world.arriveOne(one.delivery);
            if (one.at > 0.5) await world.work();
          }
          await world.work();
        };
        const session = await world.buy(team, "perch_solo_month");
        for (const next of steps) {
          step += 1;
          await live(team, String(session.subscription), next);
          await arrive(step);
          // Stripe forgets events after 30 days; we look every hour.
          if (next === "month") await world.parts.reconcile.light();
        }
        world.state.take = world.arriveOne;
        world.clock.advance(3 * 3_600_000);
        await world.settle();
        await arrive(Number.POSITIVE_INFINITY);
        await world.parts.reconcile.light();
        await world.settle();

        const before = await mirrorOf(world.db, team.teamId);
        await expectAsStripeSays(team);
        const { findings } = await world.parts.reconcile.full();
        expect(findings.filter(({ teamId }) => teamId === team.teamId)).toEqual([]);
        expect(await mirrorOf(world.db, team.teamId)).toEqual(before);
      }),
      { numRuns: 8 },
    );
  });

  /** Row by row what Stripe has now, and what follows from it. */
  async function expectAsStripeSays(team: WorldTeam): Promise<void> {
    const { stripe, db } = world;
    const { customerId: customer } = team;
    const mirror = await mirrorOf(db, team.teamId);
    const subscriptions = (await stripe.subscriptions.list({ customer, status: "all" })).data;
    const invoices = (await stripe.invoices.list({ customer, limit: 100 })).data;
    expect(
      mirror.subscriptions.map(({ id, status, cancelAtPeriodEnd, items }) => [
        id,
        status,
        cancelAtPeriodEnd,
        items.length,
      ]),
    ).toEqual(subscriptions.map((one) => [one.id, one.status, one.cancel_at_period_end, one.items.data.length]));
    const byId = (a: unknown[], b: unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
    expect(mirror.invoices.map(({ id, status, amountPaid, attempts }) => [id, status, amountPaid, attempts])).toEqual(
      invoices.map((one) => [one.id, one.status, one.amount_paid, one.attempt_count]).sort(byId),
    );
    const paid = invoices.filter(({ status, total }) => status === "paid" && total !== 0);
    expect((await world.billing.ofTeam(team.teamId)).map(({ number }) => number).sort()).toEqual(
      paid.map(({ number }) => number).sort(),
    );
    const mails = await mailsTo(db, team.userId);
    expect(mails.filter((kind) => kind === "receipt")).toHaveLength(
      invoices.filter(({ status, amount_paid }) => status === "paid" && amount_paid > 0).length,
    );
    expect(mails.filter((kind) => kind === "subscription_ended")).toHaveLength(
      subscriptions.filter(({ status }) => status === "canceled").length,
    );
    const toppedUp = invoices.filter(({ billing_reason }) => billing_reason === "manual").length;
    expect(await world.ledger.balance(db.read, team.teamId)).toBe(toppedUp * 500);
    const { billingAccounts: t } = db.t;
    const [account] = await db.read.select().from(t).where(eq(t.teamId, team.teamId));
    expect(account?.pastDueSince !== null).toBe(subscriptions.some(({ status }) => status === "past_due"));
  }

  it("keeps what was read later, whichever is written last", async () => {
    const team = await world.team();
    const session = await world.buy(team, "perch_solo_month");
    await world.settle();
    const id = String(session.subscription);
    const { mirror } = world.parts;
    const early = { at: mirror.stamp(), object: await world.stripe.subscriptions.retrieve(id) };
    await world.stripe.subscriptions.cancel(id);
    const late = { at: mirror.stamp(), object: await world.stripe.subscriptions.retrieve(id) };
    await mirror.subscription(late.object, late.at);
    await mirror.subscription(early.object, early.at);
    expect((await mirrorOf(world.db, team.teamId)).subscriptions).toMatchObject([{ status: "canceled" }]);

    const [row] = (await mirrorOf(world.db, team.teamId)).invoices;
    const invoice = await world.stripe.invoices.retrieve(row?.id ?? "");
    const stale = mirror.stamp();
    await mirror.sync("invoice", invoice.id ?? "");
    await mirror.invoice({ ...invoice, status: "void" }, stale);
    expect((await mirrorOf(world.db, team.teamId)).invoices).toMatchObject([{ status: "paid" }]);
  });

  it("loses a draft that was thrown away", async () => {
    const team = await world.team();
    const { id } = await world.stripe.invoices.create({
      customer: team.customerId,
      currency: "usd",
      auto_advance: false,
    });
    await world.settle();
    expect((await mirrorOf(world.db, team.teamId)).invoices).toMatchObject([{ id, status: "draft" }]);
    await world.stripe.invoices.del(id);
    await world.parts.mirror.sync("invoice", id);
    expect((await mirrorOf(world.db, team.teamId)).invoices).toEqual([]);
  });

  it("of a customer that is no team's keeps nothing but a finding", async () => {
    const stranger = await world.stripe.customers.create({});
    const subscription = await world.stripe.subscriptions.create({
      ...{ customer: stranger.id, items: [{ price: world.prices.get("perch_solo_month") ?? "" }] },
      payment_behavior: "default_incomplete",
    });
    await world.settle();
    const { subscriptions, reconcileFindings } = world.db.t;
    expect(await world.db.read.select().from(subscriptions).where(eq(subscriptions.id, subscription.id))).toEqual([]);
    const found = await world.db.read
      .select()
      .from(reconcileFindings)
      .where(eq(reconcileFindings.objectId, subscription.id));
    expect(found).toMatchObject([{ kind: "unknown_customer", teamId: null }]);
  });
});
