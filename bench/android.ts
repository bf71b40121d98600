/** What a screen of video costs on its way from scrcpy's socket to those who watch, and how soon a touch is seen. */
import { type ChildProcess, fork } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AndroidMotionEventAction } from "@yume-chan/scrcpy";
import { chromium } from "playwright-core";
import { rolldown } from "rolldown";
import { ensureBrowsers } from "../scripts/browsers.ts";
import { systemClock } from "../server/clock.ts";
import { silentLog } from "../server/log.ts";
import { dialOwn } from "../server/phones/drivers/adb/connect/dial-device.ts";
import { tcpEndpoint } from "../server/phones/drivers/adb/connect/endpoints.ts";
import { createAdbKeys } from "../server/phones/drivers/adb/connect/keys.ts";
import { openAndroidDevice } from "../server/phones/drivers/adb/device.ts";
import type { AndroidDevice, AndroidScreen } from "../server/phones/drivers/adb/ports.ts";
import { encodingOf } from "../server/phones/drivers/adb/screen/levels.ts";
import { openAndroidScreen } from "../server/phones/drivers/adb/screen/open-screen.ts";
import { createScrcpyFile, type ScrcpyServerFile } from "../server/phones/drivers/adb/screen/scrcpy-file.ts";
import { type ScrcpySession, startSession } from "../server/phones/drivers/adb/screen/scrcpy-session.ts";
import { TestViewer } from "../server/screen/testing/client.ts";
import { ticketRequest } from "../server/screen/testing/fakes.ts";
import { type Harness, ORIGIN, startHarness } from "../server/screen/testing/harness.ts";
import type { SeenVideo } from "./android-page.ts";
import type { WatchedStream, WatchOrder } from "./android-viewers.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";

const SIZES = [
  { name: "720p", width: 720, height: 1280, density: 320 },
  { name: "1080p", width: 1080, height: 1920, density: 480 },
] as const;
const CROWDS = [1, 5, 20] as const;
const SETTLE_MS = 1_000;
const MEASURE_MS = 3_000;
const TOUCHES = 20;
const START_MS = 10_000;
/** Longer than an encoder repeats the last picture of a screen at rest. */
const REST_MS = 250;

export const android: Benchmark = {
  name: "android",
  title: "Screens of Androids",
  about:
    "The simulated Android in a process of its own, whose ffmpeg encodes a screen that changes everywhere, about 30 times a " +
    "second, and writes the time into its pixels. Frame path: from scrcpy's socket in the server to a viewer's socket; and in a " +
    "real Chromium on the same cores, with the panel's own connection, decoder and painter, from that socket and from the phone's " +
    "drawing to the canvas. Rate, bytes and processor time of the server's process beside a program that only reads the same " +
    `scrcpy socket. Times are to a millisecond. Touch: ${TOUCHES} touches from the page to another colour on its canvas, and from ` +
    "a viewer's socket to its next frame, beside the same on the raw control and video sockets.",
  run: benchAndroid,
};

