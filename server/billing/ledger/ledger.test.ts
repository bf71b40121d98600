import { eq } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PLANS, TRIAL } from "../../../shared/billing/catalogue.ts";
import type { RunningPhone } from "../../../shared/billing/rating.ts";
import { newId, type TeamId } from "../../../shared/ids.ts";
import { tablesFor } from "../../db/tables.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { erasurePlan } from "../../privacy/erasure/erasure-plan.repo.ts";
import { aPhone, createLedgerWorld, DAY, HOUR, type LedgerWorld, MINUTE, monthAround } from "./ledger.fixture.ts";

/** One thing that happens to a team's books. */
const STEP = fc.oneof(
  fc.record({
    do: fc.constant("grant"),
    kind: fc.constantFrom("pack", "promo"),
    ms: fc.integer({ min: 1, max: HOUR }),
  }),
  fc.record({ do: fc.constant("credit"), amount: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ do: fc.constant("debit"), amount: fc.integer({ min: 1, max: 20 }), whole: fc.boolean() }),
  fc.record({ do: fc.constant("reverse"), which: fc.nat(1_000) }),
  fc.record({ do: fc.constant("start"), phones: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ do: fc.constant("stop") }),
  { weight: 4, arbitrary: fc.record({ do: fc.constant("run"), ms: fc.integer({ min: 1, max: 14 * HOUR }) }) },
);
type Step = typeof STEP extends fc.Arbitrary<infer S> ? S : never;

it("cuts from kept entries, with their team, all that joins them", () => {
  const keep = erasurePlan(tablesFor.sqlite).acts.find(({ id }) => id === "keep:ledgerEntries");
  expect(keep?.columns.toSorted()).toEqual(["grantId", "intervalId", "phoneId", "teamId"]);
});

