/** One Android's screen over scrcpy's protocol, byte by byte. */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../../clock.ts";
import { silentLog } from "../../../../log.ts";
import { until } from "../../../../screen/testing/client.ts";
import type { AudioPacket, ScreenFrame } from "../../../driver.ts";
import type { AndroidFacts, AndroidScreen } from "../ports.ts";
import { openAndroidScreen } from "./open-screen.ts";
import { type ControlMessage, FakeDevice } from "./testing/fake-device.ts";

const JAR = Buffer.from("not really a jar");
const SHA256 = createHash("sha256").update(JAR).digest("hex");

describe.concurrent("the screen of an Android with scrcpy", () => {
  let folder = "";
  let path = "";
  const open: { screen: AndroidScreen; device: FakeDevice }[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "perch-screen-"));
    path = join(folder, "scrcpy-server");
    await writeFile(path, JAR);
  });
  afterAll(async () => {
    for (const { screen, device } of open) {
      await screen.close();
      await device.close();
    }
    await rm(folder, { recursive: true });
  });

  async function setup(
    facts: Partial<AndroidFacts> = {},
    server = { path, version: "3.3.3", sha256: SHA256 },
    log = silentLog,
  ) {
    const device = new FakeDevice(facts);
    const told: string[] = [];
    const screen = await openAndroidScreen(device, {
      scrcpyServer: server,
      clock: systemClock,
      log,
      events: {
        resized: ({ width, height }) => told.push(`resized ${width}x${height}`),
        clipboard: (value) => told.push(`clipboard ${value}`),
        keyboard: (up) => told.push(`keyboard ${up}`),
      },
    });
    open.push({ screen, device });
    return { device, screen, told };
  }
  async function watched(facts: Partial<AndroidFacts> = {}, log = silentLog) {
    const one = await setup(facts, undefined, log);
    const frames = collect(one.screen);
    await until(() => one.device.servers.length === 1 && one.device.server.has("control"), "a server");
    one.device.server.begin(one.device.display.width, one.device.display.height);
    await until(() => frames.texts().includes("key"), "a key frame");
    return { ...one, frames };
  }

  it("starts nothing before somebody looks, and ends it when nobody does", async () => {
    const { device, screen } = await setup();
    expect(device.servers).toHaveLength(0);
    expect(device.pushed.size).toBe(0);
    const frames = collect(screen);
    await until(() => device.servers.length === 1 && device.server.has("control"), "a server");
    expect(Object.fromEntries(device.server.options)).toMatchObject({
      audio: "false",
      max_size: "1920",
      max_fps: "60",
      tunnel_forward: "true",
      cleanup: "false",
    });
    expect(device.server.options.has("video")).toBe(false);
    expect([...device.pushed.values()].map((one) => Buffer.from(one))).toEqual([JAR]);
    frames.stop();
    await until(() => device.running.length === 0, "the end of the server");
    await screen.close();
    expect(device.pushed.size).toBe(0);
  });
  it("gives the configuration, then a key frame, then what builds on it, each as it came", async () => {
    const { device, frames } = await watched();
    device.server.frame("one");
    device.server.frame("two");
    await until(() => frames.texts().includes("two"), "deltas");
    expect(frames.list.map(({ kind, format }) => `${format} ${kind}`)).toEqual([
      "h264 codecConfig",
      "h264 keyFrame",
      "h264 delta",
      "h264 delta",
    ]);
    expect(Math.abs((frames.list[1]?.capturedAtMs ?? 0) - systemClock.now())).toBeLessThan(2_000);
  });
  it("gives who comes later the configuration at once, nothing in between, and asks once for all who came", async () => {
    const { device, screen } = await watched();
    device.server.answersReset = false;
    const later = [collect(screen), collect(screen), collect(screen)];
    expect(later.map(({ list }) => list.map(({ kind }) => kind))).toEqual([
      ["codecConfig"],
      ["codecConfig"],
      ["codecConfig"],
    ]);
    device.server.frame("in between");
    await until(() => device.server.controls.length > 0, "a reset");
    expect(device.server.controls).toEqual([{ type: "reset video" }]);
    device.server.begin(1080, 2400, "fresh");
    await until(() => later.every((one) => one.texts().includes("fresh")), "key frames");
    for (const one of later) expect(one.texts()).not.toContain("in between");
  });
  it("says its size in CSS pixels and notices by the picture that it was turned", async () => {
    const { device, screen, told } = await watched();
    expect(screen.size()).toEqual({ width: 360, height: 800 });
    device.display = { width: 2400, height: 1080 };
    device.server.begin(1920, 864, "turned");
    await until(() => told.length > 0, "resized");
    expect(told).toEqual(["resized 800x360"]);
    expect(screen.size()).toEqual({ width: 800, height: 360 });
    expect(screen.source.size()).toEqual({ width: 800, height: 360 });
  });
  it("changes the level with a second encoder that takes over with its key frame, not more often than allowed", async () => {
    const { device, screen, frames } = await watched();
    const first = device.server;
    screen.source.setLevel(1);
    screen.source.setLevel(0);
    screen.source.setLevel(2);
    first.frame("still the first");
    await until(() => device.servers.length === 2 && device.server.has("control"), "a second encoder", 6_000);
    expect(device.server.options.get("max_size")).toBe("1280");
    expect(device.server.options.get("video_bit_rate")).toBe("2000000");
    first.frame("meanwhile");
    await until(() => frames.texts().includes("meanwhile"), "the first goes on");
    device.server.begin(576, 1280, "second key");
    await until(() => frames.texts().includes("second key"), "the second takes over");
    await until(() => first.over, "the first ends");
    expect(frames.list.at(-2)?.kind).toBe("codecConfig");
    expect(device.servers).toHaveLength(2);
  });
  it("starts an encoder that died again, and shows pictures after the second failure until one works", async () => {
    const { device, frames } = await watched();
    device.screen = png(1080, 2400);
    device.broken = true;
    device.server.die();
    await until(() => frames.list.at(-1)?.kind === "image", "a picture");
    expect(frames.list.at(-1)?.format).toBe("png");
    device.broken = false;
    await until(() => device.running.some((one) => one.has("control")), "another encoder", 4_000);
    // Smaller than before: the size may have been why.
    expect(Number(device.server.options.get("max_size"))).toBeLessThan(1920);
    device.server.begin(720, 1600, "back");
    await until(() => frames.texts().includes("back"), "video again");
    const shown = frames.list.length;
    device.screen = png(1080, 2401);
    device.server.frame("delta");
    await until(() => frames.list.length > shown, "delta");
    expect(frames.list.slice(shown).map(({ kind }) => kind)).toEqual(["delta"]);
  });
  it("says why an encoder failed, tells nothing of what was typed, and keeps nothing of a device that talks without end", async () => {
    const logged: unknown[] = [];
    const log = { ...silentLog, warn: (message: string, fields?: object) => logged.push([message, fields]) };
    const { device, frames } = await watched({}, log);
    device.server.says(Buffer.from("[server] WARN: Could not inject char u+0061\n"));
    device.server.says(Buffer.from("[server] ERROR: Capture/encoding error: no\n"));
    await until(() => logged.length === 1, "the reason");
    device.server.says(Buffer.alloc(70_000, "x"));
    device.server.says(Buffer.from("\n[server] ERROR: Capture/encoding error: again\n"));
    device.server.frame("still there");
    await until(() => frames.texts().includes("still there"), "a frame");
    expect(logged).toEqual([["scrcpy's server says", { error: "[server] ERROR: Capture/encoding error: no" }]]);
  });
  it("refuses packets of absurd size and goes on with another encoder", async () => {
    const { device } = await watched();
    device.server.packet("video", Buffer.from("x"), 1n, 0xf000_0000);
    await until(() => device.servers.length === 2, "another encoder");
    expect(device.servers[0]?.over).toBe(true);
  });
  it("sends touches in the coordinates of the video, with its size, pressure and ids", async () => {
    const { device, screen } = await watched();
    await screen.input({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.25 });
    await screen.input({ type: "touch", phase: "start", id: 3, x: 1, y: 1 });
    await screen.input({ type: "touch", phase: "move", id: 3, x: 0, y: 0 });
    await screen.input({ type: "touch", phase: "cancel", id: 3, x: 0, y: 0 });
    await screen.input({ type: "touch", phase: "end", id: 0, x: 0.5, y: 0.3 });
    const size = { width: 1080, height: 2400 };
    expect(device.server.controls.map((one) => ({ ...one, ...(one.type === "touch" && { type: undefined }) }))).toEqual(
      [
        { action: 0, pointer: 0, x: 540, y: 600, pressure: 0xffff, ...size },
        { action: 0, pointer: 3, x: 1079, y: 2399, pressure: 0xffff, ...size },
        { action: 2, pointer: 3, x: 0, y: 0, pressure: 0xffff, ...size },
        { action: 3, pointer: 3, x: 0, y: 0, pressure: 0, ...size },
        { action: 1, pointer: 3, x: 0, y: 0, pressure: 0, ...size },
        { action: 1, pointer: 0, x: 540, y: 720, pressure: 0, ...size },
      ],
    );
  });
  it("lets a touch end in the session it began in when a new encoder takes over", async () => {
    const { device, screen, frames } = await watched();
    const first = device.server;
    await screen.input({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5 });
    screen.source.setLevel(2);
    await until(() => device.servers.length === 2 && device.server.has("control"), "a second encoder", 6_000);
    device.server.begin(576, 1280, "second key");
    await until(() => frames.texts().includes("second key"), "the second takes over");
    await screen.input({ type: "touch", phase: "move", id: 0, x: 0.4, y: 0.5 });
    expect(first.over).toBe(false);
    await screen.input({ type: "touch", phase: "end", id: 0, x: 0.4, y: 0.5 });
    expect(first.controls.flatMap((one) => (one.type === "touch" ? [one.action] : []))).toEqual([0, 2, 1]);
    await until(() => first.over, "the first ends");
    await screen.input({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5 });
    expect(device.server.controls.at(-1)).toMatchObject({ action: 0, width: 576, height: 1280 });
  });
  it("acts on a phone nobody watches through a session without video, in the display's own pixels", async () => {
    const { device, screen } = await setup();
    device.display = { width: 2400, height: 1080 };
    await screen.input({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5 });
    await screen.input({ type: "touch", phase: "end", id: 0, x: 0.5, y: 0.5 });
    await screen.input({ type: "key", name: "Home" });
    expect(device.servers).toHaveLength(1);
    expect(device.server.options.get("video")).toBe("false");
    expect(device.server.controls[0]).toMatchObject({ x: 1200, y: 540, width: 2400, height: 1080 });
  });
  it("presses every key, with Control where it takes it, and scrolls", async () => {
    const { device, screen } = await watched();
    await screen.input({ type: "key", name: "AppSwitch" });
    await screen.input({ type: "key", name: "Undo" });
    await screen.input({ type: "wheel", x: 0.5, y: 0.5, dx: 0, dy: 0.16 });
    const [down, up, undo, , scroll] = device.server.controls;
    expect([down, up]).toEqual([
      { type: "key", action: 0, code: 187, meta: 0 },
      { type: "key", action: 1, code: 187, meta: 0 },
    ]);
    expect(undo).toEqual({ type: "key", action: 0, code: 54, meta: 4096 });
    // 0.16 of 800 px down the page are two notches of 64 px, which Android counts as negative.
    expect(scroll).toMatchObject({ type: "scroll", dx: 0, x: 540, y: 1200 });
    expect((scroll as Extract<ControlMessage, { type: "scroll" }>).dy).toBeCloseTo(-2, 1);
  });
  it("types short plain text as keys and pastes the rest, in order, and brings the clipboard back", async () => {
    const { device, screen, told } = await watched();
    device.server.copied("mine");
    await until(() => told.includes("clipboard mine"), "the clipboard");
    await Promise.all([
      screen.input({ type: "text", value: "hello" }),
      screen.input({ type: "text", value: "漢字 😀\nx" }),
      screen.input({ type: "key", name: "Enter" }),
      screen.input({ type: "text", value: "é" }),
    ]);
    await until(() => device.clipboard === "mine", "the old clipboard");
    const did = device.server.controls.map((one) =>
      one.type === "set clipboard"
        ? `${one.paste ? "paste" : "set"} ${one.value}`
        : one.type === "text"
          ? one.value
          : one.type,
    );
    expect(did).toEqual(["hello", "paste 漢字 😀\nx", "key", "key", "paste é", "set mine"]);
    expect(told).toEqual(["clipboard mine"]);
  });
  it("tells what is copied once, not what it put there itself, and reads what it never heard of", async () => {
    const { device, screen, told } = await setup();
    device.clipboard = "from before";
    expect(await screen.clipboard.read()).toBe("from before");
    await screen.clipboard.write("ours");
    expect(device.clipboard).toBe("ours");
    device.running.at(-1)?.copied("ours");
    device.running.at(-1)?.copied("theirs");
    await until(() => told.length > 0, "a clipboard");
    expect(told).toEqual(["clipboard theirs"]);
    expect(await screen.clipboard.read()).toBe("theirs");
    expect(device.running).toHaveLength(1);
  });
  it("ends a session whose device claims an absurd clipboard", async () => {
    const { device, told } = await watched();
    device.server.raw(Buffer.from([0, 0xf0, 0, 0, 0]));
    await until(() => device.servers.length === 2, "another session");
    expect(told).toEqual([]);
  });
  it("turns and says how it stands afterwards", async () => {
    const { screen, told } = await watched();
    expect(await screen.rotate()).toEqual({ rotated: true, width: 800, height: 360 });
    expect(await screen.rotate()).toEqual({ rotated: false, width: 360, height: 800 });
    expect(told).toEqual(["resized 800x360", "resized 360x800"]);
  });
  it("tells that the keyboard came up after a touch, without asking all the time", async () => {
    const { device, screen, told } = await watched();
    device.keyboard = true;
    for (let tap = 0; tap < 5; tap += 1) {
      await screen.input({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5 });
      await screen.input({ type: "touch", phase: "end", id: 0, x: 0.5, y: 0.5 });
    }
    await until(() => told.length > 0, "the keyboard");
    expect(told).toEqual(["keyboard true"]);
    expect(device.commands.filter(([, what]) => what === "input_method")).toHaveLength(1);
  });
  it("runs the sound apart, only while somebody listens, and not before Android 11", async () => {
    const { device, screen } = await setup();
    const packets: AudioPacket[] = [];
    const stop = screen.source.audio?.listen((packet) => packets.push(packet));
    await until(() => device.servers.length === 1 && device.server.has("audio"), "a server for sound");
    expect(device.server.options.get("video")).toBe("false");
    expect(device.server.options.get("control")).toBe("false");
    device.server.packet("audio", Buffer.from("OpusHead"), 1n << 63n);
    device.server.packet("audio", Buffer.from("sound"), 5n);
    await until(() => packets.length === 2, "packets");
    expect(packets.map(({ kind, bytes }) => `${kind} ${Buffer.from(bytes)}`)).toEqual([
      "config OpusHead",
      "packet sound",
    ]);
    stop?.();
    await until(() => device.running.length === 0, "silence");
    const old = await setup({ sdk: 29 });
    expect(old.screen.source.audio).toBeUndefined();
  });
  it("moves while frames come, not at rest", async () => {
    const { device, screen, frames } = await watched();
    expect(screen.moving).toBe(false);
    for (const text of ["1", "2", "3"]) device.server.frame(text);
    await until(() => frames.texts().includes("3"), "frames");
    expect(screen.moving).toBe(true);
    await until(() => !screen.moving, "rest");
  });
  it("does not put another file than the known one on a device", async () => {
    const { device, screen } = await setup({}, { path, version: "3.3.3", sha256: "0".repeat(64) });
    expect(screen.source.codec).toBe("jpeg");
    await writeFile(join(folder, "changing"), JAR);
    const changing = await setup({}, { path: join(folder, "changing"), version: "3.3.3", sha256: SHA256 });
    await writeFile(join(folder, "changing"), "something else");
    changing.device.screen = png(1080, 2400);
    const frames = collect(changing.screen);
    await until(() => frames.list.length > 0, "a picture instead");
    expect(device.pushed.size + changing.device.pushed.size).toBe(0);
    expect(changing.device.servers).toHaveLength(0);
  });
});

