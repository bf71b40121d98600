/** scrcpy's server on the simulated phone, with the client of `@yume-chan/adb-scrcpy` and ffmpeg as the decoder. */
import { spawnSync } from "node:child_process";
import type { Adb } from "@yume-chan/adb";
import { AdbScrcpyClient, AdbScrcpyExitedError, AdbScrcpyOptions3_3_3 } from "@yume-chan/adb-scrcpy";
import { ReadableStream } from "@yume-chan/stream-extra";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COUNTER_COLOURS } from "../apps/small.ts";
import { type Simulator, startSimulator } from "../simulator.ts";
import { connectDirectly, there } from "../testing.ts";
import { videoSize } from "./video.ts";

/** Looks until it is so; a machine may be slow. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 20 });

const JAR = "/data/local/tmp/scrcpy-server.jar";
type Options = ConstructorParameters<typeof AdbScrcpyOptions3_3_3<true>>[0];

/** A client that keeps what came. */
class Viewer {
  readonly client: AdbScrcpyClient<AdbScrcpyOptions3_3_3<true>>;
  readonly packets: {
    readonly type: string;
    readonly key: boolean;
    readonly bytes: Uint8Array;
    readonly pts: bigint;
  }[] = [];
  ended = false;

  constructor(client: AdbScrcpyClient<AdbScrcpyOptions3_3_3<true>>) {
    this.client = client;
  }
  static async start(adb: Adb, options: Options): Promise<Viewer> {
    const all = { tunnelForward: true, audio: false, scid: "0badcafe", ...options };
    const viewer = new Viewer(await AdbScrcpyClient.start(adb, JAR, new AdbScrcpyOptions3_3_3(all)));
    void viewer.#watch();
    return viewer;
  }
  async #watch(): Promise<void> {
    try {
      const video = await this.client.videoStream;
      for await (const packet of video?.stream ?? [])
        this.packets.push({
          type: packet.type,
          key: packet.type === "data" && packet.keyframe === true,
          bytes: packet.data,
          pts: packet.type === "data" ? (packet.pts ?? 0n) : 0n,
        });
    } catch {
      // The connection broke.
    }
    this.ended = true;
  }
  get configs(): number {
    return this.packets.filter(({ type }) => type === "configuration").length;
  }
  /** The last picture, decoded: its size, and the colour of a place. */
  picture(width: number, height: number) {
    const from = this.packets.findLastIndex(({ type }) => type === "configuration");
    const input = Buffer.concat(this.packets.slice(from).map(({ bytes }) => bytes));
    const { stdout } = spawnSync(
      "ffmpeg",
      ["-loglevel", "error", "-f", "h264", "-i", "pipe:0", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
      { input, maxBuffer: 1 << 30 },
    );
    const size = width * height * 3;
    expect(stdout.length % size).toBe(0);
    const last = stdout.subarray(stdout.length - size);
    return (x: number, y: number) => [...last.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
  }
  touch(action: 0 | 1 | 2, x: number, y: number, pointerId = 0n) {
    const size = this.client.videoStream;
    return size?.then((video) =>
      this.client.controller?.injectTouch({
        action,
        pointerId,
        pointerX: x,
        pointerY: y,
        videoWidth: video.width,
        videoHeight: video.height,
        pressure: 1,
        actionButton: 0,
        buttons: 0,
      }),
    );
  }
}
const near = (colour: number) => {
  const parts = [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255];
  return (found: readonly number[]) => parts.every((part, at) => Math.abs(part - (found[at] ?? 0)) < 12);
};
const exitedWith = (promise: Promise<unknown>) =>
  promise.then(
    () => "started",
    (error: unknown) => (error instanceof AdbScrcpyExitedError ? error.output.join("\n") : String(error)),
  );

describe.skipIf(!there("ffmpeg"))("scrcpy (skipped where ffmpeg is not installed)", () => {
  let sim: Simulator;
  let adb: Adb;
  beforeAll(async () => {
    sim = await startSimulator();
    adb = await connectDirectly(sim.port);
    sim.phone.launch("com.example.counter");
  });
  afterAll(async () => {
    await adb.close();
    await sim.close();
  });

  it("needs its file, and says when client and server differ", async () => {
    expect(await exitedWith(Viewer.start(adb, {}))).toContain("ClassNotFoundException");
    const file = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(64));
        controller.close();
      },
    });
    await AdbScrcpyClient.pushServer(adb, file, JAR);
    const old = new AdbScrcpyOptions3_3_3({ tunnelForward: true }, { version: "3.3.1" });
    expect(await exitedWith(AdbScrcpyClient.start(adb, JAR, old))).toContain(
      "The server version (3.3.3) does not match the client (3.3.1)",
    );
  });

  it("sends what is on the screen, and what a touch makes of it", async () => {
    const viewer = await Viewer.start(adb, {});
    await soon(() => viewer.packets.length).toBeGreaterThanOrEqual(2);
    expect(await viewer.client.videoStream).toMatchObject({
      metadata: { deviceName: "Pixel 7", width: 720, height: 1280 },
    });
    expect(viewer.packets.slice(0, 2).map(({ type, key }) => [type, key])).toEqual([
      ["configuration", false],
      ["data", true],
    ]);
    expect(viewer.picture(720, 1280)(300, 600)).toSatisfy(near(COUNTER_COLOURS[0]));
    const before = viewer.packets.length;
    await viewer.touch(0, 300, 600);
    await viewer.touch(1, 300, 600);
    await soon(() => sim.apps.counter.count).toBe(1);
    await soon(() => viewer.packets.length).toBeGreaterThan(before);
    await soon(() => viewer.picture(720, 1280)(300, 600)).toSatisfy(near(COUNTER_COLOURS[1]));
    expect(viewer.packets.slice(1).map(({ pts }) => pts)).toEqual(
      viewer.packets
        .slice(1)
        .map(({ pts }) => pts)
        .toSorted((a, b) => Number(a - b)),
    );
    await viewer.client.close();
    await soon(() => sim.scrcpy.size).toBe(0);
  });

  it("rests while nothing changes, and begins anew for a reset and a turn", async () => {
    const viewer = await Viewer.start(adb, { maxSize: 640 });
    await soon(() => viewer.packets.length).toBe(3);
    const rests = performance.now();
    await soon(() => performance.now() - rests).toBeGreaterThan(250);
    expect(viewer.packets.length).toBe(3);
    expect(viewer.packets[2]?.bytes.length).toBeLessThan(1_000);
    expect(await viewer.client.videoStream).toMatchObject({ metadata: { width: 360, height: 640 } });
    await viewer.client.controller?.resetVideo();
    await soon(() => viewer.configs).toBe(2);
    await viewer.client.controller?.rotateDevice();
    await soon(() => viewer.configs).toBe(3);
    await soon(() => viewer.packets.at(-1)?.type).toBe("data");
    expect(sim.phone.size).toEqual({ width: 1280, height: 720 });
    expect(viewer.picture(640, 360)(300, 200)).toSatisfy(near(COUNTER_COLOURS[1]));
    const count = sim.apps.counter.count;
    await viewer.client.controller?.injectTouch({
      action: 0,
      pointerId: 0n,
      pointerX: 1,
      pointerY: 1,
      videoWidth: 360,
      videoHeight: 640,
      pressure: 1,
      actionButton: 0,
      buttons: 0,
    });
    sim.phone.rotate(0);
    await soon(() => viewer.configs).toBe(4);
    expect(sim.apps.counter.count).toBe(count);
    await viewer.client.close();
  });

  it("types, pastes, scrolls, starts apps and keeps the clipboard the same on both sides", async () => {
    const viewer = await Viewer.start(adb, { tunnelForward: false, scid: "00000001" });
    const { controller, clipboard } = viewer.client;
    await soon(() => viewer.packets.length).toBeGreaterThan(1);
    await controller?.startApp("com.example.form");
    await soon(() => sim.phone.foreground.package).toBe("com.example.form");
    await viewer.touch(0, 300, 300);
    await viewer.touch(1, 300, 300);
    await controller?.injectText("Hé");
    await controller?.setClipboard({ sequence: 7n, paste: true, content: "日本 😀" });
    expect(sim.apps.form.values.name).toBe("Hé日本 😀");
    await controller?.injectKeyCode({ action: 0, keyCode: 67, repeat: 0, metaState: 0 });
    await controller?.injectKeyCode({ action: 1, keyCode: 67, repeat: 0, metaState: 0 });
    await soon(() => sim.apps.form.values.name).toBe("Hé日本 ");
    sim.phone.setClipboard("from the phone");
    expect((await clipboard?.getReader().read())?.value).toBe("from the phone");
    await controller?.backOrScreenOn(0);
    await controller?.startApp("com.android.settings");
    await soon(() => sim.phone.foreground.package).toBe("com.android.settings");
    const first = sim.phone.tree();
    const video = await viewer.client.videoStream;
    await controller?.injectScroll({
      pointerX: 300,
      pointerY: 900,
      videoWidth: video?.width ?? 0,
      videoHeight: video?.height ?? 0,
      scrollX: 0,
      scrollY: -2,
      buttons: 0,
    });
    await soon(() => sim.phone.tree()).not.toEqual(first);
    await viewer.touch(0, 100, 700, 1n);
    await viewer.touch(0, 500, 700, 2n);
    await viewer.touch(1, 100, 700, 1n);
    await viewer.touch(1, 500, 700, 2n);
    await expect
      .poll(() => sim.phone.touches.slice(-4).map(({ pointer, action }) => [pointer, action]))
      .toEqual([
        [1, "down"],
        [2, "down"],
        [1, "up"],
        [2, "up"],
      ]);
    await viewer.client.close();
    sim.phone.launch("com.example.counter");
  });

  it("sounds: Opus with its head first, or says that it has none", async () => {
    const viewer = await Viewer.start(adb, { audio: true });
    const audio = await viewer.client.audioStream;
    if (audio?.type !== "success") throw new Error(`no sound: ${audio?.type}`);
    const kinds: string[] = [];
    for await (const packet of audio.stream) {
      if (packet.type === "configuration") expect(Buffer.from(packet.data).toString("latin1", 0, 8)).toBe("OpusHead");
      if (kinds.push(packet.type) === 3) break;
    }
    expect(kinds).toEqual(["configuration", "data", "data"]);
    await viewer.client.close();
    sim.faults.noAudio = true;
    const silent = await Viewer.start(adb, { audio: true });
    expect((await silent.client.audioStream)?.type).toBe("disabled");
    await silent.client.close();
    sim.faults.noAudio = false;
  });

  it("breaks: without an encoder, with one that dies, and when it is unplugged", async () => {
    sim.faults.noEncoder = true;
    const lines: string[] = [];
    const without = await Viewer.start(adb, {});
    for await (const line of without.client.output) lines.push(line);
    expect(lines.join("\n")).toContain("[server] ERROR: Could not create default video encoder for h264");
    await soon(() => without.ended).toBe(true);
    sim.faults.noEncoder = false;

    const viewer = await Viewer.start(adb, {});
    await soon(() => viewer.packets.length).toBeGreaterThan(1);
    sim.dieEncoder();
    await soon(() => viewer.ended).toBe(true);
    await viewer.client.exited;

    const last = await Viewer.start(adb, {});
    await soon(() => last.packets.length).toBeGreaterThan(1);
    await sim.unplug();
    await soon(() => [last.ended, sim.scrcpy.size]).toEqual([true, 0]);
    await sim.plugIn();
    adb = await connectDirectly(sim.port);
  });

  it("records the screen to a stream", async () => {
    const process = await adb.subprocess.noneProtocol.spawn(
      "screenrecord --output-format=h264 --size 360x640 --time-limit 1 -",
    );
    const viewer: Uint8Array[] = [];
    for await (const chunk of process.output) viewer.push(chunk);
    const { stdout } = spawnSync(
      "ffmpeg",
      [
        "-loglevel",
        "error",
        "-f",
        "h264",
        "-i",
        "pipe:0",
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "pipe:1",
      ],
      { input: Buffer.concat(viewer), maxBuffer: 1 << 28 },
    );
    expect(stdout.length).toBe(360 * 640 * 3);
  });
});

describe("the size of the video", () => {
  it("keeps the shape, in eights", () => {
    expect(videoSize(1080, 1920, 0)).toEqual({ width: 1080, height: 1920 });
    expect(videoSize(1080, 1920, 1280)).toEqual({ width: 720, height: 1280 });
    expect(videoSize(1080, 2400, 1000)).toEqual({ width: 448, height: 1000 });
  });
});
