/** What lets phones start and what stops them, on both engines. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { PhoneId, UserId } from "../../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { newTeam } from "../../phones/testing/harness.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import { type Booted, entriesOf, forgetPhones, intervalsOf, Machine, PHONE_DISK_MB } from "./testing/harness.ts";

const MINUTE = 60_000;
/** Fewer beats than a server does, so that minutes of them take no time. */
const BEAT = 20_000;
let keys = 0;

describe.each(TEST_ENGINES)("cover on $name", (engine) => {
  let test: TestDatabase;
  let machine: Machine;
  let at: Booted;
  let scope: TeamScope;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    await forgetPhones(test);
    machine = new Machine(test, { beatMs: BEAT });
    at = machine.boot();
    scope = await newTeam({ test, clock: machine.clock });
  });
  const launch = async () => {
    keys += 1;
    return (await at.phones.launch(scope, { idempotencyKey: `launch-${keys}` })).id;
  };
  const state = (id: PhoneId) => at.phones.get(scope, id);
  const pay = (amount: number) =>
    test.db.tx((tx) => {
      keys += 1;
      return at.ledger.credit(tx, { teamId: scope.teamId, amount, source: "checkout", sourceId: `cs_${keys}` });
    });
  const plan = (ms: number) => machine.entitle(scope.teamId, { includedMs: ms });
  const balance = () => at.ledger.balance(test.db.read, scope.teamId);
  const dedicate = async (id: PhoneId) => {
    machine.entitle(scope.teamId, { addOns: { slot: 0, dedicated: 1, seat: 0, storage: 0 } });
    const row = { phoneId: id, teamId: scope.teamId, createdAt: new Date(machine.clock.now()) };
    await test.db.tx((tx) => tx.insert(test.db.t.dedicatedPhones).values(row));
  };
  const holds = async () =>
    (await test.db.read.select().from(test.db.t.usageHolds)).filter(({ teamId }) => teamId === scope.teamId);

  describe("before a start", () => {
    it("says what is missing and what to do, and makes nothing", async () => {
      await expect(launch()).rejects.toMatchObject({
        code: "payment_required",
        message: "No phone time and no balance is left to run a phone. Add phone time under Billing, or ask an owner.",
      });
      expect(await at.phones.list(scope)).toEqual([]);
      expect(await holds()).toEqual([]);
      await pay(100);
      await expect(launch()).resolves.toBeDefined();
    });

    it("asks for five minutes of all that runs and of this one", async () => {
      plan(11 * MINUTE);
      await launch();
      await launch();
      await expect(launch()).rejects.toMatchObject({
        code: "payment_required",
        message: expect.stringContaining("one more phone"),
      });
      plan(16 * MINUTE);
      await launch();
    });

    it("counts what ran and is not in the ledger yet", async () => {
      plan(11 * MINUTE);
      await launch();
      await at.live(2 * MINUTE);
      expect(
        (await test.db.read.select().from(test.db.t.ledgerEntries)).filter(
          (row) => row.teamId === scope.teamId && row.source === "usage",
        ),
      ).toEqual([]);
      await expect(launch()).rejects.toMatchObject({ code: "payment_required" });
    });

    it("lets a dedicated phone start beside one that nears its end", async () => {
      plan(6 * MINUTE);
      const [dear, own] = [
        await launch(),
        await (async () => {
          plan(30 * MINUTE);
          const id = await launch();
          await at.phones.park(scope, id);
          return id;
        })(),
      ];
      await dedicate(own);
      await at.live(27 * MINUTE);
      await expect(at.phones.start(scope, own)).resolves.toMatchObject({ state: "running" });
      expect((await state(dear)).state).toBe("running");
    });

    it("keeps to the phones at once and to the room of the plan", async () => {
      plan(10_000 * MINUTE);
      machine.entitle(scope.teamId, { phonesAtOnce: 2, storageMb: 3 * PHONE_DISK_MB });
      const first = await launch();
      await launch();
      await expect(launch()).rejects.toMatchObject({
        code: "limit_reached",
        message: "Your plan runs 2 phones at once. Park one, or add a slot under Billing.",
      });
      await at.phones.park(scope, first);
      await at.phones.park(scope, await launch());
      await expect(launch()).rejects.toMatchObject({
        code: "limit_reached",
        message: "Your plan has room for 3 phones. Remove one, or add storage under Billing.",
      });
      await expect(at.phones.start(scope, first)).resolves.toMatchObject({ state: "running" });
    });

    it("starts nothing after a payment failed; what runs goes on", async () => {
      plan(10_000 * MINUTE);
      const id = await launch();
      const stopsAt = new Date(machine.clock.now() + 8 * MINUTE);
      machine.entitle(scope.teamId, { standing: "grace", stopsAt });
      await expect(launch()).rejects.toMatchObject({
        code: "payment_required",
        message: expect.stringContaining("payment"),
      });
      await at.live(6 * MINUTE);
      expect(at.told).toEqual([]);
      await at.live(MINUTE);
      expect(at.told).toEqual([{ type: "cover warned", id, parksAt: stopsAt }]);
      machine.entitle(scope.teamId, { standing: "stopped" });
      await at.live(MINUTE);
      expect(await state(id)).toMatchObject({ state: "parked", reason: "payment" });
      machine.entitle(scope.teamId, { standing: "good" });
      await expect(at.phones.start(scope, id)).resolves.toMatchObject({ state: "running" });
    });

    it("never lets more through than the money covers, however many start at one moment", async () => {
      const ids = await at.parked(scope, 50);
      await pay(12);
      const results = await Promise.allSettled(ids.map((id) => at.phones.start(scope, id)));
      const started = results.filter(({ status }) => status === "fulfilled").length;
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "payment_required" });
      }
      expect(started).toBe(12);
      expect(await holds()).toHaveLength(12);
      await at.live(6 * MINUTE);
      expect((await at.phones.list(scope)).filter((phone) => phone.state === "running")).toEqual([]);
      expect(await balance()).toBeGreaterThanOrEqual(0);
      const entries = (await Promise.all(ids.map((id) => entriesOf(test, id)))).flat();
      expect(entries.reduce((sum, { amount }) => sum + amount, 0)).toBe(12 - (await balance()));
      expect(entries.filter(({ cover }) => cover === "uncovered")).toEqual([]);
    });

    it("never lets more through than run at once, however many start at one moment", async () => {
      plan(10_000 * MINUTE);
      const ids = await at.parked(scope, 20);
      machine.entitle(scope.teamId, { phonesAtOnce: 7 });
      const results = await Promise.allSettled(ids.map((id) => at.phones.start(scope, id)));
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(7);
    });
  });

  describe("while phones run", () => {
    it("warns two minutes before nothing is left, parks then, and mails who pays", async () => {
      plan(10 * MINUTE);
      const id = await launch();
      await at.live(7 * MINUTE);
      expect(at.told).toEqual([]);
      await at.live(MINUTE + BEAT);
      const ends = machine.clock.now() + 2 * MINUTE - BEAT;
      expect(at.told).toEqual([{ type: "cover warned", id, parksAt: new Date(ends) }]);
      await at.live(2 * MINUTE);
      expect(await state(id)).toMatchObject({ state: "parked", reason: "balance" });
      const [ran] = await intervalsOf(test, id);
      expect(ran?.to).toBeLessThanOrEqual(ends);
      expect(ran?.to).toBeGreaterThan(ends - 3 * BEAT);
      expect(machine.mails).toMatchObject([
        { kind: "parked_for_balance", userId: scope.userId, data: { teamName: "Team" } },
      ]);
      const log = await test.db.read.select().from(test.db.t.auditLog);
      expect(
        log.filter(({ chain, action }) => chain === scope.teamId && action === "billing.phones_parked"),
      ).toMatchObject([{ actor: "server", detail: { reason: "balance", count: 1 } }]);
      expect(await holds()).toEqual([]);
    });

    it("goes on counting while a phone takes its time to park", async () => {
      plan(12 * MINUTE);
      const [own, other] = [await launch(), await launch()];
      await dedicate(own);
      const parking = Promise.withResolvers<void>();
      const park = at.driver.park.bind(at.driver);
      at.driver.park = async (id) => {
        if (id === other) await parking.promise;
        await park(id);
      };
      const beats: Promise<void>[] = [];
      for (let passed = 0; passed < 13 * MINUTE; passed += BEAT) {
        machine.pass(BEAT);
        // Asked while the last one has only just been written, a beat is that one: then the next is it.
        const seen = async () => {
          beats.push(at.meter.beat());
          expect((await intervalsOf(test, own))[0]?.seen).toBe(machine.clock.now());
        };
        await vi.waitFor(seen, { interval: 1, timeout: 10_000 });
      }
      await vi.waitFor(async () => expect((await state(other)).state).toBe("parking"), { timeout: 15_000 });
      parking.resolve();
      await Promise.all(beats);
      expect(await state(other)).toMatchObject({ state: "parked", reason: "balance" });
      expect(await intervalsOf(test, own)).toHaveLength(1);
    });

    it("takes the warning back when something pays again", async () => {
      plan(10 * MINUTE);
      const id = await launch();
      await at.live(9 * MINUTE);
      await pay(500);
      await at.live(BEAT);
      expect(at.told.at(-1)).toEqual({ type: "cover warned", id, parksAt: undefined });
      await at.live(5 * MINUTE);
      expect((await state(id)).state).toBe("running");
    });

    it("parks what is not covered and lets a dedicated phone go on", async () => {
      plan(12 * MINUTE);
      const [own, other] = [await launch(), await launch()];
      await dedicate(own);
      await at.live(12 * MINUTE);
      expect((await state(other)).state).toBe("parked");
      await at.live(5 * MINUTE);
      expect((await state(own)).state).toBe("running");
      expect((await entriesOf(test, own)).map(({ cover }) => cover)).not.toContain("uncovered");
    });

    it("parks at a budget of time, whose members are told, and starts nothing more under it", async () => {
      plan(10_000 * MINUTE);
      const id = await launch();
      const input = { scope: { kind: "phone", phoneId: id }, measure: "time", limit: 20 * MINUTE } as const;
      await at.budgets.set(scope, input);
      await at.live(20 * MINUTE + BEAT);
      expect(await state(id)).toMatchObject({ state: "parked", reason: "budget" });
      const [ran] = await intervalsOf(test, id);
      expect((ran?.to ?? 0) - (ran?.from ?? 0)).toBeLessThanOrEqual(20 * MINUTE + BEAT);
      expect(machine.mails.map(({ kind, data }) => [kind, "percent" in data && data.percent])).toEqual([
        ["budget_reached", "50 %"],
        ["budget_reached", "80 %"],
        ["budget_reached", "100 %"],
      ]);
      await expect(at.phones.start(scope, id)).rejects.toMatchObject({
        code: "payment_required",
        message: "The phone's budget for this month is used up. Raise it under Billing, or ask an owner.",
      });
      await expect(launch()).resolves.toBeDefined();
    });

    it("parks at a budget of money only what costs money", async () => {
      plan(12 * MINUTE);
      const [own, dear] = [await launch(), await launch()];
      await dedicate(own);
      await pay(1_000);
      await at.budgets.set(scope, { scope: { kind: "member", userId: scope.userId }, measure: "money", limit: 3 });
      await at.live(29 * MINUTE);
      expect(await state(dear)).toMatchObject({ state: "parked", reason: "budget" });
      expect((await state(own)).state).toBe("running");
      expect(await balance()).toBe(997);
    });

    it("parks no phone of another member for one member's budget", async () => {
      plan(10_000 * MINUTE);
      const id = await launch();
      const userId = scope.userId;
      const nobodys = await test.db.tx(async (tx) => {
        await tx.update(test.db.t.usageIntervals).set({ startedBy: null });
        return id;
      });
      await at.budgets.set(scope, {
        scope: { kind: "member", userId: userId satisfies UserId },
        measure: "time",
        limit: 5 * MINUTE,
      });
      await at.live(10 * MINUTE);
      expect((await state(nobodys)).state).toBe("running");
    });
  });

  it("keeps a phone parked that nothing pays for when the server comes back, and says why", async () => {
    plan(10 * MINUTE);
    const id = await launch();
    await at.live(7 * MINUTE);
    at = machine.boot();
    await at.meter.recover();
    await at.lifecycle.recover();
    expect(await state(id)).toMatchObject({ state: "parked", reason: "balance" });
    expect(await holds()).toEqual([]);
    await at.meter.beat();
    expect((await entriesOf(test, id)).reduce((sum, { ms }) => sum + ms, 0)).toBe(7 * MINUTE);
  });
});