async function benchAndroid(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-android-"));
  try {
    const figures: Figure[] = [];
    for (const size of SIZES) {
      const world = await startAndroid(folder, size);
      try {
        figures.push(...(await benchSize(world, size.name)));
        figures.push(...(await benchPanel(world, size.name)));
      } finally {
        await world.close();
      }
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface AndroidWorld {
  readonly device: AndroidDevice;
  readonly screen: AndroidScreen;
  readonly harness: Harness;
  /** scrcpy's sockets without anything of ours between. */
  raw(): Promise<ScrcpySession>;
  show(app: "moving" | "counter"): void;
  close(): Promise<void>;
}

async function startAndroid(folder: string, size: (typeof SIZES)[number]): Promise<AndroidWorld> {
  const child = fork(
    new URL("./android-device.ts", import.meta.url),
    [size.width, size.height, size.density].map(String),
  );
  const port = Number(await message(child));
  const path = join(folder, "scrcpy-server");
  const jar = randomBytes(90_000);
  await writeFile(path, jar);
  const scrcpyServer: ScrcpyServerFile = {
    path,
    version: "3.3.3",
    sha256: createHash("sha256").update(jar).digest("hex"),
  };
  const endpoint = tcpEndpoint({ host: "127.0.0.1", port }, createAdbKeys(folder, randomBytes(32)), dialOwn());
  const device = await openAndroidDevice(endpoint, { clock: systemClock, signal: AbortSignal.timeout(20_000) });
  const events = { resized() {}, clipboard() {}, keyboard() {} };
  const screen = await openAndroidScreen(device, { scrcpyServer, clock: systemClock, log: silentLog, events });
  const harness = await startHarness(screen.source, systemClock, await livePage());
  harness.phones.input = (_id, input) => screen.input(input);
  const file = createScrcpyFile(device, scrcpyServer);
  return {
    device,
    screen,
    harness,
    raw: () =>
      startSession({
        ...{ device, file, log: silentLog, trouble() {} },
        wish: { video: encodingOf(4, 0), control: { autosync: false } },
      }),
    show: (app) => void child.send(app),
    async close() {
      await harness.close();
      await screen.close();
      await device.close();
      child.disconnect();
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

async function benchSize(world: AndroidWorld, name: string): Promise<Figure[]> {
  world.show("moving");
  const raw = await readRaw(world);
  const figures: Figure[] = [];
  let alone = 0;
  for (const count of CROWDS) {
    const { streams, cpu } = await watch(world.harness, count);
    const slowest = streams.reduce((worst, one) => (one.frames < worst.frames ? one : worst));
    const seconds = MEASURE_MS / 1_000;
    const viewers = count === 1 ? `${name}, one viewer` : `${name}, ${count} viewers`;
    figures.push(
      { name: `${viewers}: scrcpy's socket → viewer's`, unit: "ms", ...spread(streams.flatMap(({ ages }) => ages)) },
      {
        name: `${viewers}: rate of the slowest`,
        unit: "fps",
        median: slowest.frames / seconds,
        beside: { name: "raw socket", median: raw.fps },
      },
      {
        name: `${viewers}: bytes for each`,
        unit: "kB/s",
        median: slowest.bytes / seconds / 1_000,
        beside: { name: "raw socket", median: raw.kilobytes },
      },
      {
        name: `${viewers}: processor time of the server`,
        unit: "%",
        median: cpu,
        beside: { name: "raw socket", median: raw.cpu },
      },
    );
    if (count === 1) alone = cpu;
    else
      figures.push({ name: `${viewers}: for each beyond the first`, unit: "%", median: (cpu - alone) / (count - 1) });
  }
  return figures;
}

/** What the panel's own parts show in a real browser. Without one there is nothing to tell. */
async function benchPanel(world: AndroidWorld, name: string): Promise<Figure[]> {
  const seen = await inChromium(world);
  if (seen === undefined) return [];
  if (seen.video.pictures > 0) console.log(`  ${name}: ${seen.video.pictures} pictures came instead of video`);
  const raw = await rawTouches(world);
  const socket = await socketTouches(world);
  return [
    { name: `${name}: scrcpy's socket → canvas of the panel`, unit: "ms", ...spread(seen.video.received) },
    { name: `${name}: drawn on the phone → canvas of the panel`, unit: "ms", ...spread(seen.video.drawn) },
    {
      name: `${name}: rate on the canvas`,
      unit: "fps",
      median: seen.video.frames / (MEASURE_MS / 1_000),
    },
    {
      name: `${name}: touch → pixel on the canvas`,
      unit: "ms",
      ...spread(seen.touches),
      beside: { name: "raw sockets", median: median(raw) },
    },
    {
      name: `${name}: touch → frame at a viewer's socket`,
      unit: "ms",
      ...spread(socket),
      beside: { name: "raw sockets", median: median(raw) },
    },
  ];
}

/** Processor time of this process in percent of one core while `work` runs. */
async function cpuDuring(work: () => Promise<unknown>): Promise<number> {
  const [cpu, from] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 10 / (performance.now() - from);
}

async function readRaw(world: AndroidWorld): Promise<{ fps: number; kilobytes: number; cpu: number }> {
  const session = await world.raw();
  let [frames, bytes] = [0, 0];
  const reading = (async () => {
    for await (const packet of session.packets()) {
      frames += packet.type === "data" ? 1 : 0;
      bytes += packet.data.length;
    }
  })();
  await come(() => frames > 0);
  await pause(SETTLE_MS);
  [frames, bytes] = [0, 0];
  const cpu = await cpuDuring(() => pause(MEASURE_MS));
  const seconds = MEASURE_MS / 1_000;
  const result = { fps: frames / seconds, kilobytes: bytes / seconds / 1_000, cpu };
  await session.close();
  await reading;
  return result;
}

async function watch(harness: Harness, count: number): Promise<{ streams: readonly WatchedStream[]; cpu: number }> {
  const child = fork(new URL("./android-viewers.ts", import.meta.url));
  const tickets = await Promise.all(Array.from({ length: count }, () => harness.ticket()));
  const order: WatchOrder = { port: harness.port, origin: ORIGIN, tickets, settleMs: SETTLE_MS, measureMs: MEASURE_MS };
  child.send(order);
  await message(child);
  let streams: unknown;
  const cpu = await cpuDuring(async () => {
    streams = await message(child);
  });
  return { streams: asStreams(streams), cpu };
}

/** `android-viewers.ts` sends nothing else second. */
function asStreams(value: unknown): readonly WatchedStream[] {
  return value as readonly WatchedStream[];
}

async function inChromium(
  world: AndroidWorld,
): Promise<{ readonly video: SeenVideo; readonly touches: readonly number[] } | undefined> {
  const { harness } = world;
  const { chromium: executablePath } = await ensureBrowsers(["chromium"]);
  if (executablePath === undefined) return undefined;
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 400, height: 800 } });
    await page.exposeFunction("getTicket", () => harness.screen.ticket(ticketRequest(harness.phoneId)));
    await page.goto(`http://127.0.0.1:${harness.port}/`);
    const video = await page.evaluate(([settle, measure]) => window.android.watch(settle, measure), [
      SETTLE_MS,
      MEASURE_MS,
    ] as const);
    world.show("counter");
    return { video, touches: await page.evaluate((times) => window.android.touch(times), TOUCHES) };
  } finally {
    await browser.close();
  }
}

async function livePage(): Promise<string> {
  const input = new URL("./android-page.ts", import.meta.url).pathname;
  const bundle = await rolldown({ input, platform: "browser" });
  const { output } = await bundle.generate({ format: "iife", codeSplitting: false });
  return `<!doctype html><style>canvas{width:360px}</style><canvas></canvas><script>${output[0].code}</script>`;
}

async function socketTouches(world: AndroidWorld): Promise<number[]> {
  const viewer = await world.harness.view();
  if (!(viewer instanceof TestViewer)) throw new Error("The screen was refused.");
  const ours: number[] = [];
  await come(() => viewer.frames.length > 0);
  await pause(SETTLE_MS);
  for (let touch = 0; touch < TOUCHES; touch += 1) {
    await pause(REST_MS + Math.random() * 50);
    const [before, from] = [viewer.frames.length, performance.now()];
    for (const phase of ["start", "end"] as const) viewer.send({ type: "touch", phase, id: 0, x: 0.5, y: 0.5, seq: 0 });
    await changed(() => viewer.frames.length > before);
    ours.push(performance.now() - from);
  }
  viewer.socket.close();
  return ours;
}

async function rawTouches(world: AndroidWorld): Promise<number[]> {
  const session = await world.raw();
  let frames = 0;
  const reading = (async () => {
    for await (const _ of session.packets()) frames += 1;
  })();
  await come(() => frames > 0);
  await pause(SETTLE_MS);
  const size = session.size();
  if (size === undefined) throw new Error("The raw socket gave no video.");
  const taken: number[] = [];
  for (let touch = 0; touch < TOUCHES; touch += 1) {
    await pause(REST_MS + Math.random() * 50);
    const [before, from] = [frames, performance.now()];
    for (const action of [AndroidMotionEventAction.Down, AndroidMotionEventAction.Up]) {
      await session.control((writer) =>
        writer.injectTouch({
          action,
          pointerId: 0n,
          pointerX: size.width / 2,
          pointerY: size.height / 2,
          videoWidth: size.width,
          videoHeight: size.height,
          pressure: 1,
          actionButton: 0,
          buttons: 0,
        }),
      );
    }
    await changed(() => frames > before);
    taken.push(performance.now() - from);
  }
  await session.close();
  await reading;
  return taken;
}

/** An encoder takes its time to start. */
async function come(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("No picture came.");
    await pause(20);
  }
}

/** Looks in every turn of the event loop, so that it finds out without a timer's delay. */
async function changed(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 3_000;
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
}

function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`A process of the benchmark ended with ${code}.`)));
  });
}
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
