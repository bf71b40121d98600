import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase, testSqlite } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { PhoneLimits } from "./phones.service.ts";
import { FakeDriver } from "./testing/fake-driver.ts";
import {
  composePhones,
  consistency,
  newTeam,
  openPhones,
  type PhonesUnderTest,
  publishedTo,
} from "./testing/harness.ts";

const settle = (work: Promise<unknown>[]) => Promise.allSettled(work);
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe.each(TEST_ENGINES)("phones on $name", (engine) => {
  let test: TestDatabase;
  let at: PhonesUnderTest;
  let scope: TeamScope;
  const open = async (limits: Parameters<typeof composePhones>[3] = {}) => {
    await test.db.tx((tx) => tx.delete(test.db.t.phones));
    at = composePhones(test, new ManualClock(), new FakeDriver(), limits);
    scope = await newTeam(at);
  };
  beforeAll(async () => {
    test = await engine.open();
  });
  beforeEach(() => open());
  afterAll(() => test.dispose());
  const launch = (key: string, input: { url?: string; name?: string } = {}) =>
    at.phones.launch(scope, { idempotencyKey: key, ...input });

  it("launches one phone for one key, however often it is asked", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => launch("same-key-1", { url: "https://a.example/" })),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await at.phones.list(scope)).toHaveLength(1);
    expect(at.driver.starts).toBe(1);
    const id = answers[0]?.id ?? newId("phone");
    expect(at.driver.shows(id)).toBe("https://a.example/");
    await expect(launch("same-key-1", { url: "https://b.example/" })).rejects.toMatchObject({
      code: "idempotency_mismatch",
    });
  });

  it("ABUSE-36 keeps to the limit of three when fifty launches come at once", async () => {
    await open({ runningPerTeam: 3 });
    const results = await settle(Array.from({ length: 50 }, (_, index) => launch(`key-${index}-xxxx`)));
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(refused).toHaveLength(47);
    for (const error of refused) expect(error).toMatchObject({ code: "limit_reached" });
    expect(await at.phones.list(scope)).toHaveLength(3);
    expect(at.driver.starts).toBe(3);
    expect(at.driver.stored.size).toBe(3);
  });

  it("counts phones of a team, running ones of a team, and running ones of the machine apart", async () => {
    await open({ perTeam: 2, runningPerTeam: 2, runningOnMachine: 2 });
    const first = await launch("first-key");
    await launch("second-key");
    expect(await errorOf(launch("third-key"))).toMatchObject({ message: expect.stringContaining("may keep") });
    const other = await newTeam(at);
    const elsewhere = () => at.phones.launch(other, { idempotencyKey: "other-key" });
    expect(await errorOf(elsewhere())).toMatchObject({ message: expect.stringContaining("as many phones as it can") });
    await at.phones.park(scope, first.id);
    await elsewhere();
    expect(await errorOf(at.phones.start(scope, first.id))).toMatchObject({ code: "limit_reached" });
    expect((await at.phones.get(scope, first.id)).state).toBe("parked");
  });

  it("keeps to the limit when parks and starts cross", async () => {
    await open({ runningPerTeam: 2 });
    const ids = [];
    for (const key of ["cross-key-1", "cross-key-2", "cross-key-3", "cross-key-4"]) {
      const { id } = await launch(key);
      ids.push(id);
      await at.phones.park(scope, id);
    }
    await settle(
      ids.flatMap((id) => [at.phones.start(scope, id), at.phones.park(scope, id), at.phones.start(scope, id)]),
    );
    expect(at.driver.running.size).toBeLessThanOrEqual(2);
    for (const { row, driver } of await consistency(at, scope.teamId)) expect(row).toBe(driver);
  });

  it("leaves nothing behind when the start fails, and the same key may try again", async () => {
    at.driver.failing.set("start", new PerchError("phone_unavailable", "No browser."));
    await expect(launch("retry-key")).rejects.toMatchObject({ code: "phone_unavailable" });
    expect(await at.phones.list(scope)).toEqual([]);
    expect(at.driver.stored.size).toBe(0);
    at.driver.failing.clear();
    expect((await launch("retry-key")).state).toBe("running");
  });

  it("tells an unexpected failure in its own words only", async () => {
    at.driver.failing.set("create", new Error("ENOSPC /secret/path"));
    const error = await errorOf(launch("hidden-key"));
    expect(error).toMatchObject({ code: "phone_unavailable" });
    expect(error instanceof Error && error.message).not.toContain("secret");
  });

  it("keeps trying to wipe what a failed launch could not", async () => {
    at.driver.failing.set("start", new Error("no"));
    at.driver.failing.set("remove", new Error("busy"));
    await errorOf(launch("stuck-key"));
    expect(await at.phones.list(scope)).toEqual([]);
    expect(at.driver.stored.size).toBe(1);
    at.driver.failing.clear();
    await at.lifecycle.tick();
    expect(at.driver.stored.size).toBe(0);
    expect(await consistency(at, scope.teamId)).toEqual([]);
  });

  it("takes no more when enough phones move, but answers a repeated call", async () => {
    const { id } = await launch("moving-key");
    at.driver.moving = 6;
    await expect(launch("moving-key-2")).rejects.toMatchObject({ code: "limit_reached" });
    expect((await launch("moving-key")).id).toBe(id);
    await at.phones.park(scope, id);
    await expect(at.phones.start(scope, id)).rejects.toMatchObject({ code: "limit_reached" });
    at.driver.moving = 5;
    expect((await at.phones.start(scope, id)).state).toBe("running");
  });

  it("answers for another team's phone exactly as for none", async () => {
    const { id } = await launch("mine-key");
    at.driver.save(id, "a.txt", "secret");
    const stranger = await newTeam(at);
    const before = await at.phones.get(scope, id);
    const calls: ((target: typeof id) => Promise<unknown>)[] = [
      (target) => at.phones.get(stranger, target),
      (target) => at.phones.start(stranger, target),
      (target) => at.phones.park(stranger, target),
      (target) => at.phones.remove(stranger, target, "stranger-key"),
      (target) => at.phones.openUrl(stranger, target, "https://evil.example/"),
      (target) => at.phones.rename(stranger, target, "x"),
      (target) => at.phones.configure(stranger, target, {}),
      (target) => at.phones.rotate(stranger, target),
      (target) => at.phones.keepAwake(stranger, target),
      (target) => at.phones.screenshot(stranger, target),
      (target) => at.phones.installWebApp(stranger, target, "https://evil.example/"),
      (target) => at.phones.files(stranger, target),
      (target) => at.phones.readFile(stranger, target, "a.txt"),
      (target) => at.phones.removeFile(stranger, target, "a.txt"),
      (target) => at.phones.runningPhone(stranger, target),
    ];
    const say = (error: unknown) =>
      JSON.stringify(error instanceof PerchError ? { ...error, message: error.message } : error);
    for (const call of calls) {
      const [theirs, none] = [await errorOf(call(id)), await errorOf(call(newId("phone")))];
      expect(theirs).toMatchObject({ code: "not_found" });
      expect(say(theirs)).toBe(say(none));
    }
    expect(await at.phones.get(scope, id)).toEqual(before);
    expect(await at.phones.list(stranger)).toEqual([]);
    expect(at.driver.stored.get(id)?.files.size).toBe(1);
  });

  it("gives a removal's receipt again for the same key, and to one caller only", async () => {
    const { id } = await launch("remove-key-0");
    at.driver.save(id, "a.txt", "x");
    const same = await Promise.all(Array.from({ length: 5 }, () => at.phones.remove(scope, id, "remove-key-1")));
    for (const receipt of same) expect(receipt).toEqual({ ...same[0], files: 1, verifiedAbsent: true });
    expect(await at.phones.remove(scope, id, "remove-key-1")).toEqual(same[0]);
    await expect(at.phones.remove(scope, id, "remove-key-2")).rejects.toMatchObject({ code: "not_found" });
    expect(await consistency(at, scope.teamId)).toEqual([]);
  });

  it("does not call a phone wiped while something of it is left, and wipes it on the next try", async () => {
    const { id } = await launch("traces-key");
    at.driver.leavesTraces = true;
    await expect(at.phones.remove(scope, id, "traces-key-1")).rejects.toMatchObject({ code: "unavailable" });
    expect(await at.phones.list(scope)).toEqual([]);
    at.driver.leavesTraces = false;
    expect(await at.phones.remove(scope, id, "traces-key-1")).toMatchObject({ verifiedAbsent: true });
  });

  it("writes the audit entry of everything done and publishes every change", async () => {
    const { id } = await launch("audited-key", { name: "One" });
    await at.phones.rename(scope, id, "Two");
    await at.phones.configure(scope, id, { locale: "de-DE" });
    await at.phones.rotate(scope, id);
    await at.phones.openUrl(scope, id, "https://a.example/");
    await at.phones.screenshot(scope, id);
    at.driver.save(id, "a.txt", "x");
    await at.phones.readFile(scope, id, "a.txt");
    await at.phones.removeFile(scope, id, "a.txt");
    await at.phones.park(scope, id);
    await at.phones.installWebApp(scope, id, "https://app.example/");
    await at.phones.remove(scope, id, "audited-key");
    const rows = (await at.db.read.select().from(at.db.t.auditLog)).filter((row) => row.chain === scope.teamId);
    expect(rows.sort((a, b) => a.seq - b.seq).map((row) => row.action)).toEqual([
      "phone.launched",
      "phone.started",
      "phone.renamed",
      "phone.configured",
      "phone.configured",
      "phone.opened",
      "phone.screenshot_taken",
      "phone.file_read",
      "phone.file_removed",
      "phone.parked",
      "phone.started",
      "phone.web_app_installed",
      "phone.removed",
    ]);
    expect(await at.audit.verify(scope.teamId)).toEqual({ entries: 13 });
    const states = (await publishedTo(at, scope, 11)).map((event) =>
      event.type === "phone" ? event.phone.state : event.type,
    );
    expect(states).toEqual([
      "creating",
      "starting",
      "running",
      "running",
      "running",
      "running",
      "parking",
      "parked",
      "starting",
      "running",
      "removed",
    ]);
  });

  it("starts a parked phone to open an address on it, and says so when one is not running", async () => {
    const { id } = await launch("open-key");
    await at.phones.park(scope, id);
    await expect(at.phones.screenshot(scope, id)).rejects.toMatchObject({ code: "phone_not_running" });
    expect((await at.phones.openUrl(scope, id, "https://b.example/")).state).toBe("running");
    expect(at.driver.shows(id)).toBe("https://b.example/");
  });
});