describe.each(TEST_ENGINES)("the ledger on $name", (engine) => {
  let test: TestDatabase;
  let world: LedgerWorld;
  beforeAll(async () => {
    test = await engine.open();
  });
  // Its clock starts at noon: what runs for minutes stays within a day, whatever ran before it.
  beforeEach(() => {
    world = createLedgerWorld(test);
  });
  afterAll(() => test.dispose());

  const entriesOf = (teamId: TeamId) => {
    const { ledgerEntries } = test.db.t;
    return test.db.read.select().from(ledgerEntries).where(eq(ledgerEntries.teamId, teamId)).orderBy(ledgerEntries.id);
  };
  const grantsOf = (teamId: TeamId) => {
    const { grants } = test.db.t;
    return test.db.read.select().from(grants).where(eq(grants.teamId, teamId));
  };
  const credit = (teamId: TeamId, amount: number, sourceId: string = newId("checkout")) =>
    test.db.tx((tx) => world.ledger.credit(tx, { teamId, amount, source: "checkout", sourceId }));
  const balance = (teamId: TeamId) => world.ledger.balance(test.db.read, teamId);
  /** Without the trial, so that what a test gives is all there is. */
  const withoutTrial = async () => {
    const { teamId } = await world.addTeam();
    const at = new Date(world.clock.now());
    await test.db.tx((tx) =>
      tx.insert(test.db.t.billingAccounts).values({
        ...{ teamId, timeZone: "UTC", overageAllowed: true, overageCap: 0, trialAt: at, createdAt: at },
      }),
    );
    return teamId;
  };

  it("adds up after anything that may happen: sums, caps, nothing below zero, no entry ever changed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 24 }), async (steps) => {
        const teamId = await withoutTrial();
        world.entitle(teamId, { overageCap: 9, timeZone: "Europe/Berlin" });
        let running: RunningPhone[] = [];
        let seen: Awaited<ReturnType<typeof entriesOf>> = [];
        for (const step of steps) {
          running = await take(teamId, running, step);
          const now = await entriesOf(teamId);
          const byId = new Map(now.map((entry) => [entry.id, entry]));
          for (const entry of seen) expect(byId.get(entry.id)).toEqual(entry);
          seen = now;
        }
        await demandSums(teamId);
      }),
      { numRuns: engine.name === "SQLite" ? 10 : 4 },
    );
  });

  async function take(teamId: TeamId, running: RunningPhone[], step: Step): Promise<RunningPhone[]> {
    const { ledger, clock } = world;
    const at = new Date(clock.now());
    const refused = (error: unknown): 0 => {
      expect(error).toMatchObject({ code: "conflict" });
      return 0;
    };
    switch (step.do) {
      case "grant":
        await test.db.tx((tx) =>
          ledger.grant(tx, {
            ...{ teamId, kind: step.kind, name: "Time", ms: step.ms, source: "operator", sourceId: newId("grant") },
            ...{ startsAt: at, expiresAt: new Date(at.getTime() + DAY), reason: "a test" },
          }),
        );
        return running;
      case "credit":
        await credit(teamId, step.amount);
        return running;
      case "debit": {
        const before = await balance(teamId);
        const { amount, whole } = step;
        const debit = { teamId, amount, whole, source: "refund", sourceId: newId("checkout") } as const;
        const taken = await test.db.tx((tx) => ledger.debit(tx, debit)).catch(refused);
        expect(taken).toBe(whole && before < amount ? 0 : Math.min(before, amount));
        return running;
      }
      case "reverse": {
        const entries = await entriesOf(teamId);
        const entry = entries[step.which % entries.length];
        if (entry !== undefined) await test.db.tx((tx) => ledger.reverse(tx, entry.id, "a test")).catch(refused);
        return running;
      }
      case "start":
        return [...running, ...Array.from({ length: step.phones }, () => aPhone(clock.now()))];
      case "stop":
        return running.slice(1);
      case "run": {
        const from = clock.now();
        clock.advance(step.ms);
        await world.settle(teamId, running, from);
        return running;
      }
    }
  }

  async function demandSums(teamId: TeamId): Promise<void> {
    const entries = await entriesOf(teamId);
    const grants = await grantsOf(teamId);
    expect(await world.ledger.verify(test.db.read)).toEqual([]);
    for (const { id, remaining } of grants) {
      expect(remaining).toBeGreaterThanOrEqual(0);
      expect(entries.filter(({ grantId }) => grantId === id).reduce((sum, { delta }) => sum + delta, 0)).toBe(
        remaining,
      );
    }
    const { paygDays } = test.db.t;
    const counted = new Map<string, [number, number]>();
    for (const { phoneId, day, ms, amount } of entries.filter(
      ({ cover }) => cover === "wallet" || cover === "overage",
    )) {
      const [before, money] = counted.get(`${phoneId} ${day}`) ?? [0, 0];
      counted.set(`${phoneId} ${day}`, [before + ms, money + amount]);
    }
    for (const { phoneId, day, ms, amount } of await test.db.read
      .select()
      .from(paygDays)
      .where(eq(paygDays.teamId, teamId))) {
      expect([ms, amount]).toEqual(counted.get(`${phoneId} ${day}`));
      expect(amount).toBeLessThanOrEqual(150);
    }
  }

  it("never lets the balance fall below zero when 50 phones settle at once", async () => {
    const teamId = await withoutTrial();
    await credit(teamId, 30);
    const from = world.clock.now();
    world.clock.advance(7 * MINUTE);
    const settled = await Promise.all(Array.from({ length: 50 }, () => world.settle(teamId, [aPhone(from)], from)));
    const charged = settled.flatMap(({ rated }) => rated.pieces).reduce((sum, { amount }) => sum + amount, 0);
    expect(charged).toBe(30);
    expect(await balance(teamId)).toBe(0);
    expect((await entriesOf(teamId)).reduce((sum, { delta }) => sum + delta, 0)).toBe(0);
    expect(settled.filter(({ rated }) => rated.uncoveredAt !== undefined).length).toBeGreaterThanOrEqual(20);
  });

  it("writes a time once, also when it is rated again with what was left", async () => {
    const teamId = await withoutTrial();
    const grant = {
      teamId,
      kind: "pack",
      name: "Time",
      ms: 10 * MINUTE,
      source: "checkout",
      startsAt: new Date(0),
    } as const;
    await test.db.tx((tx) => world.ledger.grant(tx, { ...grant, sourceId: "cs_1", expiresAt: undefined }));
    await credit(teamId, 100);
    const from = world.clock.now();
    const phone = aPhone(from);
    world.clock.advance(20 * MINUTE);
    const first = await world.settle(teamId, [phone], from);
    expect(first.rated.pieces.map(({ cover }) => cover)).toEqual(["pack", "wallet"]);
    const before = await entriesOf(teamId);
    const again = await world.settle(teamId, [phone], from);
    expect(again.rated.pieces.map(({ cover }) => cover)).toEqual(["wallet"]);
    expect(await entriesOf(teamId)).toEqual(before);
    expect(await balance(teamId)).toBe(98);
    expect(before.filter(({ source }) => source === "usage").reduce((sum, { ms }) => sum + ms, 0)).toBe(20 * MINUTE);
  });

  it("refuses what was rated with more than there is", async () => {
    const teamId = await withoutTrial();
    await credit(teamId, 1);
    const from = world.clock.now();
    world.clock.advance(5 * MINUTE);
    const { rated } = await world.settle(teamId, [aPhone(from)], from);
    const phone = aPhone(from);
    const forged = rated.pieces.map((piece) => ({ ...piece, intervalId: phone.intervalId, phoneId: phone.phoneId }));
    const slice = { rated: { ...rated, pieces: forged }, startedBy: new Map() };
    await expect(
      test.db.tx((tx) => world.ledger.post(tx, teamId, slice, new Date(world.clock.now()))),
    ).rejects.toMatchObject({ code: "conflict" });
    expect(await balance(teamId)).toBe(0);
  });

  it("gives and takes money once for each source", async () => {
    const teamId = await withoutTrial();
    expect([await credit(teamId, 500, "cs_once"), await credit(teamId, 500, "cs_once")]).toEqual([true, false]);
    const debit = { teamId, amount: 800, whole: false, source: "dispute", sourceId: "dp_1" } as const;
    const take = () => test.db.tx((tx) => world.ledger.debit(tx, debit));
    expect([await take(), await take()]).toEqual([500, 500]);
    await credit(teamId, 700);
    expect(await take()).toBe(500);
    expect(await balance(teamId)).toBe(700);
    const tooMuch = { teamId, amount: 701, whole: true, source: "refund", sourceId: "re_1" } as const;
    await expect(test.db.tx((tx) => world.ledger.debit(tx, tooMuch))).rejects.toMatchObject({
      code: "conflict",
      message: "The balance is $7.00. Choose an amount up to that.",
    });
    const pack = { teamId, kind: "pack", name: "1,000 minutes", ms: 1, source: "checkout", sourceId: "cs_p" } as const;
    const give = () =>
      test.db.tx((tx) => world.ledger.grant(tx, { ...pack, startsAt: new Date(0), expiresAt: undefined }));
    expect([await give(), await give()]).toEqual([true, false]);
  });

  it("gives the month's plan time once, the difference after a change to more, and takes nothing away", async () => {
    const teamId = await withoutTrial();
    const minutes = async () => {
      const funds = await test.db.tx((tx) => world.ledger.funds(tx, teamId, new Date(world.clock.now())));
      return funds.grants.reduce((sum, { remainingMs }) => sum + remainingMs, 0) / MINUTE;
    };
    const on = (plan: "free" | "solo" | "team") => world.entitle(teamId, { plan, includedMs: PLANS[plan].includedMs });
    on("solo");
    expect([await minutes(), await minutes()]).toEqual([6_000, 6_000]);
    on("team");
    expect([await minutes(), await minutes()]).toEqual([30_000, 30_000]);
    on("solo");
    expect(await minutes()).toBe(30_000);
    on("team");
    expect(await minutes()).toBe(30_000);
    const { to } = monthAround(new Date(world.clock.now()));
    world.clock.advance(to.getTime() - world.clock.now());
    on("solo");
    expect(await minutes()).toBe(6_000);
    // A phone that ran over the edge of the month, and is rated after it.
    const over = await test.db.tx((tx) =>
      world.ledger.funds(tx, teamId, new Date(world.clock.now()), new Date(to.getTime() - 1)),
    );
    expect(over.grants.map(({ remainingMs }) => remainingMs / MINUTE).sort()).toEqual([24_000, 6_000, 6_000]);
    const late = await withoutTrial();
    world.entitle(late, { plan: "solo", includedMs: PLANS.solo.includedMs });
    const both = await test.db.tx((tx) =>
      world.ledger.funds(tx, late, new Date(world.clock.now()), new Date(to.getTime() - 1)),
    );
    expect(
      both.grants.map(({ startsAt, expiresAt = 0 }) => [startsAt < to.getTime(), expiresAt > to.getTime()]),
    ).toEqual(
      expect.arrayContaining([
        [true, false],
        [false, true],
      ]),
    );
    world.entitle(teamId, { standing: "stopped", includedMs: PLANS.team.includedMs });
    expect(await minutes()).toBe(6_000);
  });

  it("gives the trial once to a team and once to a person, and it ends", async () => {
    const { teamId, userId } = await world.addTeam();
    const second = newId("team");
    const unconfirmed = newId("team");
    const at = new Date(world.clock.now());
    await test.db.tx(async (tx) => {
      const { teams, teamMembers } = test.db.t;
      await tx.insert(teams).values([second, unconfirmed].map((id) => ({ id, name: "Other", createdAt: at })));
      await tx.insert(teamMembers).values({ teamId: second, userId, role: "owner", joinedAt: at });
    });
    const trial = async (team: TeamId) => {
      const funds = await test.db.tx((tx) => world.ledger.funds(tx, team, new Date(world.clock.now())));
      return funds.grants.map(({ kind, remainingMs }) => [kind, remainingMs]);
    };
    expect(await trial(teamId)).toEqual([["promo", TRIAL.ms]]);
    expect(await trial(teamId)).toEqual([["promo", TRIAL.ms]]);
    expect([await trial(second), await trial(unconfirmed)]).toEqual([[], []]);
    expect(JSON.stringify(await entriesOf(teamId))).not.toContain(userId);
    // The team goes: what the person had stays known, the person does not.
    await test.db.tx((tx) => tx.delete(test.db.t.teams).where(eq(test.db.t.teams.id, teamId)));
    expect(await trial(second)).toEqual([]);
    const third = await world.addTeam();
    expect(await trial(third.teamId)).toHaveLength(1);
    world.clock.advance(TRIAL.days * DAY);
    expect(await trial(third.teamId)).toEqual([]);
  });

  it("uses slots, dedicated phones and overage as far as they are paid for, and no balance that is frozen", async () => {
    const teamId = await withoutTrial();
    const phones = [aPhone(1), aPhone(2), aPhone(3), aPhone(4)];
    const createdAt = new Date(world.clock.now());
    await test.db.tx((tx) =>
      tx
        .insert(test.db.t.dedicatedPhones)
        .values(phones.slice(0, 2).map(({ phoneId }) => ({ phoneId, teamId, createdAt }))),
    );
    await credit(teamId, 100);
    const addOns = { slot: 1, dedicated: 1, seat: 0, storage: 0 };
    world.entitle(teamId, { addOns, walletFrozen: true, overageCap: 2 });
    const from = world.clock.now();
    world.clock.advance(HOUR);
    const { rated } = await world.settle(teamId, phones, from);
    const covers = phones.map(({ phoneId }) =>
      rated.pieces.filter((one) => one.phoneId === phoneId).map(({ cover }) => cover),
    );
    expect(covers.filter((one) => one.includes("dedicated"))).toHaveLength(1);
    expect(covers.filter((one) => one.includes("slot"))).toHaveLength(1);
    expect(covers.filter((one) => one.join() === "overage,uncovered")).toHaveLength(2);
    expect(await balance(teamId)).toBe(100);
    const spent = await world.ledger.overage(test.db.read, teamId, new Date(from), new Date(from + HOUR));
    expect(spent).toBe(2);
    const funds = await test.db.tx((tx) => world.ledger.funds(tx, teamId, new Date(world.clock.now())));
    expect([funds.overage, funds.wallet]).toEqual([0, 0]);
  });

  it("takes an entry back once, gives back what it took, and lets the phone reach its cap anew", async () => {
    const teamId = await withoutTrial();
    await credit(teamId, 1_000);
    const from = world.clock.now();
    const phone = aPhone(from);
    world.clock.advance(HOUR);
    await world.settle(teamId, [phone], from);
    expect(await balance(teamId)).toBe(988);
    const usage = (await entriesOf(teamId)).find(({ source }) => source === "usage");
    const given = (await entriesOf(teamId)).find(({ source }) => source === "checkout");
    if (usage === undefined || given === undefined) throw new Error("no entry");
    const reverse = (id: typeof usage.id) => test.db.tx((tx) => world.ledger.reverse(tx, id, "our fault"));
    const back = await reverse(usage.id);
    expect(await balance(teamId)).toBe(1_000);
    await expect(reverse(usage.id)).rejects.toMatchObject({
      code: "conflict",
      message: "This entry was taken back before.",
    });
    await expect(reverse(back)).rejects.toMatchObject({ code: "conflict" });
    await expect(reverse(newId("ledgerEntry"))).rejects.toMatchObject({ code: "not_found" });
    expect((await entriesOf(teamId)).find(({ id }) => id === back)).toMatchObject({
      ...{ source: "reversal", reversesId: usage.id, ms: -HOUR, amount: -12, delta: 12, reason: "our fault" },
    });
    const { paygDays } = test.db.t;
    expect(await test.db.read.select().from(paygDays).where(eq(paygDays.teamId, teamId))).toMatchObject([
      { ms: 0, amount: 0 },
    ]);
    world.clock.advance(HOUR);
    await world.settle(teamId, [phone], from + HOUR);
    expect(await balance(teamId)).toBe(988);
    await expect(reverse(given.id)).rejects.toMatchObject({ code: "conflict" });
    expect(await world.ledger.verify(test.db.read)).toEqual([]);
  });

  it("tells of a balance that is not the sum of its entries", async () => {
    const teamId = await withoutTrial();
    await credit(teamId, 77);
    const [wallet] = await grantsOf(teamId);
    if (wallet === undefined) throw new Error("no balance");
    const set = (remaining: number) =>
      test.db.tx((tx) => tx.update(test.db.t.grants).set({ remaining }).where(eq(test.db.t.grants.id, wallet.id)));
    await set(78);
    expect(await world.ledger.verify(test.db.read)).toEqual([{ grantId: wallet.id, teamId, cached: 78, counted: 77 }]);
    await set(77);
    expect(await world.ledger.verify(test.db.read)).toEqual([]);
  });
});
