/** Phones at the partner from their making to their wiping, against its emulator. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { TEST_ENGINES } from "../../../db/testing.ts";
import { PerchError } from "../../../errors.ts";
import { silentLog } from "../../../log.ts";
import { waited } from "./driver.ts";
import { noFaults } from "./emulator/faults.ts";
import { type PartnerWorld, PROXY, startPartnerWorld } from "./geelark.fixture.ts";
import { createGeelarkSource } from "./geelark-source.ts";
import { createMarks } from "./marks.ts";
import { PATHS } from "./troubles.ts";

const never = new AbortController().signal;

describe.each(TEST_ENGINES)("phones at the partner on $name", (engine) => {
  let world: PartnerWorld;
  beforeAll(async () => {
    world = await startPartnerWorld(engine);
  });
  afterAll(() => world.dispose());
  afterEach(() => {
    Object.assign(world.emulator.faults, noFaults());
    world.emulator.world.phones.clear();
    world.emulator.calls.length = 0;
    world.events.length = 0;
  });
  const there = () => [...world.emulator.world.phones.values()];
  const calls = (path: string) => world.emulator.calls.filter((one) => one === path).length;
  async function made() {
    const spec = await world.phone();
    await world.source.create(spec);
    const [phone] = there().filter(({ remark }) => remark.endsWith(spec.id));
    if (phone === undefined) throw new Error("The partner has no such phone.");
    return { spec, phone };
  }

  it("are made once, with our id in the remark, of the model that was asked for", async () => {
    const { spec, phone } = await made();
    await world.source.create(spec);
    expect(there()).toHaveLength(1);
    expect(phone).toMatchObject({ mobileType: "Android 14", region: "sgp", remark: `perch a1b2c3 ${spec.id}` });
    expect(calls(PATHS.create)).toBe(1);
    expect(await world.source.state(spec.id)).toBe("parked");
    const other = { ...(await world.phone()), model: "geelark:android-10" };
    await expect(world.source.create(other)).rejects.toThrow("no such model");
  });

  it("start, wait until they are up, and give the way to ADB with a password asked for each time", async () => {
    const { spec, phone } = await made();
    const located = { ...spec, settings: { geolocation: { latitude: 52.5, longitude: 13.4, accuracy: 10 } } };
    const endpoint = await world.source.start(located, never);
    expect(world.emulator.world.status(phone)).toBe(0);
    expect(phone.gps).toEqual({ latitude: 52.5, longitude: 13.4 });
    expect(await world.source.state(spec.id)).toBe("running");
    world.connections.length = 0;
    for (let time = 0; time < 2; time += 1) {
      await expect(endpoint.open(never)).rejects.toThrow();
      // A phone whose ADB went off meanwhile gets a new password with it.
      world.emulator.world.setAdb(phone, false);
    }
    expect(world.connections).toHaveLength(2);
    expect(new Set(world.connections.map(({ password }) => password)).size).toBe(2);
    expect(endpoint.words).not.toMatch(new RegExp(world.connections.map(({ password }) => password).join("|")));
    await world.source.start(located, never);
    expect(calls(PATHS.start)).toBe(1);
  });

  it("are turned off, which is looked at, also while somebody else is at them", async () => {
    const { spec, phone } = await made();
    await world.source.start(spec, never);
    world.emulator.faults.stopsBusy = 2;
    await world.source.park(spec.id);
    expect(world.emulator.world.status(phone)).toBe(2);
    expect(await world.source.state(spec.id)).toBe("parked");
    await world.source.park(spec.id);
    await world.source.park((await world.phone()).id);
    await world.source.start(spec, never);
    world.emulator.faults.stopsBusy = 1_000;
    await expect(world.source.park(spec.id)).rejects.toThrow("did not turn the phone off");
  });

  it("are wiped whatever state they are in, and only what was seen to be gone is told gone", async () => {
    const { spec, phone } = await made();
    await world.source.start(spec, never);
    world.emulator.faults.keepsDeleted = true;
    expect(await world.source.remove(spec.id, undefined)).toMatchObject({ verifiedAbsent: false });
    expect(there()).toEqual([phone]);
    world.emulator.faults.keepsDeleted = false;
    expect(await world.source.remove(spec.id, undefined)).toMatchObject({ phoneId: spec.id, verifiedAbsent: true });
    expect(there()).toEqual([]);
    expect(await world.source.state(spec.id)).toBe("absent");
    expect(await world.source.remove(spec.id, undefined)).toMatchObject({ verifiedAbsent: true });
    world.emulator.faults.isDown = true;
    await expect(world.source.remove(spec.id, undefined)).rejects.toThrow("does not answer");
  });

  it("are wiped under a remark that somebody changed, and together with what a late creation leaves", async () => {
    const { spec, phone } = await made();
    phone.remark = "my favourite";
    expect(await world.source.remove(spec.id, undefined)).toMatchObject({ verifiedAbsent: true });
    expect(there()).toEqual([]);

    const late = await made();
    world.emulator.faults.slowMs = 30;
    const removing = world.source.remove(late.spec.id, undefined);
    await vi.waitFor(() => expect(calls(PATHS.remove)).toBe(2));
    const { remark, serialName, mobileType } = late.phone;
    world.emulator.world.add({ remark, serialName, mobileType });
    expect(await removing).toMatchObject({ verifiedAbsent: false });
    expect(await world.source.remove(late.spec.id, undefined)).toMatchObject({ verifiedAbsent: true });
    expect(there()).toEqual([]);
  });

  it("are reached on the internet alone, unless the partner itself is an emulator on this machine", async () => {
    const { spec } = await made();
    const { api, repo, clock } = world;
    const { db } = world.test;
    const sourceAt = (base: string, host: string) =>
      createGeelarkSource({
        ...{ api, repo, db, clock, log: silentLog, pause: waited, marks: createMarks("a1b2c3"), base },
        ...{
          versions: ["14"],
          region: undefined,
          proxy: "1",
          connect: (words) => ({ words, open: () => never as never }),
        },
        there: {
          ...{ state: async () => "started", statesOf: async () => new Map(), start: async () => {} },
          ...{ stop: async () => {}, wipe: async () => true },
          openAdb: async () => ({ host, port: 5555, password: "p" }),
          adb: async () => ({ host, port: 5555, password: "p" }),
        },
      });
    const real = "https://openapi.geelark.com";
    for (const host of ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "::1", "fd00::1", "phone.example"]) {
      await expect(sourceAt(real, host).start(spec, never), host).rejects.toThrow("a fault of its own");
    }
    expect((await sourceAt(real, "124.71.210.176").start(spec, never)).words).toMatch(/^phone \d+ at GeeLark$/);
    await sourceAt("http://127.0.0.1:1", "127.0.0.1").start(spec, never);
  });

  it("are found again when the answer to their making was lost, by this process and by the next", async () => {
    const spec = await world.phone();
    world.emulator.faults.cutOff = { path: PATHS.create, times: 1 };
    await world.source.create(spec);
    expect(there()).toHaveLength(1);

    const next = await world.phone();
    await world.source.create(next);
    // As if this process had ended before the number was written down.
    await world.test.db.tx((tx) => world.repo.set(tx, next.id, { vendorId: null }));
    await world.again().source.create(next);
    expect(there()).toHaveLength(2);
    expect(calls(PATHS.create)).toBe(2);
    // Nothing of it stays when it is removed before the number is known.
    await world.test.db.tx((tx) => world.repo.set(tx, next.id, { vendorId: null }));
    expect(await world.source.remove(next.id, undefined)).toMatchObject({ verifiedAbsent: true });
    expect(there().map(({ remark }) => remark)).toEqual([`perch a1b2c3 ${spec.id}`]);
  });

  it("are not asked for again when nothing is known of a creation", async () => {
    const spec = await world.phone();
    world.emulator.faults.broken = 1;
    world.emulator.faults.cutOff = { path: PATHS.create, times: 1 };
    world.emulator.faults.answer = "<html>";
    await expect(world.source.create(spec)).rejects.toThrow("a fault of its own");
    expect(calls(PATHS.create)).toBe(0);
    world.emulator.faults.answer = undefined;
    await world.source.create(spec);
    expect(there()).toHaveLength(1);
    expect(calls(PATHS.create)).toBe(1);
  });

  it("are not mixed up with those of another server, or with remarks that only look like ours", async () => {
    const spec = await world.phone();
    const remark = `perch a1b2c3 ${spec.id}`;
    const about = { serialName: "by hand", mobileType: "Android 14" };
    const others = [`${remark} copy`, `see ${remark}`, `perch ffffff ${spec.id}`, `perch a1b2c3 ${spec.id}x`];
    for (const one of others) world.emulator.world.add({ ...about, remark: one });
    await world.source.create(spec);
    expect(there()).toHaveLength(others.length + 1);
    expect(await world.source.remove(spec.id, undefined)).toMatchObject({ verifiedAbsent: true });
    expect(there().map((phone) => phone.remark)).toEqual(others);
  });

  it.each([
    ["inventory", { inventory: true }, "no free devices"],
    ["a partner that is down", { isDown: true }, "does not answer"],
  ])("say in words why none is made: %s", async (_what, faults, words) => {
    const spec = await world.phone();
    Object.assign(world.emulator.faults, faults);
    await expect(world.source.create(spec)).rejects.toThrow(words);
    Object.assign(world.emulator.faults, noFaults());
    await world.source.create(spec);
    expect(there()).toHaveLength(1);
  });

  it("say in words why one does not start, whole failure or entry of an answer", async () => {
    const { spec, phone } = await made();
    world.emulator.faults.noDevices = true;
    for (const wholeFailures of [true, false]) {
      world.emulator.faults.wholeFailures = wholeFailures;
      await expect(world.source.start(spec, never)).rejects.toThrow("no free devices");
    }
    world.emulator.faults.noDevices = false;
    world.emulator.faults.startsBusy = 2;
    await world.source.start(spec, never);
    await world.source.park(spec.id);
    phone.isExpired = true;
    await expect(world.source.start(spec, never)).rejects.toThrow("ended this phone's term");
    world.emulator.world.phones.delete(phone.id);
    await expect(world.source.start(spec, never)).rejects.toThrow("no longer has this phone");
  });

  it("stop waiting when they are told to", async () => {
    const { spec } = await made();
    const stop = new AbortController();
    stop.abort(new PerchError("phone_unavailable", "Not wanted any more."));
    await expect(world.source.start(spec, stop.signal)).rejects.toThrow("Not wanted any more.");
  });

  it("leave no secret and nothing about a person in the database or the log", async () => {
    const { spec } = await made();
    await (await world.source.start(spec, never)).open(never).catch(() => {});
    await world.source.remove(spec.id, undefined);
    await world.reconciler.look();
    const { db } = world.test;
    const rows = [db.t.partnerPhones, db.t.partnerStrays, db.t.partnerLocks, db.t.partnerHints, db.t.partnerCharges];
    const kept = JSON.stringify(await Promise.all(rows.map((table) => db.read.select().from(table))));
    const secrets = [...world.connections.map(({ password }) => password), PROXY, "canary"];
    for (const text of [kept, world.lines.join("")]) {
      for (const secret of secrets) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/863406055475987|66877382166|62\.141\.247\.218|127\.0\.0\.1/);
    }
  });
});
