/** The helper on the simulated phone: installed, started and asked as on a real one, over ADB. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findElements } from "../../../../../shared/flows/match.ts";
import { ManualClock, systemClock } from "../../../../clock.ts";
import { parseConfig } from "../../../../config.ts";
import { silentLog } from "../../../../log.ts";
import { listApps } from "../android-apps.ts";
import { dialOwn } from "../connect/dial-device.ts";
import { createAdbServer } from "../connect/server.ts";
import { openAndroidDevice } from "../device.ts";
import { HELPER_PACKAGES, readHelperApks } from "../helper-apks.ts";
import { adbProcess, hasAdb } from "../testing/adb.fixture.ts";
import { helperApksIn } from "../testing/helper-apks.fixture.ts";
import { openSimulatedAndroid, type SimulatedAndroid } from "./android-bench.fixture.ts";
import { ScreenHelper } from "./screen-helper.ts";

let folder: string;
let env: Record<string, string>;
let android: SimulatedAndroid;
const clock = new ManualClock();
const read = (xml: Uint8Array) => Buffer.from(xml).toString("utf8");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "perch-helper-"));
  env = helperApksIn(folder);
  android = await openSimulatedAndroid({ scrcpy: false, helperApks: () => readHelperApks(parseConfig(env)) });
});
afterAll(async () => {
  await android.close();
  rmSync(folder, { recursive: true, force: true });
});
const phone = () => android.simulator.phone;
const helperOf = (config: Record<string, string>, idleMs?: number) =>
  new ScreenHelper({
    ...{ device: android.device, clock, log: silentLog, apks: () => readHelperApks(parseConfig(config)) },
    ...(idleMs !== undefined && { idleMs }),
  });
const programs = (word: string) => android.simulator.ran.filter((argv) => argv.includes(word)).length;

describe("a screen read through the helper", () => {
  beforeEach(() => phone().restart());

  it("is read without it while it is put there, then also where nothing rests, and never asked to wait", async () => {
    await android.automation.launchApp?.("com.example.form", {});
    const without = await android.automation.elements();
    const field = findElements(without, { id: "name" })[0];
    expect(field).toMatchObject({ role: "textbox" });
    await expect.poll(() => HELPER_PACKAGES.every((name) => phone().installed(name)), { timeout: 5_000 }).toBe(true);
    await expect
      .poll(() => android.automation.elements().then(() => android.simulator.instrumentation.connected))
      .toBe(true);
    const dumps = programs("dump");
    expect(findElements(await android.automation.elements(), { id: "name" })[0]).toMatchObject({
      ref: field?.ref,
      bounds: field?.bounds,
      hint: "Your name",
    });
    await android.automation.launchApp?.("com.example.busy", {});
    const busy = await android.automation.elements();
    expect(busy).not.toHaveProperty("unread");
    expect(busy.root.children).not.toEqual([]);
    expect(programs("dump")).toBe(dumps);
    expect(Object.fromEntries(android.simulator.instrumentation.settings)).toMatchObject({
      waitForIdleTimeout: 0,
      wakeLockTimeout: 0,
    });
    expect((await listApps(android.device)).map(({ id }) => id)).not.toContain(HELPER_PACKAGES[0]);
  });

  it("is read by Android's own when its answers are none, which then has its place back", async () => {
    android.simulator.instrumentation.broken = true;
    await android.automation.launchApp?.("com.example.form", {});
    expect(findElements(await android.automation.elements(), { id: "name" })).toHaveLength(1);
    expect(android.simulator.instrumentation.connected).toBe(false);
    android.simulator.instrumentation.broken = false;
  });

  it("is asked of it again a minute after a failure, and not before; left alone, it ends", async () => {
    const installs = programs("install");
    const helper = helperOf(env, 20);
    await expect.poll(() => helper.read(read), { timeout: 5_000 }).toMatch(/<hierarchy/);
    await expect.poll(() => android.simulator.instrumentation.connected).toBe(false);
    android.simulator.instrumentation.broken = true;
    expect(
      await helper.read(() => {
        throw new Error("what stood on the screen");
      }),
    ).toBeUndefined();
    android.simulator.instrumentation.broken = false;
    expect(await helper.read(read)).toBeUndefined();
    clock.advance(60_000);
    await expect.poll(() => helper.read(read), { timeout: 5_000 }).toMatch(/com\.android\.launcher3/);
    await helper.close();
    expect(android.simulator.instrumentation.connected).toBe(false);
    expect(await helper.read(read)).toBeUndefined();
    // The very files were there.
    expect(programs("install")).toBe(installs);
  });
});

it.runIf(hasAdb)("the helper is reached through an ADB server, too", async () => {
  const adb = await adbProcess();
  const { simulator } = android;
  const server = createAdbServer(adb.at, dialOwn());
  try {
    await adb.run("connect", simulator.address);
    const endpoint = server.endpoint(simulator.address);
    const device = await openAndroidDevice(endpoint, { clock: systemClock, signal: AbortSignal.timeout(20_000) });
    const apks = () => readHelperApks(parseConfig(env));
    const helper = new ScreenHelper({ device, clock: systemClock, log: silentLog, apks });
    await expect.poll(() => helper.read(read), { timeout: 5_000 }).toMatch(/<hierarchy/);
    await helper.close();
    await device.close();
  } finally {
    await adb.dispose();
  }
});

it("only the files that they should be are installed", async () => {
  for (const name of HELPER_PACKAGES) phone().uninstall(name);
  const apk = join(folder, "package", "apks", "appium-uiautomator2-server-debug-androidTest.apk");
  writeFileSync(apk, "another program");
  expect(await readHelperApks(parseConfig(env))).toMatchObject({ words: expect.stringMatching(/not a file UIAUTOM/) });
  const known = parseConfig({ UIAUTOMATOR_SERVER_PATH: env["UIAUTOMATOR_SERVER_PATH"] ?? "" });
  expect(await readHelperApks(known)).toMatchObject({ words: expect.stringMatching(/is not of appium.* 10\.6\.6/) });
  const warned: string[] = [];
  const log = { ...silentLog, warn: (words: string) => void warned.push(words) };
  const helper = new ScreenHelper({ device: android.device, clock, log, apks: () => readHelperApks(parseConfig(env)) });
  expect(await helper.read(read)).toBeUndefined();
  await expect.poll(() => warned).toEqual([expect.stringMatching(/could not be installed/)]);
  expect(phone().installed(HELPER_PACKAGES[0])).toBe(false);
  writeFileSync(join(folder, "package", "apks", "appium-uiautomator2-server-v1.apk"), "");
  expect(await readHelperApks(parseConfig(env))).toMatchObject({ words: expect.stringMatching(/has no two APKs/) });
});
