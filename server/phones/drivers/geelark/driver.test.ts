/** Phones of the partner as everybody above the driver sees them: its emulator, and simulated Androids behind its login. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { newId, type PhoneId } from "../../../../shared/ids.ts";
import { deviceProfile } from "../../../../shared/phones.ts";
import { createAudit } from "../../../audit/audit.repo.ts";
import { systemClock } from "../../../clock.ts";
import { parseConfig } from "../../../config.ts";
import { type TestDatabase, testSqlite } from "../../../db/testing.ts";
import { createLog } from "../../../log.ts";
import type { DriverEvent, PhoneDriver, PhoneSpec } from "../../driver.ts";
import { createPhonesRepo } from "../../phones.repo.ts";
import { createAndroidDriver, createAndroidParts } from "../adb/compose.ts";
import { type Simulator, startSimulator } from "../adb/simulator/simulator.ts";
import { createGeelarkCore, partnerEndpoint, waited } from "./driver.ts";
import { type GeelarkEmulator, startGeelarkEmulator } from "./emulator/emulator.ts";
import { noFaults } from "./emulator/faults.ts";
import { ACCESS } from "./geelark.fixture.ts";

let folder: string;
let test: TestDatabase;
let emulator: GeelarkEmulator;
let simulator: Simulator;
let core: ReturnType<typeof createGeelarkCore>;
let driver: PhoneDriver;
let password: string | undefined;
const events: DriverEvent[] = [];
const lines: string[] = [];
const passwords = new Set<string>();
const teamId = newId("team");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "perch-partner-"));
  test = await testSqlite.open();
  simulator = await startSimulator({ login: () => password });
  emulator = await startGeelarkEmulator({
    ...{ clock: systemClock, access: ACCESS, bootMs: 30, adbReadyMs: 60 },
    async adb(phone) {
      password = phone.adb?.password;
      passwords.add(password ?? "");
      await simulator.plugIn();
      return { host: "127.0.0.1", port: simulator.port };
    },
  });
  const { db } = test;
  await db.tx((tx) => tx.insert(db.t.teams).values({ id: teamId, name: "Team", createdAt: new Date() }));
  const log = createLog({ clock: systemClock, write: (line) => lines.push(line) });
  const config = parseConfig({
    ...{ DATA_DIR: join(folder, "data"), ADB_SERVER: "off", GEELARK_API_BASE: emulator.base, GEELARK_PROXY: "1" },
    ...{ GEELARK_APP_ID: ACCESS.key?.appId ?? "", GEELARK_API_KEY: ACCESS.key?.apiKey ?? "" },
  });
  if (config.geelark === undefined) throw new Error("The partner is not set up.");
  const audit = createAudit(db, systemClock, randomBytes(32));
  const parts = createAndroidParts({ config, db, audit, clock: systemClock, log, key: randomBytes(32) });
  core = createGeelarkCore({
    ...{ geelark: config.geelark, db, clock: systemClock, log, mark: "a1b2c3", connect: partnerEndpoint(parts.keys) },
    // A call that failed is made again soon; what the partner needs its time for, it gets.
    pause: (ms, signal) => waited(ms >= 500 ? 20 : ms, signal),
    pace: { look: [20, 40], start: 5_000, stop: 2_000, adbFirst: 70, adb: 2_000, wipe: 2_000 },
  });
  driver = createAndroidDriver(parts, {
    ...{ kind: "geelark", sources: [core.source] },
    retry: { firstMs: 20, mostMs: 60 },
    probe: { everyMs: 100, withinMs: 300, misses: 2 },
  });
  driver.onEvent((event) => events.push(event));
});
afterAll(async () => {
  await driver.close();
  await emulator.close();
  await simulator.close();
  await test.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A phone that runs, as far as the service knows. */
