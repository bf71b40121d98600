import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newId, type PhoneId } from "../../shared/ids.ts";
import { FREE_METERING } from "../billing/usage/testing/free-metering.ts";
import { ManualClock } from "../clock.ts";
import { testSqlite } from "../db/testing.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { FakeDriver } from "./testing/fake-driver.ts";
import {
  composePhones,
  consistency,
  IDLE_MS,
  LONGEST_MS,
  newTeam,
  openPhones,
  type PhonesUnderTest,
  publishedTo,
} from "./testing/harness.ts";

const MINUTE = 60_000;
/** Waits for a condition on the database without counting on time. */
const until = <T>(condition: () => Promise<T>) => vi.waitFor(condition, { timeout: 5000, interval: 5 });

describe("a phone's life", () => {
  let at: Awaited<ReturnType<typeof openPhones>>;
  let scope: TeamScope;
  let id: PhoneId;
  beforeEach(async () => {
    at = await openPhones();
    scope = await newTeam(at);
    id = (await at.phones.launch(scope, { idempotencyKey: "first-launch" })).id;
  });
  afterEach(() => at.dispose());
  const get = () => at.phones.get(scope, id);
  const row = () => at.repo.findAnywhere(id);

  it("ABUSE-36 warns once, two minutes before, and parks when nobody uses it", async () => {
    const started = at.clock.now();
    expect((await get()).parksAt).toBe(new Date(started + IDLE_MS).toISOString());
    at.clock.advance(IDLE_MS - 2 * MINUTE - 1);
    await at.lifecycle.tick();
    expect(at.told).toEqual([]);
    at.clock.advance(1);
    await at.lifecycle.tick();
    await at.lifecycle.tick();
    expect(at.told).toEqual([{ type: "warned", id, parksAt: new Date(started + IDLE_MS) }]);
    at.clock.advance(2 * MINUTE);
    await at.lifecycle.tick();
    expect(await get()).toMatchObject({ state: "parked", reason: "idle" });
    expect(at.driver.running.size).toBe(0);
    expect(at.told.at(-1)).toEqual({ type: "ended", id, state: "parked", reason: "idle" });
    expect((await publishedTo(at, scope, 6)).map((event) => event.type)).toContain("idle_warning");
  });

  it("is kept awake by use, and warns again later", async () => {
    at.clock.advance(IDLE_MS - MINUTE);
    await at.lifecycle.tick();
    await at.phones.keepAwake(scope, id);
    at.clock.advance(MINUTE);
    await at.lifecycle.tick();
    expect((await get()).state).toBe("running");
    at.clock.advance(IDLE_MS - 2 * MINUTE);
    await at.lifecycle.tick();
    expect(at.told.filter(({ type }) => type === "warned")).toHaveLength(2);
  });

  it("writes use down, so that a restart does not forget it", async () => {
    at.clock.advance(10 * MINUTE);
    at.lifecycle.used(id);
    await at.lifecycle.tick();
    expect((await row())?.lastUsedAt).toEqual(new Date(at.clock.now()));
  });

  it("ABUSE-36 parks at the longest session even when it is used all the time", async () => {
    const end = at.clock.now() + LONGEST_MS;
    while (at.clock.now() < end) {
      at.clock.advance(20 * MINUTE);
      if (at.clock.now() < end) at.lifecycle.used(id);
      await at.lifecycle.tick();
    }
    expect(await get()).toMatchObject({ state: "parked", reason: "longest_session" });
  });

  it("parks the others when one cannot be parked", async () => {
    await at.phones.launch(scope, { idempotencyKey: "second-launch" });
    const park = at.driver.park.bind(at.driver);
    at.driver.park = (target) => (target === id ? Promise.reject(new Error("stuck")) : park(target));
    at.clock.advance(IDLE_MS);
    await at.lifecycle.tick();
    expect((await at.phones.list(scope)).map(({ state }) => state).sort()).toEqual(["failed", "parked"]);
  });

  it("does not stay in parking when the driver cannot park it, and can be parked again", async () => {
    at.driver.failing.set("park", new Error("stuck"));
    await expect(at.phones.park(scope, id)).rejects.toMatchObject({ code: "phone_unavailable" });
    expect((await get()).state).toBe("failed");
    at.driver.failing.clear();
    expect((await at.phones.park(scope, id)).state).toBe("parked");
    expect((await at.phones.start(scope, id)).state).toBe("running");
  });

  it("fails at the next look when its end could not be recorded", async () => {
    const away = vi.spyOn(at.repo, "findAnywhere").mockRejectedValueOnce(new Error("The database is away."));
    at.driver.end(id, "out_of_memory");
    await until(async () => expect(away.mock.settledResults[0]).toMatchObject({ type: "rejected" }));
    away.mockRestore();
    expect((await get()).state).toBe("running");
    await at.lifecycle.tick();
    expect(await get()).toMatchObject({ state: "failed", reason: "out_of_memory" });
  });

  it("is counted up to an end that was not recorded, not up to when it is parked", async () => {
    const closed = vi.spyOn(FREE_METERING, "closed");
    const away = vi.spyOn(at.repo, "findAnywhere").mockRejectedValueOnce(new Error("The database is away."));
    at.driver.end(id, "out_of_memory");
    await until(async () => expect(away.mock.settledResults[0]).toMatchObject({ type: "rejected" }));
    away.mockRestore();
    await at.phones.park(scope, id);
    expect(closed.mock.calls.map(([, phoneId, end]) => [phoneId, end])).toEqual([[id, "failed"]]);
    closed.mockRestore();
    await at.lifecycle.tick();
    expect((await get()).state).toBe("parked");
  });

  it("comes back once after a crash, and stays down after the second within a minute", async () => {
    at.driver.end(id, "browser_crashed");
    await until(async () => expect(at.driver.starts).toBe(2));
    await until(async () => expect((await get()).state).toBe("running"));
    expect(at.told).toEqual([{ type: "ended", id, state: "failed", reason: "browser_crashed" }]);
    at.clock.advance(30_000);
    at.driver.end(id, "browser_crashed");
    await until(async () => expect(await get()).toMatchObject({ state: "failed", reason: "browser_crashed" }));
    expect(at.driver.running.size).toBe(0);
    expect((await at.phones.start(scope, id)).state).toBe("running");
    at.clock.advance(2 * MINUTE);
    at.driver.end(id, "browser_crashed");
    await until(async () => expect(at.driver.starts).toBe(4));
  });

  it.each(["out_of_memory", "disk_full"] as const)("says %s and waits for a person", async (reason) => {
    at.driver.end(id, reason);
    await until(async () => expect(await get()).toMatchObject({ state: "failed", reason }));
    expect(at.driver.starts).toBe(1);
  });

  it("does not take the end of an earlier life for the end of this one", async () => {
    const before = await row();
    if (before === undefined) throw new Error("The phone is gone.");
    const park = at.driver.park.bind(at.driver);
    let again: Promise<unknown> | undefined;
    at.driver.park = async (target) => {
      again ??= at.lifecycle.start(before, undefined, scope.userId);
      at.driver.end(target, "browser_crashed");
      await park(target);
    };
    await at.phones.park(scope, id);
    await again;
    // In its turn, so after whatever the crash's event does.
    await at.phones.rotate(scope, id);
    expect((await get()).state).toBe("running");
    expect(at.driver.starts).toBe(2);
  });

  it("ends what was left half-way while nobody works on it", async () => {
    const leave = (state: "starting" | "parking") =>
      at.db.tx((tx) => at.repo.change(tx, id, ["running", "failed", "parked"], { state }));
    await leave("starting");
    await at.lifecycle.tick();
    expect(await get()).toMatchObject({ state: "failed", reason: "start_failed" });
    await leave("parking");
    await at.lifecycle.tick();
    expect((await get()).state).toBe("parked");
    expect(at.driver.running.size).toBe(0);
  });

  it("leaves a phone alone that is still starting", async () => {
    await at.phones.park(scope, id);
    const release = at.driver.holdStarts();
    const starting = at.phones.start(scope, id);
    await until(async () => expect((await get()).state).toBe("starting"));
    await at.lifecycle.tick();
    release();
    expect((await starting).state).toBe("running");
  });

  it("parks everything when the server stops, says why, and starts nothing more", async () => {
    await at.lifecycle.close();
    expect(await get()).toMatchObject({ state: "parked", reason: "server_stopped" });
    expect(at.told.at(-1)).toEqual({ type: "ended", id, state: "parked", reason: "server_stopped" });
    await expect(at.phones.start(scope, id)).rejects.toMatchObject({ code: "unavailable" });
    expect(at.driver.running.size).toBe(0);
  });

  it("is started again after the server was killed, with what was saved", async () => {
    at.driver.save(id, "kept.txt", "x");
    const parked = await at.phones.launch(scope, { idempotencyKey: "parked-one" });
    await at.phones.park(scope, parked.id);
    const next = composePhones(at.test, at.clock, new FakeDriver(at.driver.stored));
    await next.lifecycle.recover();
    expect(await next.phones.get(scope, id)).toMatchObject({ state: "running" });
    expect((await next.phones.get(scope, parked.id)).state).toBe("parked");
    expect([...next.driver.running]).toEqual([id]);
    expect(await next.phones.files(scope, id)).toMatchObject([{ name: "kept.txt" }]);
  });

  it("recovers every state a kill can leave, each phone on its own", async () => {
    const states = ["creating", "starting", "running", "parking", "parked", "failed", "removed"] as const;
    const ids = new Map<string, PhoneId>();
    for (const state of states) {
      const phone = await at.phones.launch(scope, { idempotencyKey: `killed-${state}` });
      await at.db.tx((tx) => at.repo.change(tx, phone.id, ["running"], { state }));
      ids.set(state, phone.id);
    }
    const next = composePhones(at.test, at.clock, new FakeDriver(at.driver.stored));
    const gone = ids.get("running");
    const start = next.driver.start.bind(next.driver);
    next.driver.start = (spec, url) => (spec.id === gone ? Promise.reject(new Error("broken")) : start(spec, url));
    await next.lifecycle.recover();
    const states2 = Object.fromEntries(
      await Promise.all([...ids].map(async ([was, phone]) => [was, (await next.repo.findAnywhere(phone))?.state])),
    );
    expect(states2).toEqual({
      creating: "parked",
      starting: "running",
      running: "failed",
      parking: "parked",
      parked: "parked",
      failed: "failed",
      removed: undefined,
    });
    expect(next.driver.stored.has(ids.get("removed") ?? newId("phone"))).toBe(false);
  });
});