describe("phones of other kinds", () => {
  const PIXEL = { id: "device:one", driver: "adb", label: "Pixel 7" } as const;
  const BUSY = {
    id: "device:two",
    driver: "adb",
    label: "Tab",
    unavailable: "Another phone has this device.",
  } as const;

  async function openAndroids(limits: Partial<PhoneLimits> = {}) {
    const test = await testSqlite.open();
    const at = composePhones(test, new ManualClock(), new FakeDriver(new Map(), { kind: "adb" }), limits);
    return { at, scope: await newTeam(at), [Symbol.asyncDispose]: () => test.dispose() };
  }

  it("are made of the model that was asked for, or of the first that can be made now, and are called as it is", async () => {
    await using opened = await openAndroids();
    const { at, scope } = opened;
    at.driver.offers = [BUSY, PIXEL];
    const first = await at.phones.launch(scope, { driver: "adb", idempotencyKey: "the-first" });
    expect(first).toMatchObject({ model: PIXEL.id, name: "Pixel 7", driver: "adb", width: 360, height: 800 });
    const second = await at.phones.launch(scope, { driver: "adb", model: PIXEL.id, idempotencyKey: "the-second" });
    expect(second.name).toBe("Pixel 7 2");
    at.driver.offers = [{ ...PIXEL, label: "x".repeat(80) }];
    expect((await at.phones.launch(scope, { driver: "adb", idempotencyKey: "the-third" })).name).toHaveLength(56);
    expect(await at.phones.models(scope)).toEqual(at.driver.offers);
  });

  it("are refused with the model's own sentence, and with what to do where there is none", async () => {
    await using opened = await openAndroids();
    const { at, scope } = opened;
    const launch = (model: string | undefined, key: string) =>
      at.phones.launch(scope, { driver: "adb", ...(model !== undefined && { model }), idempotencyKey: key });
    await expect(launch(undefined, "none-at-all")).rejects.toMatchObject({ code: "capability_missing" });
    at.driver.offers = [BUSY];
    await expect(launch(BUSY.id, "a-busy-one")).rejects.toThrow(BUSY.unavailable);
    await expect(launch(undefined, "only-busy")).rejects.toThrow(BUSY.unavailable);
    await expect(launch("device:gone", "one-that-went")).rejects.toMatchObject({ code: "not_found" });
    await expect(at.phones.launch(scope, { idempotencyKey: "a-web-phone" })).rejects.toThrow(/no web phones/);
    expect(await at.phones.list(scope)).toEqual([]);
  });

  it("answer a call again with the phone it made, also when the model is taken since", async () => {
    await using opened = await openAndroids();
    const { at, scope } = opened;
    at.driver.offers = [PIXEL];
    const input = { driver: "adb", model: PIXEL.id, idempotencyKey: "made-once" } as const;
    const { id } = await at.phones.launch(scope, input);
    at.driver.offers = [{ ...PIXEL, unavailable: "Another phone has this device." }];
    expect((await at.phones.launch(scope, input)).id).toBe(id);
  });

  it("take no place of web phones on this machine", async () => {
    await using opened = await openAndroids({ runningOnMachine: 1, movingOnMachine: 1 });
    const { at, scope } = opened;
    at.driver.offers = [PIXEL];
    at.driver.moving = 5;
    for (const key of ["the-first", "the-second"]) {
      expect((await at.phones.launch(scope, { driver: "adb", idempotencyKey: key })).state).toBe("running");
    }
  });

  it("remember the size of their screen as it is held upright", async () => {
    await using opened = await openAndroids();
    const { at, scope } = opened;
    at.driver.offers = [PIXEL];
    const screen = at.driver.screen.bind(at.driver);
    at.driver.screen = (id) => ({ ...screen(id), size: () => ({ width: 915, height: 412 }) });
    const phone = await at.phones.launch(scope, { driver: "adb", idempotencyKey: "a-wide-one" });
    expect(phone).toMatchObject({ width: 412, height: 915, rotated: false });
  });
});

describe("web phones", () => {
  it("have profiles, no models", async () => {
    const at = await openPhones();
    const scope = await newTeam(at);
    const launch = at.phones.launch(scope, { model: "device:one", idempotencyKey: "with-a-model" });
    await expect(launch).rejects.toMatchObject({ code: "bad_input" });
    await at.dispose();
  });
});
