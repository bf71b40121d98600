/** What does not fit is found: mirrors are put right, money is only told of. */
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { TEST_ENGINES, testPglite } from "../../db/testing.ts";
import { mailsTo, mirrorOf, openStripeWorld, type StripeWorld, SUPPORT_EMAIL } from "./testing/stripe-world.ts";
import { TRIALS_JOB } from "./trials.ts";

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

  /** Deliveries are lost until the work is done. */
  async function unheard<T>(work: () => Promise<T>): Promise<T> {
    world.state.take = async () => 200;
    try {
      const done = await work();
      await world.sandbox.tick();
      return done;
    } finally {
      world.state.take = world.arriveOne;
    }
  }
  const kinds = (findings: readonly { kind: string; objectId: string }[], objectId: string) =>
    findings.filter((one) => one.objectId === objectId).map(({ kind }) => kind);
  const alarms = async () => {
    const { mailOutbox: t } = world.db.t;
    const rows = await world.db.read.select().from(t).where(eq(t.kind, "operator_notice"));
    return rows.map(({ recipient }) => recipient);
  };

  it("has nothing to say where everything came", async () => {
    const team = await world.team();
    await world.buy(team, "perch_topup_500");
    await world.buy(team, "perch_team_year");
    await world.settle();
    await world.pass(3 * HOUR_MS);
    const light = await world.parts.reconcile.light();
    expect(light.looked).toBeGreaterThan(5);
    const full = await world.parts.reconcile.full();
    expect([...light.findings, ...full.findings]).toEqual([]);
    expect(full.looked).toBeGreaterThanOrEqual(4);
    expect(await alarms()).toEqual([]);
  });

  notOnPglite("takes up events that never came, within the hour, and gives what was bought", async () => {
    const team = await world.team();
    const session = await unheard(() => world.buy(team, "perch_topup_500"));
    expect(await world.ledger.balance(world.db.read, team.teamId)).toBe(0);
    await world.pass(3 * HOUR_MS);
    const { findings } = await world.parts.reconcile.light();
    expect(findings.map(({ kind, isRepaired }) => [kind, isRepaired])).toContainEqual(["missed_event", true]);
    await world.settle();
    expect(await world.ledger.balance(world.db.read, team.teamId)).toBe(500);
    expect((await world.parts.reconcile.light()).findings).toEqual([]);
    expect(kinds((await world.parts.reconcile.full()).findings, session.id)).toEqual([]);
    expect(await alarms()).toEqual([]);
  });

  it("reads again what the mirror has wrong or lacks", async () => {
    const team = await world.team();
    const session = await world.buy(team, "perch_solo_month");
    await world.settle();
    const { subscriptions, invoices } = world.db.t;
    const before = await mirrorOf(world.db, team.teamId);
    const id = String(session.subscription);
    await world.db.tx(async (tx) => {
      await tx.update(subscriptions).set({ status: "past_due" }).where(eq(subscriptions.id, id));
      await tx.delete(invoices).where(eq(invoices.teamId, team.teamId));
    });
    const { findings } = await world.parts.reconcile.full();
    expect(findings.filter(({ teamId }) => teamId === team.teamId).map(({ kind }) => kind)).toEqual([
      "mirror_repaired",
      "mirror_repaired",
    ]);
    expect(await mirrorOf(world.db, team.teamId)).toEqual(before);
    await unheard(() => world.stripe.subscriptions.cancel(id));
    await world.parts.reconcile.full();
    expect((await mirrorOf(world.db, team.teamId)).subscriptions).toMatchObject([{ status: "canceled" }]);
  });

  it("touches no money: what was paid and not given, given and not paid, or differs is told once", async () => {
    const { reconcile } = world.parts;
    const team = await world.team();
    const { checkouts } = world.db.t;
    const lost = await unheard(() => world.buy(team, "perch_topup_500"));
    await world.db.tx((tx) => tx.delete(checkouts).where(eq(checkouts.sessionId, lost.id)));
    const less = await unheard(() => world.buy(team, "perch_topup_1000"));
    await world.db.tx(async (tx) => {
      const source = { teamId: team.teamId, source: "checkout" } as const;
      await world.ledger.credit(tx, { ...source, amount: 900, sourceId: less.id });
      await world.ledger.credit(tx, { ...source, amount: 50, sourceId: "cs_of_nobody" });
    });
    await world.pass(3 * HOUR_MS);
    const { findings, runId } = await reconcile.full();
    expect(kinds(findings, lost.id)).toEqual(["money_without_entry"]);
    expect(kinds(findings, less.id)).toEqual(["amount_differs"]);
    expect(kinds(findings, "cs_of_nobody")).toEqual(["entry_without_money"]);
    expect(await world.ledger.balance(world.db.read, team.teamId)).toBe(950);
    expect(await alarms()).toEqual([SUPPORT_EMAIL]);
    const { reconcileRuns, reconcileFindings } = world.db.t;
    expect((await world.db.read.select().from(reconcileRuns).where(eq(reconcileRuns.id, runId)))[0]).toMatchObject({
      kind: "full",
      finishedAt: expect.any(Date),
    });
    expect(await world.db.read.select().from(reconcileFindings).where(eq(reconcileFindings.runId, runId))).toHaveLength(
      findings.length,
    );
    const again = await reconcile.full();
    expect(again.findings).toEqual([]);
    expect(await alarms()).toEqual([SUPPORT_EMAIL]);
    expect(kinds(await reconcile.open(), "cs_of_nobody")).toEqual(["entry_without_money"]);
  });

  it("does not doubt a purchase that was given long after it was paid", async () => {
    const team = await world.team();
    const { id: sourceId } = await unheard(() => world.buy(team, "perch_topup_500"));
    await world.pass(2 * DAY_MS);
    const { teamId } = team;
    await world.db.tx((tx) => world.ledger.credit(tx, { teamId, source: "checkout", amount: 500, sourceId }));
    await world.pass(39 * DAY_MS);
    expect(kinds((await world.parts.reconcile.full()).findings, sourceId)).toEqual([]);
  });

  notOnPglite("finds a purchase that was paid and never given", async () => {
    const team = await world.team();
    const session = await unheard(() => world.buy(team, "perch_pack_1000"));
    await world.pass(3 * HOUR_MS);
    expect(kinds((await world.parts.reconcile.full()).findings, session.id)).toEqual(["money_without_entry"]);
  });

  notOnPglite("finds refunds that no balance was debited with, debits without a refund, and what differs", async () => {
    const team = await world.team();
    const session = await world.buy(team, "perch_topup_5000");
    const intent = String(session.payment_intent);
    await world.settle();
    const debit = (amount: number, sourceId: string) =>
      world.db.tx((tx) =>
        world.ledger.debit(tx, { teamId: team.teamId, amount, whole: true, source: "refund", sourceId }),
      );
    const refund = async (amount: number, key: string) => {
      const metadata = { perch_refund: key, perch_team: team.teamId };
      return (await world.stripe.refunds.create({ payment_intent: intent, amount, metadata })).id;
    };
    await debit(300, "fits");
    await debit(300, "differs");
    await debit(300, "never-made");
    const [fits, differs, undebited] = [
      await refund(300, "fits"),
      await refund(200, "differs"),
      await refund(100, "undebited"),
    ];
    await world.settle();
    expect(kinds((await world.parts.reconcile.full()).findings, "never-made")).toEqual([]);
    await world.pass(2 * DAY_MS);
    const open = await world.parts.reconcile.open();
    const { findings } = await world.parts.reconcile.full();
    const all = [...open, ...findings];
    expect(kinds(all, fits)).toEqual([]);
    expect(kinds(all, differs)).toEqual(["amount_differs"]);
    expect(kinds(all, undebited)).toEqual(["money_without_entry"]);
    expect(kinds(findings, "never-made")).toEqual(["entry_without_money"]);
    expect(await world.ledger.balance(world.db.read, team.teamId)).toBe(4_100);
  });

  notOnPglite("says nothing of a team that is gone, whose entries lost what joined them", async () => {
    const team = await world.team();
    const session = await unheard(() => world.buy(team, "perch_topup_500"));
    await world.db.tx((tx) => tx.delete(world.db.t.teams).where(eq(world.db.t.teams.id, team.teamId)));
    await world.pass(3 * HOUR_MS);
    expect(kinds((await world.parts.reconcile.full()).findings, session.id)).toEqual([]);
  });

  notOnPglite("finds a sum that is not that of its entries", async () => {
    const team = await world.team();
    await world.buy(team, "perch_topup_500");
    await world.settle();
    const { grants } = world.db.t;
    const [wallet] = await world.db.read.select().from(grants).where(eq(grants.teamId, team.teamId));
    await world.db.tx((tx) => tx.update(grants).set({ remaining: 499 }).where(eq(grants.teamId, team.teamId)));
    expect(kinds((await world.parts.reconcile.full()).findings, wallet?.id ?? "")).toEqual(["balance_differs"]);
    await world.db.tx((tx) => tx.update(grants).set({ remaining: 500 }).where(eq(grants.teamId, team.teamId)));
  });

  it("tells of a trial that ends, once: 3 days before, or with a fifth left", async () => {
    const run = () =>
      world.parts.jobs[TRIALS_JOB]?.({}, { signal: new AbortController().signal } as Parameters<
        NonNullable<(typeof world.parts.jobs)[string]>
      >[1]);
    const trial = async (remaining: number, days: number) => {
      const team = await world.team();
      const at = new Date(world.clock.now());
      await world.db.tx((tx) =>
        tx.insert(world.db.t.grants).values({
          ...{ id: newId("grant"), teamId: team.teamId, kind: "promo", name: "Trial", source: "trial", total: 100 },
          ...{ sourceId: team.teamId, remaining, startsAt: at, createdAt: at },
          expiresAt: new Date(at.getTime() + days * DAY_MS),
        }),
      );
      return team.userId;
    };
    const [early, low, late, empty] = [await trial(90, 10), await trial(20, 10), await trial(90, 3), await trial(0, 2)];
    await run();
    await run();
    const told = async () => Promise.all([early, low, late, empty].map((one) => mailsTo(world.db, one)));
    expect(await told()).toEqual([[], ["trial_ending"], ["trial_ending"], []]);
    world.clock.advance(8 * DAY_MS);
    await run();
    expect(await told()).toEqual([["trial_ending"], ["trial_ending"], ["trial_ending"], []]);
  });
});