describe("what people and accidents do to a phone, in any order", () => {
  const act = fc.constantFrom("start", "park", "remove", "crash", "tick", "open", "wait", "fail", "heal", "restart");

  it("ends with row and driver agreeing, nothing stuck, and every change published", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 14 }), async (acts) => {
        const test = await testSqlite.open();
        const clock = new ManualClock();
        let at: PhonesUnderTest = composePhones(test, clock, new FakeDriver());
        try {
          const scope = await newTeam(at);
          const { id } = await at.phones.launch(scope, { idempotencyKey: "the-phone" });
          let going: Promise<unknown>[] = [];
          const go = (work: Promise<unknown>) => going.push(work.catch(() => {}));
          for (const what of acts) {
            if (what === "start") go(at.phones.start(scope, id));
            if (what === "park") go(at.phones.park(scope, id));
            if (what === "remove") go(at.phones.remove(scope, id, `remove-${going.length}-key`));
            if (what === "open") go(at.phones.openUrl(scope, id, "https://a.example/"));
            if (what === "crash") at.driver.end(id, "browser_crashed");
            if (what === "fail")
              for (const step of ["start", "park", "remove"] as const) at.driver.failing.set(step, new Error(step));
            if (what === "heal") at.driver.failing.clear();
            if (what === "tick") {
              clock.advance(20 * MINUTE);
              go(at.lifecycle.tick());
            }
            if (what === "wait") await Promise.all(going.splice(0));
            if (what === "restart") {
              await Promise.all(going.splice(0));
              at = composePhones(test, clock, new FakeDriver(at.driver.stored));
              await at.lifecycle.recover();
            }
          }
          await Promise.all(going);
          going = [];
          at.driver.failing.clear();
          await until(async () => {
            // A wipe that failed is tried again after longer and longer times.
            clock.advance(MINUTE);
            await at.lifecycle.tick();
            for (const { row, driver } of await consistency(at, scope.teamId)) {
              expect(["running", "parked", "failed"]).toContain(row);
              if (row !== "failed") expect(driver).toBe(row);
            }
          });
          const last = await at.repo.findAnywhere(id);
          const published = await publishedTo(at, scope, await at.events.latest(scope.teamId));
          const final = published.filter((event) => event.type !== "idle_warning").at(-1);
          expect(final?.type === "phone" ? final.phone.state : undefined).toBe(last?.state);
          expect(await at.audit.verify(scope.teamId)).not.toHaveProperty("brokenAt");
        } finally {
          await test.dispose();
        }
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
