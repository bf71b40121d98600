/** The Android driver as a server composes it, on simulated devices: directly, and through Debian's ADB server. */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../../../clock.ts";
import { silentLog } from "../../../log.ts";
import type { PhoneSpec, ScreenFrame } from "../../driver.ts";
import { installFailure } from "./android-apps.ts";
import { makeApk } from "./simulator/apk.ts";
import { COUNTER_COLOURS } from "./simulator/apps/small.ts";
import { type Simulator, startSimulator } from "./simulator/simulator.ts";
import { type AdbProcess, adbProcess, hasAdb } from "./testing/adb.fixture.ts";
import { type AndroidWorld, androidWorld } from "./testing/android.fixture.ts";

const fileOf = (bytes: Uint8Array | string, name: string) => {
  const blob = new Blob([typeof bytes === "string" ? bytes : Buffer.from(bytes)]);
  return { name, size: blob.size, content: blob.stream() };
};
const none = () => {};

describe("a running Android", () => {
  let simulator: Simulator;
  let world: AndroidWorld;
  let spec: PhoneSpec;
  beforeAll(async () => {
    simulator = await startSimulator();
    world = await androidWorld();
    spec = await world.phone(await world.register(`tcp:${simulator.address}`));
    await world.driver.create(spec);
    simulator.phone.awake = false;
    await world.driver.start(spec, "https://shop.example/?q=$(reboot)&a='b'");
  });
  afterAll(async () => {
    await world.dispose();
    await simulator.close();
  });

  it("woke up and shows the address, as it was written", async () => {
    expect(await world.driver.state(spec.id)).toBe("running");
    expect([...world.driver.runningPhones()]).toEqual([spec.id]);
    expect(simulator.phone.awake).toBe(true);
    expect(simulator.apps.browser.url).toBe("https://shop.example/?q=$(reboot)&a=%27b%27");
  });

  it.each([
    "javascript:alert(1)",
    "intent://x#Intent;end",
    "file:///sdcard/x",
    "content://media",
    "https://u:p@x.example/",
    "tel:+4912",
  ])("does not open %s", async (url) => {
    await expect(world.driver.openUrl(spec.id, url)).rejects.toMatchObject({ code: "address_not_allowed" });
  });

  it("gives whole pictures of its screen, its elements and what lies on them", async () => {
    const { png, width, height } = await world.driver.screenshot(spec.id);
    expect([width, height, Buffer.from(png).toString("latin1", 1, 4)]).toEqual([720, 1280, "PNG"]);
    const names = JSON.stringify(await world.driver.tree(spec.id));
    expect(names).toContain("shop.example");
    const frames: ScreenFrame[] = [];
    const stop = world.driver.screen(spec.id).listen((frame) => frames.push(frame));
    await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { timeout: 10_000 });
    stop();
    expect(frames[0]).toMatchObject({ kind: "image" });
  });

  it("lists, opens, stops, clears, installs and removes apps", async () => {
    const { apps } = world.driver;
    if (apps === undefined) throw new Error("no apps");
    const sent: number[] = [];
    const apk = makeApk({ package: "org.example.notes", versionCode: 7, ballast: new Uint8Array(200_000) });
    await apps.install(spec.id, fileOf(apk, "notes.apk"), (bytes) => sent.push(bytes));
    expect(sent.at(-1)).toBe(apk.length);
    expect(await apps.list(spec.id)).toContainEqual({
      ...{ id: "org.example.notes", label: "org.example.notes", version: "7", system: false },
    });
    expect(await apps.list(spec.id)).toContainEqual({
      ...{ id: "com.android.settings", label: "com.android.settings", system: true },
    });
    await apps.launch(spec.id, "org.example.notes");
    expect(simulator.phone.top.package).toBe("org.example.notes");
    await apps.stop(spec.id, "org.example.notes");
    expect(simulator.phone.tasks).not.toContain("org.example.notes");
    await apps.clear(spec.id, "org.example.notes");
    await expect(
      apps.install(spec.id, fileOf(makeApk({ package: "org.example.notes", versionCode: 3 }), "old.apk"), none),
    ).rejects.toMatchObject({
      code: "bad_input",
      message: "The phone has a newer version of this app. Remove that one first.",
    });
    await expect(apps.install(spec.id, fileOf("no app at all", "x.apk"), none)).rejects.toThrow(
      /not an app Android understands/,
    );
    simulator.fullStorage(true);
    await expect(apps.install(spec.id, fileOf(apk, "n.apk"), none)).rejects.toThrow(/no room/);
    simulator.fullStorage(false);
    await apps.uninstall(spec.id, "org.example.notes");
    expect(simulator.phone.packages.get("org.example.notes")).toBeUndefined();
    await expect(apps.uninstall(spec.id, "org.example.notes")).rejects.toMatchObject({ code: "bad_input" });
    await expect(apps.launch(spec.id, "-n")).rejects.toMatchObject({ code: "bad_input" });
    await expect(apps.uninstall(spec.id, "a.b; reboot")).rejects.toMatchObject({ code: "bad_input" });
  });

  it("keeps files under their names, numbers those that are taken, and leaves nothing half", async () => {
    const { files } = world.driver;
    const downloads = join(simulator.root, "sdcard/Download");
    const name = "it's $(a) 🙂.txt";
    const done = vi.fn();
    expect(await files.write?.(spec.id, fileOf("one", name), done)).toBe(name);
    expect(done).toHaveBeenLastCalledWith(3);
    expect(await files.write?.(spec.id, fileOf("two", name), none)).toBe("it's $(a) 🙂 (2).txt");
    expect(readFileSync(join(downloads, name), "utf8")).toBe("one");
    expect((await files.list(spec.id)).map((file) => [file.name, file.bytes]).sort()).toEqual([
      ["it's $(a) 🙂 (2).txt", 3],
      [name, 3],
    ]);
    expect(await new Response(await files.read(spec.id, "it's $(a) 🙂 (2).txt")).text()).toBe("two");
    const broken = { name: "broken.bin", size: 100, content: new Blob(["short"]).stream() };
    await expect(files.write?.(spec.id, broken, none)).rejects.toThrow(/broke off/);
    const long = { name: "long.bin", size: 2, content: new Blob(["longer"]).stream() };
    await expect(files.write?.(spec.id, long, none)).rejects.toThrow(/larger than it said/);
    for (const file of await files.list(spec.id)) await files.remove(spec.id, file.name);
    expect(readdirSync(downloads)).toEqual([]);
    for (const bad of ["../x", "a/b", "", ".", "..", "a\0b", "a\nb"]) {
      await expect(files.read(spec.id, bad)).rejects.toMatchObject({ code: "not_found" });
      await expect(files.remove(spec.id, bad)).rejects.toMatchObject({ code: "not_found" });
      await expect(files.write?.(spec.id, fileOf("x", bad), none)).rejects.toMatchObject({ code: "bad_input" });
    }
    await expect(files.remove(spec.id, "nothing.txt")).rejects.toMatchObject({ code: "not_found" });
  });

  it("takes settings while it runs", async () => {
    await world.driver.configure({
      ...spec,
      settings: { colorScheme: "dark", geolocation: { latitude: 48.1, longitude: 11.6 } },
    });
    expect([simulator.phone.dark, simulator.phone.location]).toEqual([true, { latitude: 48.1, longitude: 11.6 }]);
    await world.driver.configure({ ...spec, settings: { colorScheme: "light" } });
    expect([simulator.phone.dark, simulator.phone.location]).toEqual([false, undefined]);
  });

  it("is parked: its screen goes dark, and all that is on it stays", async () => {
    writeFileSync(join(simulator.root, "sdcard/Download/kept.txt"), "1");
    await world.driver.park(spec.id);
    expect(simulator.phone.awake).toBe(false);
    expect(existsSync(join(simulator.root, "sdcard/Download/kept.txt"))).toBe(true);
    expect(() => world.driver.screen(spec.id)).toThrow(/not running/);
    await world.driver.park(spec.id);
    await world.driver.create(spec);
    await world.driver.start(spec);
    expect(await world.driver.state(spec.id)).toBe("running");
  });

  it("stands as it was left when it starts again", async () => {
    await world.driver.park(spec.id);
    await world.driver.start({ ...spec, rotated: true });
    const { width, height } = await world.driver.screenshot(spec.id);
    expect([width, height]).toEqual([1280, 720]);
    await world.driver.park(spec.id);
    await world.driver.start(spec);
    expect(simulator.phone.rotation % 2).toBe(0);
  });
});

