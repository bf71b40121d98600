/** Registered devices as phones, on every engine, over simulated devices. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { TEST_ENGINES } from "../../../db/testing.ts";
import { HELPER_PACKAGES } from "./helper-apks.ts";
import { makeApk } from "./simulator/apk.ts";
import { type Simulator, startSimulator } from "./simulator/simulator.ts";
import { type AdbProcess, adbProcess, hasAdb } from "./testing/adb.fixture.ts";
import { type AndroidWorld, androidWorld } from "./testing/android.fixture.ts";
import { helperApksIn } from "./testing/helper-apks.fixture.ts";

const streamOf = (bytes: Uint8Array) => new Blob([Buffer.from(bytes)]).stream();
const fileOf = (bytes: Uint8Array, name = "app.apk") => ({ name, size: bytes.length, content: streamOf(bytes) });

describe.each(TEST_ENGINES)("registered devices on $name", (engine) => {
  let simulator: Simulator;
  let world: AndroidWorld;
  beforeAll(async () => {
    simulator = await startSimulator();
    world = await androidWorld({ engine });
  });
  afterAll(async () => {
    await world.dispose();
    await simulator.close();
  });

  it("are one phone at a time, whoever asks first", async () => {
    const device = await world.register(`tcp:${simulator.address}`, "Pixel 7");
    expect(await world.driver.models()).toEqual([{ id: `device:${device}`, driver: "adb", label: "Pixel 7" }]);
    const specs = await Promise.all([1, 2, 3].map(() => world.phone(device)));
    const made = await Promise.allSettled(specs.map((spec) => world.driver.create(spec)));
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const refused = made.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    for (const reason of refused) {
      expect(reason).toMatchObject({
        code: "conflict",
        message: expect.stringMatching(/Pixel 7 is in use by another phone/),
      });
    }
    const [mine] = specs.filter((_, index) => made[index]?.status === "fulfilled");
    if (mine === undefined) throw new Error("nobody has it");
    await world.driver.create(mine);
    expect(await world.driver.models()).toMatchObject([{ unavailable: expect.stringMatching(/in use/) }]);
    const receipt = await world.driver.remove(mine.id);
    expect(receipt).toMatchObject({ phoneId: mine.id, verifiedAbsent: true });
    expect(await world.driver.state(mine.id)).toBe("absent");
    const [other] = specs.filter((_, index) => made[index]?.status === "rejected");
    if (other === undefined) throw new Error("nobody was refused");
    await world.driver.create(other);
    await world.driver.remove(other.id);
  });

  it("that cannot be reached are no phone, and stay nobody's", async () => {
    await simulator.unplug();
    const [row] = await world.driver.models();
    const spec = await world.phone((row?.id.slice("device:".length) ?? "") as never);
    await expect(world.driver.create(spec)).rejects.toMatchObject({
      reason: "device_gone",
      message: expect.stringMatching(/Pixel 7/),
    });
    expect(await world.driver.state(spec.id)).toBe("absent");
    await simulator.plugIn();
    await world.driver.create(spec);
    await world.driver.remove(spec.id);
    await expect(world.driver.create({ ...spec, model: "device:dev_aaaaaaaaaaaaaaaaaaaaaa" })).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(world.driver.create({ ...spec, model: "container:x" })).rejects.toMatchObject({ code: "bad_input" });
  });
});

describe("the wipe of a device", () => {
  let simulator: Simulator;
  let world: AndroidWorld;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "perch-wipe-"));
    simulator = await startSimulator();
    world = await androidWorld({ env: helperApksIn(folder) });
  });
  afterAll(async () => {
    await world.dispose();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const storage = () => join(simulator.root, "sdcard");

  it("takes what the phone stored, gives back what was there, and looks", async () => {
    const device = await world.register(`tcp:${simulator.address}`);
    const before = makeApk({ package: "org.before.app" });
    const spec = await world.phone(device);
    const first = await world.phone(device);
    await world.driver.create(first);
    await world.driver.start(first);
    await world.driver.apps?.install(first.id, fileOf(before), () => {});
    await world.driver.remove(first.id);
    expect(simulator.phone.packages.get("org.before.app")).toBeUndefined();

    await world.driver.create(spec);
    await world.driver.start({
      ...spec,
      settings: { colorScheme: "dark", geolocation: { latitude: 52.5, longitude: 13.4 } },
    });
    expect([simulator.phone.dark, simulator.phone.location]).toEqual([true, { latitude: 52.5, longitude: 13.4 }]);
    await world.driver.apps?.install(spec.id, fileOf(makeApk({ package: "org.later.app" })), () => {});
    mkdirSync(join(storage(), "DCIM/Camera"), { recursive: true });
    writeFileSync(join(storage(), "DCIM/Camera/me $(x) 'y'.jpg"), "123");
    writeFileSync(join(storage(), "Download/.nomedia"), "");
    writeFileSync(join(storage(), "Download/paper.pdf"), "12345");
    const receipt = await world.driver.remove(spec.id);
    expect(receipt).toMatchObject({ files: 2, bytes: 8, verifiedAbsent: true });
    expect(simulator.phone.packages.get("org.later.app")).toBeUndefined();
    expect(readdirSync(join(storage(), "Download"))).toEqual([]);
    expect(existsSync(join(storage(), "DCIM/Camera"))).toBe(false);
    expect([simulator.phone.dark, simulator.phone.location]).toEqual([false, undefined]);
    expect(readdirSync(join(simulator.root, "data/local/tmp"))).toEqual([]);
  });

  it("takes the helper apps too; parked, the phone runs them no longer", async () => {
    const [model] = await world.driver.models();
    const spec = await world.phone((model?.id.slice(7) ?? "") as never);
    const helped = () => world.driver.tree(spec.id).then(() => simulator.instrumentation.connected);
    await world.driver.create(spec);
    await world.driver.start(spec);
    await expect.poll(helped, { timeout: 5_000 }).toBe(true);
    await world.driver.park(spec.id);
    expect(simulator.instrumentation.listening).toBe(false);
    await world.driver.start(spec);
    await expect.poll(helped, { timeout: 5_000 }).toBe(true);
    expect(await world.driver.remove(spec.id)).toMatchObject({ verifiedAbsent: true });
    expect(HELPER_PACKAGES.filter((name) => simulator.phone.installed(name))).toEqual([]);
    expect(simulator.instrumentation.listening).toBe(false);
  });

  it("claims nothing while the device is away, and is done when it is back", async () => {
    const [model] = await world.driver.models();
    const spec = await world.phone((model?.id.slice(7) ?? "") as never);
    await world.driver.create(spec);
    await world.driver.start(spec);
    writeFileSync(join(storage(), "Download/secret.txt"), "1");
    await simulator.unplug();
    await vi.waitFor(() => expect(world.events.at(-1)).toMatchObject({ type: "lost", phoneId: spec.id }));
    await expect(world.driver.remove(spec.id)).rejects.toThrow(/cannot be reached.*not gone/);
    expect(existsSync(join(storage(), "Download/secret.txt"))).toBe(true);
    expect(await world.driver.state(spec.id)).toBe("unknown");
    await simulator.plugIn();
    expect(await world.driver.remove(spec.id)).toMatchObject({ files: 1, verifiedAbsent: true });
    expect(await world.driver.remove(spec.id)).toMatchObject({ files: 0, verifiedAbsent: true });
  });

  it("of a phone whose rows went another way is done before the next one gets the device", async () => {
    const [model] = await world.driver.models();
    const device = (model?.id.slice(7) ?? "") as never;
    const lostRow = await world.phone(device);
    await world.driver.create(lostRow);
    await world.forget(lostRow.id);
    writeFileSync(join(storage(), "Download/theirs.txt"), "1");
    const next = await world.phone(device);
    await world.driver.create(next);
    expect(existsSync(join(storage(), "Download/theirs.txt"))).toBe(false);
    await world.driver.remove(next.id);
  });
});

describe.runIf(hasAdb)("devices of an ADB server", () => {
  let adb: AdbProcess;
  let simulator: Simulator;
  beforeAll(async () => {
    adb = await adbProcess();
    simulator = await startSimulator({ auth: true });
  });
  afterAll(async () => {
    await simulator.close();
    await adb.dispose();
  });

  it("are discovered where the operator wants that, and their health is said in words", async () => {
    const world = await androidWorld({
      env: { ADB_SERVER: `127.0.0.1:${adb.at.port}`, ANDROID_DEVICES: "discovered" },
    });
    try {
      await adb.run("connect", simulator.address);
      await vi.waitFor(() => expect(simulator.asking.length).toBeGreaterThan(0), { interval: 10, timeout: 5_000 });
      expect(await world.driver.models()).toEqual([]);
      const registered = await world.register(`server:${simulator.address}`, "Lab phone");
      await vi.waitFor(
        async () =>
          expect(await world.driver.models()).toMatchObject([
            { label: "Lab phone", unavailable: expect.stringMatching(/Lab phone does not trust this server/) },
          ]),
        { timeout: 5_000 },
      );
      simulator.allow();
      await vi.waitFor(
        async () =>
          expect(await world.driver.models()).toEqual([
            { id: `device:${registered}`, driver: "adb", label: "Lab phone" },
          ]),
        {
          timeout: 5_000,
        },
      );
      const other = await startSimulator({ serial: "second" });
      await adb.run("connect", other.address);
      await vi.waitFor(async () => expect(await world.driver.models()).toHaveLength(2), { timeout: 5_000 });
      await adb.run("disconnect", other.address);
      await other.close();
      await vi.waitFor(
        async () => expect((await world.driver.models())[1]?.unavailable).toMatch(/is not connected to the ADB server/),
        { timeout: 5_000 },
      );
      await adb.kill();
      await vi.waitFor(async () => expect((await world.driver.models())[0]?.unavailable).toMatch(/does not answer/), {
        timeout: 5_000,
      });
    } finally {
      await world.dispose();
    }
  });
});
