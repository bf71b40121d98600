/** What many phones cost: one at rest that is watched, four that move, twenty that nobody watches. */

import { connect, TestViewer } from "../server/screen/testing/client.ts";
import type { PhoneId } from "../shared/ids.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";
import { atRest, browserTrees, cpuMs, pssMB } from "./processes.ts";
import { startViewer } from "./viewer.ts";
import { type BenchAccount, launch, startWorld, type World } from "./world.ts";

const STILL_MS = 10_000;
const MOVING_PHONES = 4;
const SETTLE_MS = 4_000;
const MEASURE_MS = 10_000;
const IDLE_PHONES = 20;
const LAUNCHES_A_PERSON = 8;

const NO_SPARE = { env: { WARM_PHONES: "0" } };

export const still: Benchmark = {
  name: "still",
  title: "Still screen",
  about:
    `A watched phone whose page does not move: frames sent and processor time of all its processes in ` +
    `${STILL_MS / 1_000} s, in percent of one core; beside it the same phone with nobody watching.`,
  run: () => inWorld(benchStill),
};

export const moving: Benchmark = {
  name: "moving",
  title: "Four moving phones",
  about:
    "Four phones, each repainting its whole 360×800 in every animation frame, each watched. First by viewers that " +
    "acknowledge without decoding, as if they were on machines of their own; then by four canvases of one real " +
    "Chromium on the same cores. The slowest of the four is what counts.",
  run: () => inWorld(benchMoving),
};

export const idle: Benchmark = {
  name: "idle",
  title: "Twenty idle phones",
  about:
    `${IDLE_PHONES} phones that show a page at rest and nobody watches: proportional set size of their browsers ` +
    "(`/proc/<pid>/smaps_rollup`), and their processor time over ten seconds in percent of one core.",
  run: () => inWorld(benchIdle),
};

async function inWorld(work: (world: World) => Promise<readonly Figure[]>): Promise<readonly Figure[]> {
  const world = await startWorld(NO_SPARE);
  try {
    return await work(world);
  } finally {
    await world.close();
  }
}

async function watch(world: World, { api }: BenchAccount, phoneId: PhoneId): Promise<TestViewer> {
  const { ticket } = await api.screen.ticket.mutate({ phoneId, mode: "view" });
  const viewer = await connect({ port: world.server.port, ticket });
  if (!(viewer instanceof TestViewer)) throw new Error(`The screen was refused: ${viewer.message}`);
  return viewer;
}

/** Processor time of all phones while `ms` pass, in percent of one core. */
async function cpuPercent(world: World, ms: number): Promise<number> {
  const pids = (await browserTrees(world.folder)).flat();
  const [before, start] = [await cpuMs(pids), performance.now()];
  await pause(ms);
  return (100 * ((await cpuMs(pids)) - before)) / (performance.now() - start);
}

async function benchStill(world: World): Promise<readonly Figure[]> {
  const person = await world.account();
  const id = await launch(person, world.site.still);
  await atRest(world.folder, 1);
  const unwatched = await cpuPercent(world, STILL_MS);
  const viewer = await watch(world, person, id);
  await pause(2_000);
  await atRest(world.folder, 1);
  const [frames, own] = [viewer.frames.length, process.cpuUsage()];
  if (frames === 0) throw new Error("The viewer was never shown the picture.");
  const watched = await cpuPercent(world, STILL_MS);
  const { user, system } = process.cpuUsage(own);
  viewer.socket.terminate();
  return [
    {
      name: "frames in 10 s",
      unit: "frames",
      median: viewer.frames.length - frames,
      aim: { of: "median", atMost: 0 },
    },
    {
      name: "processor time of the phone",
      unit: "%",
      median: watched,
      beside: { name: "nobody watching", median: unwatched },
      aim: { of: "median", atMost: 1 },
    },
    { name: "processor time of the server", unit: "%", median: (user + system) / 1_000 / (STILL_MS / 100) },
  ];
}

async function benchMoving(world: World): Promise<readonly Figure[]> {
  const person = await world.account();
  const ids: PhoneId[] = [];
  for (let count = 0; count < MOVING_PHONES; count += 1) ids.push(await launch(person, world.site.moving));
  const viewers = await Promise.all(ids.map((id) => watch(world, person, id)));
  await pause(SETTLE_MS);
  const before = viewers.map((one) => one.frames.length);
  const start = performance.now();
  const percent = await cpuPercent(world, MEASURE_MS);
  const seconds = (performance.now() - start) / 1_000;
  const rates = viewers.map((one, index) => (one.frames.length - (before[index] ?? 0)) / seconds);
  const ages = viewers.flatMap((one, index) =>
    one.frames.slice(before[index]).map((frame) => frame.receivedAtMs - frame.header.capturedAtMs),
  );
  for (const one of viewers) one.socket.terminate();

  const viewer = await startViewer();
  try {
    await viewer.signIn(world, person);
    const drawn = await viewer.page.evaluate(
      ([phones, settle, measure]) => window.viewer.watch(phones, settle, measure),
      [ids, SETTLE_MS, MEASURE_MS] as const,
    );
    return [
      { name: "slowest of 4", unit: "fps", median: Math.min(...rates), aim: { of: "median", atLeast: 30 } },
      { name: "middle of 4", unit: "fps", median: median(rates) },
      { name: "age at arrival, all 4", unit: "ms", ...spread(ages) },
      { name: "processor time of the 4 phones", unit: "%", median: percent },
      { name: "slowest of 4, drawn on the same cores", unit: "fps", median: Math.min(...drawn.map((one) => one.fps)) },
      { name: "age when drawn on the same cores", unit: "ms", ...spread(drawn.flatMap((one) => one.ages)) },
    ];
  } finally {
    await viewer.close();
  }
}

async function benchIdle(world: World): Promise<readonly Figure[]> {
  let person = await world.account();
  let first: number | undefined;
  for (let count = 0; count < IDLE_PHONES; count += 1) {
    if (count > 0 && count % LAUNCHES_A_PERSON === 0) person = await world.account();
    await launch(person, world.site.still);
    if (count > 0) continue;
    await atRest(world.folder, 1);
    first = await pssMB((await browserTrees(world.folder)).flat());
  }
  await atRest(world.folder, IDLE_PHONES);
  const trees = await browserTrees(world.folder);
  const all = await pssMB(trees.flat());
  return [
    { name: "20 phones", unit: "MB", median: all },
    {
      name: "a phone among 20",
      unit: "MB",
      median: all / trees.length,
      ...(first !== undefined && { beside: { name: "a phone alone", median: first } }),
    },
    { name: "processor time of 20", unit: "%", median: await cpuPercent(world, STILL_MS) },
  ];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
