/** From the click to the first frame of the phone, drawn. */
import { type Benchmark, type Figure, spread } from "./benchmark.ts";
import { atRest } from "./processes.ts";
import { startViewer, type Viewer } from "./viewer.ts";
import type { FirstFrame } from "./viewer-page.ts";
import { freshKey, startWorld, type World } from "./world.ts";

const TIMES = 12;
/** A person may launch ten phones at once, then one every six seconds; someone else launches the next. */
const LAUNCHES_A_PERSON = 8;

export const firstFrame: Benchmark = {
  name: "first-frame",
  title: "Click → first frame",
  about:
    "An extension page in a real Chromium does what a click in the popup starts: `phones.launch`, `screen.ticket`, " +
    `socket, first frame decoded and drawn. ${TIMES} times each. Cold: a new phone on a server that keeps no spare ` +
    "browser. Warm: with the spare there is by default. Resume: a parked phone with its profile. “Page” is the first " +
    "frame that shows the page asked for (from a site on loopback). The unpacking of the browser, once in the life of an " +
    "installation, is not counted.",
  run: benchFirstFrame,
};

async function benchFirstFrame(): Promise<readonly Figure[]> {
  const viewer = await startViewer();
  try {
    const cold = await withWorld("0", (world) => launches(world, viewer, 0));
    const warm = await withWorld("1", (world) => launches(world, viewer, 1));
    const resumed = await withWorld("1", (world) => resumes(world, viewer));
    return [
      ...figures("cold", cold, 2_000),
      ...figures("warm", warm, 600),
      ...figures("resume of a parked phone", resumed),
    ];
  } finally {
    await viewer.close();
  }
}

function figures(name: string, taken: readonly FirstFrame[], atMost?: number): Figure[] {
  return [
    {
      name: `${name}, first frame`,
      unit: "ms",
      ...spread(taken.map((one) => one.firstMs)),
      ...(atMost !== undefined && { aim: { of: "median", atMost } }),
    },
    { name: `${name}, page`, unit: "ms", ...spread(taken.map((one) => one.pageMs)) },
  ];
}

async function withWorld<T>(spares: "0" | "1", work: (world: World) => Promise<T>): Promise<T> {
  const world = await startWorld({ env: { WARM_PHONES: spares } });
  try {
    // The first phone of all unpacks the browser, which happens once in the life of an installation.
    const { api } = await world.account();
    const { id } = await api.phones.launch.mutate({ url: world.site.still, idempotencyKey: freshKey() });
    await api.phones.remove.mutate({ phoneId: id, idempotencyKey: freshKey() });
    return await work(world);
  } finally {
    await world.close();
  }
}

async function launches(world: World, viewer: Viewer, spares: number): Promise<FirstFrame[]> {
  const taken: FirstFrame[] = [];
  let person = await world.account();
  for (let count = 0; count < TIMES; count += 1) {
    if (count % LAUNCHES_A_PERSON === 0) person = await world.account();
    await viewer.signIn(world, person);
    await atRest(world.folder, spares);
    const one = await viewer.page.evaluate(([url, key]) => window.viewer.launch(url, key), [
      world.site.still,
      freshKey(),
    ] as const);
    taken.push(one);
    await person.api.phones.remove.mutate({ phoneId: one.phoneId, idempotencyKey: freshKey() });
  }
  return taken;
}

async function resumes(world: World, viewer: Viewer): Promise<FirstFrame[]> {
  const person = await world.account();
  await viewer.signIn(world, person);
  const { id: phoneId } = await person.api.phones.launch.mutate({ url: world.site.still, idempotencyKey: freshKey() });
  const taken: FirstFrame[] = [];
  for (let count = 0; count < TIMES; count += 1) {
    await person.api.phones.park.mutate({ phoneId });
    await atRest(world.folder, 1);
    taken.push(await viewer.page.evaluate((id) => window.viewer.resume(id), phoneId));
  }
  return taken;
}