describe.concurrent("the screen of an Android without scrcpy", () => {
  async function setup(facts: Partial<AndroidFacts> = {}) {
    const device = new FakeDevice(facts);
    device.screen = png(1080, 2400);
    const events = { resized() {}, clipboard() {}, keyboard() {} };
    const screen = await openAndroidScreen(device, { clock: systemClock, log: silentLog, events });
    const inputs = () =>
      device.commands.filter(([program]) => program === "input").map((argv) => argv.slice(1).join(" "));
    return { device, screen, inputs };
  }

  it("shows PNGs, only while somebody looks and only what changed", async () => {
    const { device, screen } = await setup();
    const shots = () => device.commands.filter(([program]) => program === "screencap").length;
    expect(screen.source.codec).toBe("jpeg");
    expect(shots()).toBe(0);
    const frames = collect(screen);
    await until(() => shots() === 3, "three looks");
    expect(frames.list).toHaveLength(1);
    expect(frames.list[0]).toMatchObject({ format: "png", kind: "image", crisp: false });
    device.screen = png(1080, 2401);
    await until(() => frames.list.length === 2, "the changed one");
    frames.stop();
    const before = shots();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(shots()).toBe(before);
    await screen.close();
  });
  it("taps, presses long and swipes by `input`", async () => {
    const { screen, inputs } = await setup();
    const finger = (phase: "start" | "move" | "end" | "cancel", x: number, y: number) =>
      screen.input({ type: "touch", phase, id: 0, x, y });
    await finger("start", 0.5, 0.5);
    await finger("move", 0.501, 0.5);
    await finger("end", 0.501, 0.5);
    await finger("start", 0.5, 0.75);
    await finger("end", 0.5, 0.25);
    await finger("start", 0.5, 0.75);
    await finger("cancel", 0.5, 0.25);
    await screen.input({ type: "wheel", x: 0.5, y: 0.5, dx: 0, dy: 0.1 });
    await screen.input({ type: "key", name: "Back" });
    await screen.input({ type: "key", name: "SelectAll" });
    expect(inputs()).toEqual([
      "tap 540 1200",
      "swipe 540 1800 540 600 50",
      "swipe 540 1200 540 960 120",
      "keyevent 4",
      "keycombination 113 29",
    ]);
  });
  it("types plain text and refuses what `input` cannot, in words", async () => {
    const { screen, inputs } = await setup();
    await screen.input({ type: "text", value: "a %s $(b)\nc" });
    expect(inputs()).toEqual(["text a %", "text s $(b)", "keyevent 66", "text c"]);
    await expect(screen.input({ type: "text", value: "漢字" })).rejects.toThrow("takes only short plain text");
    await expect(screen.clipboard.read()).rejects.toThrow("Set scrcpy up on the server.");
  });
});

function collect(screen: AndroidScreen) {
  const list: ScreenFrame[] = [];
  const stop = screen.source.listen((frame) => list.push(frame));
  return { list, stop, texts: () => list.map(({ bytes }) => Buffer.from(bytes).toString()) };
}

/** As much of a PNG as says its size. */
function png(width: number, height: number): Uint8Array {
  const bytes = Buffer.alloc(40);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}
