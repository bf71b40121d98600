/** When phones' time counts, on both engines, with the real life of phones, ledger and rating. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { PhoneId } from "../../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { newTeam } from "../../phones/testing/harness.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import { type Booted, entriesOf, forgetPhones, intervalsOf, Machine } from "./testing/harness.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const until = <T>(condition: () => Promise<T>) => vi.waitFor(condition, { timeout: 5000, interval: 5 });
let keys = 0;

describe.each(TEST_ENGINES)("a phone's time on $name", (engine) => {
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
    machine = new Machine(test);
    at = machine.boot();
    scope = await newTeam({ test, clock: machine.clock });
    machine.entitle(scope.teamId, { includedMs: 1_000 * HOUR });
  });
  const launch = async () => {
    keys += 1;
    return (await at.phones.launch(scope, { idempotencyKey: `launch-${keys}` })).id;
  };
  const state = (id: PhoneId) => at.phones.get(scope, id);
  /** Every closed interval is in the ledger to the millisecond, and none is there twice. */
  async function expectPosted(id: PhoneId): Promise<void> {
    const entries = await entriesOf(test, id);
    for (const { id: intervalId, from, to = 0 } of await intervalsOf(test, id)) {
      const own = entries.filter((entry) => entry.intervalId === intervalId);
      expect(own.reduce((sum, { ms }) => sum + ms, 0)).toBe(to - from);
    }
  }

  it("begins when the phone is ready and ends when parking begins", async () => {
    const goOn = at.driver.holdStarts();
    const launching = launch();
    await until(async () => expect(at.driver.stored.size).toBeGreaterThan(0));
    machine.pass(3_000);
    await at.meter.beat();
    goOn();
    const id = await launching;
    const ready = machine.clock.now();
    await at.live(12_000);
    machine.pass(1_234);
    const park = at.driver.park.bind(at.driver);
    at.driver.park = async (phone) => {
      machine.pass(9_000);
      await park(phone);
    };
    await at.phones.park(scope, id);
    const ran = { from: ready, to: ready + 13_234, why: "parked", startedBy: scope.userId };
    expect(await intervalsOf(test, id)).toMatchObject([ran]);
    expect(await entriesOf(test, id)).toMatchObject([{ cover: "plan", ms: 13_234, amount: 0 }]);
    expect(await test.db.read.select().from(test.db.t.usageHolds)).toEqual([]);
  });

  it("rests while a phone is out of reach, which keeps its place, and goes on where it is found", async () => {
    machine = new Machine(test, { kind: "adb" });
    machine.entitle(scope.teamId, { includedMs: 1_000 * HOUR });
    at = machine.boot();
    const [id] = await at.parked(scope, 1);
    if (id === undefined) throw new Error("No phone was made.");
    await at.phones.start(scope, id);
    const ready = machine.clock.now();
    await at.live(12_000);
    machine.pass(1_234);
    at.driver.lose(id);
    await until(async () => expect((await state(id)).unreachableSince).toBeDefined());
    await at.live(60_000);
    expect(await test.db.read.select().from(test.db.t.usageHolds)).toMatchObject([{ phoneId: id }]);
    // The driver reaches it; until the row says so, it does not count.
    at.driver.out.delete(id);
    await at.live(30_000);
    expect(await intervalsOf(test, id)).toHaveLength(1);
    const found = machine.clock.now();
    await at.lifecycle.tick();
    await at.live(10_000);
    at.driver.lose(id);
    await until(async () => expect((await state(id)).unreachableSince).toBeDefined());
    at.driver.end(id, "device_gone");
    await until(async () => expect((await state(id)).state).toBe("failed"));
    expect(await intervalsOf(test, id)).toMatchObject([
      { from: ready, to: ready + 13_234, why: "lost", startedBy: scope.userId },
      { from: found, to: found + 10_000, why: "lost", startedBy: scope.userId },
    ]);
    await expectPosted(id);
    expect(await test.db.read.select().from(test.db.t.usageHolds)).toEqual([]);
  });

  it("does not begin for a phone that never came up, which holds no place either", async () => {
    at.driver.failing.set("start", new Error("no browser today"));
    await expect(launch()).rejects.toMatchObject({ code: "phone_unavailable" });
    const id = await (async () => {
      at.driver.failing.clear();
      return launch();
    })();
    await at.phones.park(scope, id);
    at.driver.failing.set("start", new Error("no browser today"));
    await expect(at.phones.start(scope, id)).rejects.toMatchObject({ code: "phone_unavailable" });
    expect(await intervalsOf(test, id)).toHaveLength(1);
    expect(await test.db.read.select().from(test.db.t.usageHolds)).toEqual([]);
  });

  it("ends at the last beat when the phone fails; its way back is not counted", async () => {
    const id = await launch();
    const ready = machine.clock.now();
    await at.live(10_000);
    machine.pass(4_000);
    const goOn = at.driver.holdStarts();
    at.driver.end(id, "browser_crashed");
    await until(async () => expect((await state(id)).state).toBe("starting"));
    machine.pass(3_000);
    goOn();
    await until(async () => expect((await state(id)).state).toBe("running"));
    await at.phones.park(scope, id);
    const again = ready + 17_000;
    expect(await intervalsOf(test, id)).toMatchObject([
      { from: ready, to: ready + 10_000, why: "failed", startedBy: scope.userId },
      { from: again, to: again, why: "parked", startedBy: null },
    ]);
    await expectPosted(id);
  });

  it("ends at the last beat when the phone is removed after a jump of the clock, and now when it is not", async () => {
    const [first, second] = [await launch(), await launch()];
    await at.live(5_000);
    machine.pass(2_000);
    await at.phones.remove(scope, first, `remove-${first}`);
    expect(await intervalsOf(test, first)).toMatchObject([{ why: "removed", to: machine.clock.now() }]);
    const seen = machine.clock.now();
    machine.setClock(HOUR);
    machine.pass(1_000);
    await at.phones.remove(scope, second, `remove-${second}`);
    expect(await intervalsOf(test, second)).toMatchObject([{ why: "removed", to: seen }]);
  });

  it("ends at the last beat before the server died; the phone comes back and is counted anew", async () => {
    const id = await launch();
    const ready = machine.clock.now();
    await at.live(20_000);
    machine.pass(4_900);
    at = machine.boot();
    machine.pass(60_000);
    await at.meter.recover();
    await at.lifecycle.recover();
    expect((await state(id)).state).toBe("running");
    const back = machine.clock.now();
    await at.live(5_000);
    await at.phones.park(scope, id);
    expect(await intervalsOf(test, id)).toMatchObject([
      { from: ready, to: ready + 20_000, why: "server_crash" },
      { from: back, to: back + 5_000, why: "parked" },
    ]);
    await at.meter.beat();
    await expectPosted(id);
  });

  it.each([HOUR, -HOUR])("does not count what a clock that was set by %d ms adds, nor anything twice", async (by) => {
    const id = await launch();
    const ready = machine.clock.now();
    await at.live(10_000);
    machine.setClock(by);
    await at.live(5_000);
    const after = Math.max(machine.clock.now(), ready + 10_000);
    await at.live(10_000);
    await at.phones.park(scope, id);
    const counted = by > 0 ? 10_000 : 0;
    expect(await intervalsOf(test, id)).toMatchObject([
      { from: ready, to: ready + 10_000, why: "clock_step" },
      { from: after, to: after + counted, why: "parked" },
    ]);
    await expectPosted(id);
  });

  it("is not counted for a phone the driver does not know any more, and ends where that was last seen", async () => {
    const [lost, other] = [await launch(), await launch()];
    const ready = machine.clock.now();
    await at.live(10_000);
    at.driver.running.delete(lost);
    await at.live(35_000);
    expect(await intervalsOf(test, lost)).toMatchObject([{ from: ready, to: ready + 10_000, why: "server_crash" }]);
    expect(await intervalsOf(test, other)).toMatchObject([{ from: ready, seen: ready + 45_000, to: undefined }]);
    await expectPosted(lost);
  });

  it("does not count what nobody watched over: three beats that did not come", async () => {
    const id = await launch();
    const ready = machine.clock.now();
    await at.live(10_000);
    machine.pass(16_000);
    await at.meter.beat();
    await at.live(5_000);
    await at.phones.park(scope, id);
    expect(await intervalsOf(test, id)).toMatchObject([
      { from: ready, to: ready + 10_000, why: "server_crash" },
      { from: ready + 26_000, to: ready + 31_000, why: "parked" },
    ]);
  });

  it("goes on in a new interval after a day, without the name of who is being erased", async () => {
    const id = await launch();
    const ready = machine.clock.now();
    const beatAlone = () =>
      test.db.tx((tx) => at.repo.beat(tx, at.by, new Date(machine.clock.now()), at.driver.runningPhones()));
    machine.pass(24 * HOUR);
    await beatAlone();
    at.guard.beaten();
    const { erasureFence } = test.db.t;
    await test.db.tx((tx) => tx.insert(erasureFence).values({ subject: scope.userId, since: new Date() }));
    await at.live(5_000);
    await test.db.tx((tx) => tx.delete(erasureFence));
    await at.live(5_000);
    await at.phones.park(scope, id);
    const split = ready + 24 * HOUR + 5_000;
    expect(await intervalsOf(test, id)).toMatchObject([
      { from: ready, to: split, why: "split", startedBy: scope.userId },
      { from: split, to: split + 5_000, why: "parked", startedBy: null },
    ]);
    await expectPosted(id);
  });

  it("is in the ledger when the phone parks, when the hour turns, and after ten minutes", async () => {
    machine.pass(52 * MINUTE);
    await at.meter.beat();
    const id = await launch();
    const posted = async () => (await entriesOf(test, id)).reduce((sum, { ms }) => sum + ms, 0);
    await at.live(5 * MINUTE);
    expect(await posted()).toBe(0);
    await at.live(3 * MINUTE + 5_000);
    expect(await posted()).toBe(8 * MINUTE + 5_000);
    await at.live(9 * MINUTE);
    expect(await posted()).toBe(8 * MINUTE + 5_000);
    await at.live(2 * MINUTE);
    expect(await posted()).toBeGreaterThanOrEqual(18 * MINUTE);
    await at.phones.park(scope, id);
    expect(await posted()).toBe(19 * MINUTE + 5_000);
    expect(await entriesOf(test, id)).toHaveLength(3);
  });

  it("ends with the phone also when the ledger fails, and is settled when that works again", async () => {
    const id = await launch();
    await at.live(10_000);
    const post = at.ledger.post.bind(at.ledger);
    at.ledger.post = () => Promise.reject(new Error("no ledger today"));
    await at.phones.park(scope, id);
    await at.live(5_000);
    expect(await state(id)).toMatchObject({ state: "parked", reason: "asked" });
    expect(await entriesOf(test, id)).toEqual([]);
    at.ledger.post = post;
    await at.live(5_000);
    expect(await entriesOf(test, id)).toMatchObject([{ cover: "plan", ms: 10_000 }]);
  });

  it("is paid by the month it was in", async () => {
    machine.clock.advance(Date.UTC(2026, 11, 1) - 4 * MINUTE - machine.clock.now());
    machine.entitle(scope.teamId, { includedMs: 5 * MINUTE });
    at = machine.boot();
    const id = await launch();
    await at.live(2 * MINUTE);
    await at.phones.park(scope, id);
    await at.live(MINUTE);
    await expect(at.phones.start(scope, id)).resolves.toMatchObject({ state: "running" });
    await at.live(2 * MINUTE);
    expect((await state(id)).state).toBe("running");
    await at.phones.park(scope, id);
    const grants = (await test.db.read.select().from(test.db.t.grants)).filter(({ teamId }) => teamId === scope.teamId);
    expect(grants.map(({ remaining }) => remaining).sort((a, b) => a - b)).toEqual([2 * MINUTE, 4 * MINUTE]);
  });

  it("is closed by another node once a node's beats stop", async () => {
    const id = await launch();
    await at.live(5_000);
    const seen = machine.clock.now();
    machine.pass(2_000);
    const other = machine.boot("node-2");
    await other.meter.beat();
    machine.pass(16_000);
    for (let beat = 0; beat < 3; beat += 1) await other.live(5_000);
    expect(await intervalsOf(test, id)).toMatchObject([{ to: seen, why: "server_crash", rated: seen }]);
    // The node was only slow: its phone lives, and is counted again.
    await at.meter.beat();
    expect(await intervalsOf(test, id)).toMatchObject([
      { to: seen },
      { from: machine.clock.now(), startedBy: scope.userId },
    ]);
  });

  it("costs nothing where no bills are sent, and is counted all the same", async () => {
    machine = new Machine(test, { unbilled: true });
    machine.entitle(scope.teamId, { phonesAtOnce: 0, storageMb: 0, standing: "stopped" });
    at = machine.boot();
    const id = await launch();
    await at.live(20_000);
    expect((await state(id)).state).toBe("running");
    await at.phones.park(scope, id);
    expect(await entriesOf(test, id)).toMatchObject([{ cover: "included", ms: 20_000, amount: 0 }]);
  });
});
