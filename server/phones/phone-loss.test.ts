/** Phones that go out of reach, for a moment, for good, and while the server restarts. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PhoneId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { LOST_LIMIT_MS } from "./phone-loss.ts";
import { FakeDriver } from "./testing/fake-driver.ts";
import { composePhones, IDLE_MS, newTeam, type PhonesUnderTest, publishedTo } from "./testing/harness.ts";

const MINUTE = 60_000;
const until = <T>(condition: () => Promise<T>) => vi.waitFor(condition, { timeout: 5000, interval: 5 });

describe.each(TEST_ENGINES)("a phone that goes out of reach, on $name", (engine) => {
  let test: TestDatabase;
  let at: PhonesUnderTest<ManualClock>;
  let scope: TeamScope;
  let id: PhoneId;
  beforeEach(async () => {
    test = await engine.open();
    at = composePhones(test, new ManualClock(), new FakeDriver(new Map(), { kind: "adb" }));
    scope = await newTeam(at);
    at.driver.offers = [{ id: "device:one", driver: "adb", label: "Pixel 7" }];
    id = (await at.phones.launch(scope, { driver: "adb", idempotencyKey: "first-launch" })).id;
  });
  afterEach(() => test.dispose());

  const get = () => at.phones.get(scope, id);
  const lose = async (reason?: "device_gone" | "device_unauthorized" | "host_gone") => {
    at.driver.lose(id, reason);
    await until(async () => expect((await get()).unreachableSince).toBeDefined());
  };
  const find = async () => {
    at.driver.find(id);
    await until(async () => expect((await get()).unreachableSince).toBeUndefined());
  };
  const restart = () => {
    const { stored, running } = at.driver;
    const next = new FakeDriver(stored, { kind: "adb", running });
    for (const lost of at.driver.out) next.out.add(lost);
    return composePhones(test, at.clock, next);
  };
  const actions = async () =>
    (await test.db.read.select().from(test.db.t.auditLog))
      .map(({ action }) => action)
      .filter((one) => /lost|found/.test(one));

  it("says since when and why, and goes on when it is found", async () => {
    const since = at.clock.now();
    await lose("host_gone");
    expect(await get()).toMatchObject({
      state: "running",
      reason: "host_gone",
      unreachableSince: new Date(since).toISOString(),
    });
    expect(at.told).toEqual([{ type: "unreachable", id, words: expect.stringMatching(/does not answer/) }]);
    expect(() => at.lifecycle.runningDriver(id)).toThrow(/does not answer/);
    await expect(at.phones.screenshot(scope, id)).rejects.toMatchObject({ code: "phone_unavailable" });
    await find();
    expect(await get()).toMatchObject({ state: "running" });
    expect((await get()).reason).toBeUndefined();
    expect(at.told.at(-1)).toEqual({ type: "reachable", id });
    expect(at.lifecycle.runningDriver(id)).toBe(at.driver);
    expect(await actions()).toEqual(["phone.lost", "phone.found"]);
    const published = await publishedTo(at, scope, await at.events.latest(scope.teamId));
    const seen = published.flatMap((event) =>
      event.type === "phone" ? [event.phone.unreachableSince !== undefined] : [],
    );
    expect(seen.slice(-2)).toEqual([true, false]);
  });

  it("is not taken for lost when it is back before anybody looked, nor for found when it is gone again", async () => {
    at.driver.lose(id);
    at.driver.find(id);
    await at.phones.rename(scope, id, "Looked at");
    await at.lifecycle.rotate(id, scope.userId);
    expect((await get()).unreachableSince).toBeUndefined();
    await lose();
    at.driver.find(id);
    at.driver.lose(id);
    await at.lifecycle.tick();
    expect((await get()).unreachableSince).toBeDefined();
  });

  it("is found by the next look when nobody told", async () => {
    await lose();
    at.driver.out.delete(id);
    await at.lifecycle.tick();
    expect((await get()).unreachableSince).toBeUndefined();
  });

  it("is not parked as idle meanwhile, and has as much time left as before", async () => {
    at.clock.advance(IDLE_MS - 5 * MINUTE);
    await lose();
    expect((await get()).parksAt).toBeUndefined();
    at.clock.advance(9 * MINUTE);
    await at.lifecycle.tick();
    expect((await get()).state).toBe("running");
    await find();
    expect((await get()).parksAt).toBe(new Date(at.clock.now() + 5 * MINUTE).toISOString());
    at.clock.advance(5 * MINUTE);
    await at.lifecycle.tick();
    expect(await get()).toMatchObject({ state: "parked", reason: "idle" });
  });

  it("fails with its reason when it is not found in time, and is parked when it turns up later", async () => {
    await lose("host_gone");
    at.clock.advance(LOST_LIMIT_MS - 1);
    await at.lifecycle.tick();
    expect((await get()).state).toBe("running");
    at.clock.advance(1);
    await at.lifecycle.tick();
    expect(await get()).toMatchObject({ state: "failed", reason: "host_gone" });
    expect((await get()).unreachableSince).toBeUndefined();
    expect(at.told.at(-1)).toEqual({ type: "ended", id, state: "failed", reason: "host_gone" });
    at.driver.find(id);
    await until(async () => expect(at.driver.running.size).toBe(0));
    expect((await get()).state).toBe("failed");
    expect((await at.phones.start(scope, id)).state).toBe("running");
  });

  it("fails when it turns out to have ended", async () => {
    await lose();
    at.driver.end(id, "device_gone");
    await until(async () => expect(await get()).toMatchObject({ state: "failed", reason: "device_gone" }));
    await at.phones.start(scope, id);
    await lose();
    at.driver.out.delete(id);
    at.driver.running.delete(id);
    await at.lifecycle.tick();
    expect(await get()).toMatchObject({ state: "failed", reason: "device_gone" });
  });

  it("is parked when it is found, if it was parked meanwhile", async () => {
    await lose("host_gone");
    await expect(at.phones.park(scope, id)).rejects.toThrow(/parked when it is found/);
    expect(await get()).toMatchObject({ state: "failed", reason: "host_gone" });
    at.driver.find(id);
    await until(async () => expect(at.driver.running.size).toBe(0));
    expect((await at.phones.park(scope, id)).state).toBe("parked");
  });

  it("is hidden when it is removed, and wiped when it is found, asked less and less often", async () => {
    await lose();
    await expect(at.phones.remove(scope, id, "remove-lost")).rejects.toThrow(/hidden from now on/);
    expect(await at.phones.list(scope)).toEqual([]);
    await expect(get()).rejects.toMatchObject({ code: "not_found" });
    let asked = 0;
    const remove = at.driver.remove.bind(at.driver);
    at.driver.remove = (phone) => {
      asked += 1;
      return remove(phone);
    };
    for (let tick = 0; tick < 12; tick += 1) {
      at.clock.advance(5_000);
      await at.lifecycle.tick();
    }
    expect(asked).toBeLessThan(5);
    at.driver.out.delete(id);
    at.clock.advance(10 * MINUTE);
    await at.lifecycle.tick();
    expect(at.driver.stored.size).toBe(0);
    expect(await at.repo.findAnywhere(id)).toBeUndefined();
    expect(await at.phones.remove(scope, id, "remove-lost").catch((error: PerchError) => error.code)).toBe("not_found");
  });

  it("goes on over a restart of the server, in the same session", async () => {
    const started = (await get()).startedAt;
    at.clock.advance(MINUTE);
    const next = restart();
    await next.lifecycle.recover();
    expect(await next.phones.get(scope, id)).toMatchObject({ state: "running", startedAt: started });
    expect(next.driver.starts).toBe(0);
    expect(next.lifecycle.runningDriver(id)).toBe(next.driver);
  });

  it("may be out of reach after a restart, and is found then", async () => {
    at.driver.out.add(id);
    at = restart();
    at.driver.failing.set("recover", new PerchError("phone_unavailable", "Nobody answers."));
    await at.lifecycle.recover();
    expect(await get()).toMatchObject({
      state: "running",
      reason: "device_gone",
      unreachableSince: expect.any(String),
    });
    expect(at.told).toEqual([expect.objectContaining({ type: "unreachable" })]);
    at.clock.advance(9 * MINUTE);
    await find();
    expect((await at.phones.screenshot(scope, id)).width).toBeGreaterThan(0);
  });

  it("is taken up after a restart when it answers, also where its driver tells nothing by itself", async () => {
    at.driver.out.add(id);
    const started = (await get()).startedAt;
    at = restart();
    await at.lifecycle.recover();
    await at.lifecycle.tick();
    expect((await get()).unreachableSince).toBeDefined();
    at.driver.out.delete(id);
    at.driver.running.delete(id);
    at.clock.advance(MINUTE);
    await at.lifecycle.tick();
    expect(await get()).toMatchObject({ state: "running", startedAt: started });
    expect((await get()).unreachableSince).toBeUndefined();
    expect(at.lifecycle.runningDriver(id)).toBe(at.driver);
    expect(at.driver.starts).toBe(1);
  });

  it("gets its time anew after a restart, and fails after that", async () => {
    await lose();
    at.clock.advance(9 * MINUTE);
    at = restart();
    await at.lifecycle.recover();
    at.clock.advance(9 * MINUTE);
    await at.lifecycle.tick();
    expect((await get()).state).toBe("running");
    at.clock.advance(MINUTE);
    await at.lifecycle.tick();
    expect((await get()).state).toBe("failed");
  });

  it("leaves nothing half-way after a kill, wherever its driver cannot say", async () => {
    const states = ["creating", "starting", "parking", "parked", "failed"] as const;
    const ids: PhoneId[] = [];
    for (const state of states) {
      const phone = await at.phones.launch(scope, { driver: "adb", idempotencyKey: `killed-${state}` });
      await at.db.tx((tx) => at.repo.change(tx, phone.id, ["running"], { state }));
      at.driver.out.add(phone.id);
      ids.push(phone.id);
    }
    at = restart();
    await at.lifecycle.recover();
    const now = await Promise.all(ids.map(async (phone) => (await at.repo.findAnywhere(phone))?.state));
    expect(now).toEqual(["failed", "failed", "failed", "parked", "failed"]);
    for (const phone of ids) at.driver.find(phone);
    await until(async () => expect([...at.driver.running]).toEqual([id]));
  });

  it("parks what runs and should not after a kill", async () => {
    for (const state of ["creating", "parking", "parked", "failed"] as const) {
      const phone = await at.phones.launch(scope, { driver: "adb", idempotencyKey: `killed-${state}` });
      await at.db.tx((tx) => at.repo.change(tx, phone.id, ["running"], { state }));
    }
    const next = restart();
    await next.lifecycle.recover();
    expect([...next.driver.running]).toEqual([id]);
    const others = (await next.phones.list(scope)).filter((phone) => phone.id !== id);
    expect(others.map(({ state }) => state).sort()).toEqual(["failed", "parked", "parked", "parked"]);
  });

  it("of a kind that is not set up any more fails, is still listed, and is told how it would come back", async () => {
    const next = composePhones(test, at.clock, new FakeDriver());
    await next.lifecycle.recover();
    expect(await next.phones.get(scope, id)).toMatchObject({
      state: "failed",
      driver: "adb",
      capabilities: { openUrl: false },
    });
    await expect(next.phones.start(scope, id)).rejects.toThrow(/docs\/android\.md/);
    await next.lifecycle.tick();
  });

  it("says what it cannot do without words of the device: of its start that failed, the reason", async () => {
    await at.phones.park(scope, id);
    const refused = Object.assign(new PerchError("phone_unavailable", "Not allowed."), {
      reason: "device_unauthorized",
    });
    at.driver.failing.set("start", refused);
    await expect(at.phones.start(scope, id)).rejects.toThrow("Not allowed.");
    expect(await get()).toMatchObject({ state: "failed", reason: "device_unauthorized" });
  });
});