/** The simulator runs its own in its place, so any file will do. */
const SCRCPY = "scrcpy's server";
const hasVideo = spawnSync("ffmpeg", ["-version"]).error === undefined;

describe.each([
  ["directly", async (): Promise<AdbProcess | undefined> => undefined, true, "jpeg"],
  ["through an ADB server, as video,", adbProcess, hasAdb && hasVideo, "h264"],
] as const)("a phone reached %s that is lost", (_, server, can, codec) => {
  let folder: string;
  let adb: AdbProcess | undefined;
  let simulator: Simulator;
  let world: AndroidWorld;
  let spec: PhoneSpec;
  const warned: string[] = [];
  beforeAll(async () => {
    if (!can) return;
    adb = await server();
    simulator = await startSimulator();
    folder = mkdtempSync(join(tmpdir(), "perch-scrcpy-"));
    writeFileSync(join(folder, "server"), SCRCPY);
    const sha256 = createHash("sha256").update(SCRCPY).digest("hex");
    const video = { SCRCPY_SERVER_PATH: join(folder, "server"), SCRCPY_SERVER_SHA256: sha256 };
    const warn = (message: string) => void warned.push(message);
    const env = adb && { ADB_SERVER: `127.0.0.1:${adb.at.port}`, ...video };
    world = await androidWorld({ log: { ...silentLog, warn }, ...(env && { env }) });
    spec = await world.phone(await world.register(`${adb === undefined ? "tcp" : "server"}:${simulator.address}`));
    await world.driver.create(spec);
    await world.driver.start(spec);
  });
  afterAll(async () => {
    await world?.dispose();
    await simulator?.close();
    await adb?.dispose();
    if (can) rmSync(folder, { recursive: true, force: true });
  });
  const told = (type: string): Promise<void> =>
    vi.waitFor(() => expect(world.events.at(-1)).toMatchObject({ type, phoneId: spec.id }), { timeout: 10_000 });

  it.runIf(can)("is told, looked for and found, and who watches goes on watching", async () => {
    const frames: ScreenFrame[] = [];
    const stop = world.driver.screen(spec.id).listen((frame) => frames.push(frame));
    await vi.waitFor(() => expect(frames.length).toBeGreaterThan(0), { timeout: 10_000 });
    expect(world.driver.screen(spec.id).codec).toBe(codec);
    const running = world.driver.automation?.elements(spec.id);
    running?.catch(() => undefined);
    await simulator.unplug();
    await told("lost");
    expect(world.events.at(-1)).toMatchObject({ reason: "device_gone" });
    expect(await world.driver.state(spec.id)).toBe("unknown");
    expect([...world.driver.runningPhones()]).toEqual([]);
    await expect(world.driver.screenshot(spec.id)).rejects.toThrow(/cannot be reached now/);
    const before = frames.length;
    await simulator.plugIn();
    await told("found");
    expect(await world.driver.state(spec.id)).toBe("running");
    await vi.waitFor(() => expect(frames.length).toBeGreaterThan(before), { timeout: 10_000 });
    if (codec === "h264") {
      await vi.waitFor(() =>
        expect(frames.slice(before).map(({ kind }) => kind)).toEqual(
          expect.arrayContaining(["codecConfig", "keyFrame"]),
        ),
      );
    }
    expect((await world.driver.screenshot(spec.id)).width).toBe(720);
    if (codec === "h264") {
      const { counter } = simulator.apps;
      simulator.phone.launch(counter.package);
      for (const phase of ["start", "end"] as const)
        await world.driver.input(spec.id, { type: "touch", phase, id: 0, x: 0.5, y: 0.5 });
      await vi.waitFor(() => expect(counter.count).toBe(1), { timeout: 10_000 });
      await vi.waitFor(async () => expect(await lastCount(frames)).toBe(1), { timeout: 10_000, interval: 200 });
    }
    stop();
  });

  it.runIf(can)("without a word is noticed, and found", async () => {
    simulator.halfOpen();
    await told("lost");
    await simulator.plugIn();
    await told("found");
  });

  it.runIf(can)("with its server is found when that is there again", async () => {
    if (adb === undefined) return;
    await adb.kill();
    await told("lost");
    await vi.waitFor(() => expect(world.events.at(-1)).toMatchObject({ type: "lost", reason: "host_gone" }));
    await adb.start();
    await told("found");
  });

  it.runIf(can)("is parked all the same, and starts again", async () => {
    await simulator.unplug();
    await told("lost");
    await world.driver.park(spec.id);
    expect(world.events.at(-1)).toMatchObject({ type: "lost" });
    await expect(world.driver.start(spec)).rejects.toMatchObject({ code: "phone_unavailable", reason: "device_gone" });
    await simulator.plugIn();
    await world.driver.start(spec);
    expect(await world.driver.state(spec.id)).toBe("running");
  });

  it.runIf(can)("and found is driven on and removed", async () => {
    await world.driver.input(spec.id, { type: "key", name: "Home" });
    expect(await world.driver.remove(spec.id)).toMatchObject({ verifiedAbsent: true });
    expect(await world.driver.state(spec.id)).toBe("absent");
    // What broke with it is not worth a word.
    expect(new Set(warned)).toEqual(new Set(["An Android phone is out of reach"]));
  });
});