async function phone(): Promise<PhoneId> {
  const id = newId("phone");
  const phones = createPhonesRepo(test.db);
  await test.db.tx((tx) =>
    phones.insert(tx, {
      ...{ id, teamId, name: "Phone", driver: "geelark", profile: "tall", settings: {}, tags: [], rotated: false },
      ...{ state: "running", createdAt: new Date(systemClock.now()) },
    }),
  );
  return id;
}
const spec = (id: PhoneId): PhoneSpec => ({
  ...{ id, profile: deviceProfile("tall"), model: "geelark:android-14", settings: {}, rotated: false },
});
const there = () => {
  const [phone] = emulator.world.phones.values();
  if (phone === undefined) throw new Error("The partner has no phone.");
  return phone;
};
const told = (type: DriverEvent["type"]) => events.filter((event) => event.type === type);

describe("phones of the partner", () => {
  it("live like every other Android: made, started, driven, parked with what is on them, wiped", async () => {
    const id = await phone();
    expect(await driver.models()).toMatchObject([{ id: "geelark:android-14", driver: "geelark" }]);
    await driver.create(spec(id));
    await driver.start(spec(id));
    expect(await driver.state(id)).toBe("running");
    expect([...driver.runningPhones()]).toEqual([id]);
    const { png, width } = await driver.screenshot(id);
    expect([...png.subarray(1, 4)]).toEqual([...Buffer.from("PNG")]);
    expect(width).toBe(720);
    expect((await driver.tree(id)).children.length).toBeGreaterThan(0);
    expect((await driver.apps?.list(id))?.length).toBeGreaterThan(0);
    const bytes = Buffer.from("from the panel");
    const content = () => new Blob([bytes]).stream();
    await driver.files.write?.(id, { name: "note.txt", size: bytes.length, content: content() }, () => {});

    await driver.park(id);
    expect(emulator.world.status(there())).toBe(2);
    expect(await driver.state(id)).toBe("parked");
    await driver.start(spec(id));
    expect((await driver.files.list(id)).map(({ name }) => name)).toEqual(["note.txt"]);
    expect(passwords.size).toBe(2);

    expect(await driver.remove(id)).toMatchObject({ phoneId: id, verifiedAbsent: true });
    expect(emulator.world.phones.size).toBe(0);
    expect(await driver.state(id)).toBe("absent");
    const kept = JSON.stringify([await test.db.read.select().from(test.db.t.partnerPhones), lines]);
    for (const one of passwords) expect(kept).not.toContain(one);
  });

  it("go on while only the partner's interface is down, are lost with their network, and found when both are back", async () => {
    const id = await phone();
    await driver.create(spec(id));
    await driver.start(spec(id));
    emulator.faults.isDown = true;
    await core.reconciler.look();
    expect((await driver.screenshot(id)).width).toBe(720);
    expect(await driver.state(id)).toBe("running");
    expect(events).toEqual([]);

    await simulator.unplug();
    await vi.waitFor(() => expect(told("lost")).toMatchObject([{ phoneId: id }, { reason: "partner_down" }]), 5_000);
    expect(await driver.state(id)).toBe("unknown");
    Object.assign(emulator.faults, noFaults());
    await core.reconciler.look();
    await vi.waitFor(() => expect(told("found")).toEqual([{ type: "found", phoneId: id }]), 5_000);
    expect((await driver.screenshot(id)).width).toBe(720);
    expect(told("ended")).toEqual([]);
    await driver.remove(id);
  });

  it("end with the partner's reason when they are turned off there", async () => {
    const id = await phone();
    await driver.create(spec(id));
    await driver.start(spec(id));
    events.length = 0;
    emulator.world.stop(there());
    await simulator.unplug();
    await vi.waitFor(
      () => expect(told("ended")).toEqual([{ type: "ended", phoneId: id, reason: "partner_stopped" }]),
      5_000,
    );
    expect(await driver.state(id)).toBe("parked");
    await driver.start(spec(id));
    expect(await driver.state(id)).toBe("running");
    expect(await driver.remove(id)).toMatchObject({ verifiedAbsent: true });
  });

  it("whose making was cut off are wiped, too", async () => {
    const id = await phone();
    await driver.create(spec(id));
    await test.db.tx((tx) => core.repo.set(tx, id, { vendorId: null }));
    expect(await driver.remove(id)).toMatchObject({ verifiedAbsent: true });
    expect(emulator.world.phones.size).toBe(0);
  });
});
