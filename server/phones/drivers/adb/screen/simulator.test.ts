/** The screen of the simulated device, whose encoder is ffmpeg: directly, and through Debian's ADB server. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { h264ParseConfiguration } from "@yume-chan/scrcpy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../../clock.ts";
import { silentLog } from "../../../../log.ts";
import { until } from "../../../../screen/testing/client.ts";
import type { AudioPacket, ScreenFrame } from "../../../driver.ts";
import { dialOwn } from "../connect/dial-device.ts";
import { tcpEndpoint } from "../connect/endpoints.ts";
import { type AdbKeys, createAdbKeys } from "../connect/keys.ts";
import { createAdbServer } from "../connect/server.ts";
import { openAndroidDevice } from "../device.ts";
import type { AndroidDevice, AndroidScreen } from "../ports.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { there } from "../simulator/testing.ts";
import type { SeenView } from "../simulator/view.ts";
import { type AdbProcess, adbProcess, hasAdb } from "../testing/adb.fixture.ts";
import { openAndroidScreen } from "./open-screen.ts";

const JAR = Buffer.from("scrcpy's server, for the simulator");
const dial = dialOwn();
const hasFfmpeg = there("ffmpeg");
let folder: string;
let keys: AdbKeys;
let adb: AdbProcess | undefined;
let scrcpyServer: { path: string; version: string; sha256: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "perch-screen-"));
  const path = join(folder, "scrcpy-server");
  writeFileSync(path, JAR);
  scrcpyServer = { path, version: "3.3.3", sha256: createHash("sha256").update(JAR).digest("hex") };
  keys = createAdbKeys(folder, Buffer.alloc(32, 7));
  adb = hasAdb ? await adbProcess() : undefined;
});
afterAll(async () => {
  await adb?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const directly = (simulator: Simulator) => tcpEndpoint({ host: "127.0.0.1", port: simulator.port }, keys, dial);
const throughServer = (simulator: Simulator) => {
  if (adb === undefined) throw new Error("no adb");
  return createAdbServer(adb.at, dial).endpoint(simulator.address);
};

interface Open {
  readonly simulator: Simulator;
  readonly device: AndroidDevice;
  readonly screen: AndroidScreen;
  readonly told: string[];
  readonly frames: ScreenFrame[];
  watch(): () => void;
  close(): Promise<void>;
}
async function open(endpointOf: typeof directly): Promise<Open> {
  const simulator = await startSimulator({ width: 360, height: 640, density: 160 });
  const signal = AbortSignal.timeout(20_000);
  const device = await openAndroidDevice(endpointOf(simulator), { clock: systemClock, signal });
  const told: string[] = [];
  const screen = await openAndroidScreen(device, {
    scrcpyServer,
    clock: systemClock,
    log: silentLog,
    events: {
      resized: ({ width, height }) => told.push(`resized ${width}x${height}`),
      clipboard: (value) => told.push(`clipboard ${value}`),
      keyboard: (up) => told.push(`keyboard ${up}`),
    },
  });
  const frames: ScreenFrame[] = [];
  return {
    simulator,
    device,
    screen,
    told,
    frames,
    watch: () => screen.source.listen((frame) => frames.push(frame)),
    async close() {
      await screen.close();
      await device.close();
      await simulator.close();
    },
  };
}
async function tap({ screen }: Open, x: number, y: number): Promise<void> {
  await screen.input({ type: "touch", phase: "start", id: 0, x, y });
  await screen.input({ type: "touch", phase: "end", id: 0, x, y });
}

describe.each([
  ["directly", directly, hasFfmpeg],
  ["through an ADB server", throughServer, hasFfmpeg && hasAdb],
] as const)("the screen of a device reached %s", (_, endpointOf, can) => {
  let at: Open;
  beforeAll(async () => {
    if (can) at = await open(endpointOf);
  });
  afterAll(() => at?.close());

  it.runIf(can)(
    "is H.264 of whole access units that decode to as many pictures, and shows what a tap did",
    async () => {
      const { simulator, screen, frames } = at;
      const { counter } = simulator.apps;
      simulator.phone.launch(counter.package);
      const stop = at.watch();
      await until(() => frames.some(({ kind }) => kind === "keyFrame"), "a key frame");
      const before = frames.length;
      await tap(at, 0.5, 0.5);
      await until(() => counter.count === 1, "a tap");
      await until(() => frames.length > before, "the changed picture");
      screen.source.refresh();
      await until(() => frames.filter(({ kind }) => kind === "keyFrame").length === 2, "another key frame");
      await tap(at, 0.4, 0.4);
      await until(() => frames.at(-1)?.kind === "delta", "a delta");
      stop();
      const config = frames.find(({ kind }) => kind === "codecConfig");
      expect(h264ParseConfiguration(config?.bytes ?? new Uint8Array())).toMatchObject({
        croppedWidth: 360,
        croppedHeight: 640,
      });
      const pictures = frames.filter(({ kind }) => kind !== "codecConfig");
      expect(await decodedPictures(frames)).toBe(pictures.length);
      for (const { bytes } of frames) expect([...bytes.subarray(0, 4)]).toEqual([0, 0, 0, 1]);
      await until(() => simulator.scrcpy.size === 0, "the end of the encoder");
    },
  );

  it.runIf(can && endpointOf === directly)(
    "goes on when the encoder breaks, and shows pictures when there is none",
    async () => {
      const { simulator, frames } = at;
      frames.length = 0;
      const stop = at.watch();
      await until(() => frames.some(({ kind }) => kind === "keyFrame"), "a key frame");
      frames.length = 0;
      simulator.dieEncoder();
      await until(() => frames.some(({ kind }) => kind === "keyFrame"), "a key frame of another");
      frames.length = 0;
      simulator.faults.noEncoder = true;
      simulator.dieEncoder();
      await until(() => frames.some(({ kind }) => kind === "image"), "a picture");
      simulator.faults.noEncoder = false;
      await until(() => frames.at(-1)?.kind === "delta" || frames.at(-1)?.kind === "keyFrame", "video again", 8_000);
      stop();
    },
  );
});

describe.runIf(hasFfmpeg)("hands and ears on a device", () => {
  let at: Open;
  let stop: () => void;
  beforeAll(async () => {
    at = await open(directly);
    stop = at.watch();
    await until(() => at.frames.some(({ kind }) => kind === "keyFrame"), "a key frame");
  });
  afterAll(async () => {
    stop();
    await at.close();
  });

  it("type letters, scripts, emoji and lines where the cursor is, in order, and leave the clipboard as it was", async () => {
    const { simulator, screen, told } = at;
    const { form } = simulator.apps;
    simulator.phone.setClipboard("from before");
    simulator.phone.launch(form.package);
    const field = find(simulator.phone.tree(), "name");
    await tap(at, ...middle(field, simulator));
    await until(() => told.includes("keyboard true"), "the keyboard");
    for (const value of ["Ann ", "漢字 😀", " end"]) await screen.input({ type: "text", value });
    await screen.input({ type: "key", name: "Backspace" });
    await until(() => form.values.name === "Ann 漢字 😀 en", form.values.name);
    await until(() => simulator.phone.clipboard === "from before", "the old clipboard");
    // What was pasted is nobody's copy.
    expect(told.filter((one) => one.startsWith("clipboard"))).toEqual(["clipboard from before"]);
  });
  it("share the clipboard both ways", async () => {
    const { simulator, screen, told } = at;
    await screen.clipboard.write("ours 漢");
    expect(simulator.phone.clipboard).toBe("ours 漢");
    simulator.phone.setClipboard("theirs");
    await until(() => told.includes("clipboard theirs"), "what was copied");
    expect(await screen.clipboard.read()).toBe("theirs");
    expect(told).not.toContain("clipboard ours 漢");
  });
  it("turn the device, and touch where the picture then is", async () => {
    const { simulator, screen, told, frames } = at;
    const { counter } = simulator.apps;
    simulator.phone.launch(counter.package);
    counter.count = 0;
    expect(await screen.rotate()).toEqual({ rotated: true, width: 640, height: 360 });
    expect(told).toContain("resized 640x360");
    await until(() => configured(frames) === "640x360", "a turned picture");
    await tap(at, 0.9, 0.5);
    await until(() => counter.count === 1, "a tap");
    expect(simulator.phone.touches.at(-1)).toMatchObject({ x: 576, y: 180 });
    expect(await screen.rotate()).toEqual({ rotated: false, width: 360, height: 640 });
  });
  it("scroll, press and cancel", async () => {
    const { simulator, screen } = at;
    const { counter } = simulator.apps;
    simulator.phone.launch(counter.package);
    await until(() => configured(at.frames) === "360x640", "the picture the right way up");
    const { count } = counter;
    await screen.input({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5 });
    await screen.input({ type: "touch", phase: "cancel", id: 0, x: 0.5, y: 0.5 });
    await screen.input({ type: "key", name: "Home" });
    await until(() => simulator.phone.foreground.package !== counter.package, "the home screen");
    expect(counter.count).toBe(count);
  });
  it("tell the names of apps", async () => {
    const names = await at.screen.appNames(["com.example.counter", "com.example.none"]);
    expect(names.get("com.example.counter")).toBe("Counter");
    expect(names.has("com.example.none")).toBe(false);
  });
  it("hear a tone in Opus", async () => {
    const packets: AudioPacket[] = [];
    const silence = at.screen.source.audio?.listen((packet) => packets.push(packet));
    await until(() => packets.length > 5, "sound");
    silence?.();
    expect(Buffer.from(packets[0]?.bytes ?? []).toString("latin1", 0, 8)).toBe("OpusHead");
    expect(packets[0]?.kind).toBe("config");
    expect(new Set(packets.slice(1).map(({ kind }) => kind))).toEqual(new Set(["packet"]));
  });
});

describe.runIf(hasFfmpeg)("a device that goes", () => {
  it("ends its screen at once and leaves nothing running", async () => {
    const at = await open(directly);
    const stop = at.watch();
    await until(() => at.frames.some(({ kind }) => kind === "keyFrame"), "a key frame");
    await at.simulator.unplug();
    await at.device.gone;
    await expect(at.screen.input({ type: "key", name: "Home" })).rejects.toMatchObject({ code: "phone_unavailable" });
    const from = performance.now();
    await at.screen.close();
    expect(performance.now() - from).toBeLessThan(1_500);
    stop();
    await until(() => at.simulator.scrcpy.size === 0, "no servers");
    await at.close();
  });
  it("has nothing of ours on it after its screen was closed", async () => {
    const at = await open(directly);
    await at.screen.input({ type: "key", name: "Home" });
    const listed = async () => Buffer.from((await at.device.run(["ls", "/data/local/tmp"])).stdout).toString();
    expect(await listed()).toMatch(/perch-[0-9a-f]{16}\.jar/);
    await at.screen.close();
    expect(await listed()).not.toMatch(/perch-/);
    await until(() => at.simulator.scrcpy.size === 0, "no servers");
    await at.close();
  });
});

function configured(frames: readonly ScreenFrame[]): string | undefined {
  const config = frames.findLast(({ kind }) => kind === "codecConfig");
  if (config === undefined) return undefined;
  const { croppedWidth, croppedHeight } = h264ParseConfiguration(config.bytes);
  return `${croppedWidth}x${croppedHeight}`;
}

/** How many pictures ffmpeg makes of the stream. */
async function decodedPictures(frames: readonly ScreenFrame[]): Promise<number> {
  const child = spawn("ffmpeg", [
    "-loglevel",
    "error",
    "-f",
    "h264",
    "-i",
    "pipe:0",
    "-vsync",
    "0",
    "-f",
    "framemd5",
    "pipe:1",
  ]);
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  // One that has seen enough closes it; what it made is looked at.
  child.stdin.on("error", () => {});
  for (const { bytes } of frames) child.stdin.write(bytes);
  child.stdin.end();
  await new Promise((resolve) => child.once("close", resolve));
  return out.split("\n").filter((line) => /^\d/.test(line)).length;
}

function find(view: SeenView, id: string): SeenView {
  const open = [view];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.view.id === id) return next;
    open.push(...next.children);
  }
  throw new Error(`There is no ${id}.`);
}
function middle({ visible: bounds }: SeenView, { phone }: Simulator): [number, number] {
  return [(bounds.x + bounds.width / 2) / phone.size.width, (bounds.y + bounds.height / 2) / phone.size.height];
}