describe("a phone that stays lost", () => {
  it("has ended after a while, with what is known of why", async () => {
    const clock = new ManualClock(Date.now());
    const simulator = await startSimulator({ auth: true });
    const world = await androidWorld({ clock });
    try {
      const spec = await world.phone(await world.register(`tcp:${simulator.address}`));
      const creating = world.driver.create(spec);
      await vi.waitFor(() => expect(simulator.asking).toHaveLength(1), { interval: 5, timeout: 5_000 });
      simulator.allow();
      await creating;
      await world.driver.start(spec);
      await simulator.unplug();
      await vi.waitFor(() => expect(world.events.at(-1)).toMatchObject({ type: "lost" }));
      clock.advance(9 * 60_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(world.events.at(-1)).toMatchObject({ type: "lost" });
      clock.advance(61_000);
      await vi.waitFor(() =>
        expect(world.events.at(-1)).toEqual({ type: "ended", phoneId: spec.id, reason: "device_gone" }),
      );
      expect(await world.driver.state(spec.id)).not.toBe("running");
      await world.driver.park(spec.id);
    } finally {
      await world.dispose();
      await simulator.close();
    }
  });
});

describe("after a crash of the server", () => {
  it("devices are known by the phones they are, and started again", async () => {
    const simulator = await startSimulator();
    const world = await androidWorld();
    try {
      const spec = await world.phone(await world.register(`tcp:${simulator.address}`));
      await world.driver.create(spec);
      await world.driver.start(spec);
      const { driver } = world.again();
      expect(await driver.recover()).toEqual([{ id: spec.id, state: expect.not.stringMatching("running") }]);
      await driver.create(spec);
      await driver.start(spec);
      expect(await driver.state(spec.id)).toBe("running");
      await driver.close();
    } finally {
      await world.dispose();
      await simulator.close();
    }
  });
});

describe("why an app was not taken", () => {
  it.each([
    [
      "Failure [INSTALL_FAILED_NO_MATCHING_ABIS: Failed to extract native libraries, res=-113]",
      /another kind of processor/,
    ],
    ["Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: Package x signatures do not match]", /signed differently/],
    ["Failure [INSTALL_PARSE_FAILED_NO_CERTIFICATES: …]", /not signed/],
    ["Failure [INSTALL_FAILED_MISSING_SPLIT: …]", /only a part/],
    ["Failure [INSTALL_FAILED_SOMETHING_NEW]", /INSTALL_FAILED_SOMETHING_NEW/],
    [
      "Error: java.lang.SecurityException: \u001b[2Jx",
      /^The phone did not take this app: java.lang.SecurityException: \[2Jx$/,
    ],
    ["", /^The phone did not take this app\.$/],
  ])("%j is said in words", (said, words) => expect(installFailure(said)).toMatch(words));
});

/** The count whose colour a decoder shows in the end, at the left edge. */
async function lastCount(frames: readonly ScreenFrame[]): Promise<number> {
  const began = frames.findLastIndex(({ kind }) => kind === "codecConfig");
  const pixel = ["-vf", "crop=2:2:4:400,scale=1:1", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"];
  const decoder = spawn("ffmpeg", ["-loglevel", "error", "-f", "h264", "-i", "pipe:0", "-vsync", "0", ...pixel]);
  const out: Buffer[] = [];
  decoder.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  // One that has seen enough closes it; what it made is looked at.
  decoder.stdin.on("error", () => {});
  for (const { format, bytes } of frames.slice(began)) if (format === "h264") decoder.stdin.write(bytes);
  decoder.stdin.end();
  await once(decoder, "close");
  const shown = Buffer.concat(out).subarray(-3);
  return COUNTER_COLOURS.findIndex((colour) =>
    [16, 8, 0].every((bits, at) => Math.abs((shown[at] ?? -99) - ((colour >> bits) & 255)) <= 14),
  );
}
