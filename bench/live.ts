/** How fast a touch becomes a picture, and how old and how many the pictures of a moving page are. */
import type { PhoneId } from "../shared/ids.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";
import { startViewer } from "./viewer.ts";
import { launch, startWorld, type World } from "./world.ts";

const TOUCHES = 60;
const SETTLE_MS = 3_000;
const MEASURE_MS = 10_000;
const POLL_MS = 4_000;

export const live: Benchmark = {
  name: "live",
  title: "Live picture",
  about:
    "The viewer is an extension page in a real Chromium on the same machine, with the panel's own connection and " +
    `picture. Touch: message up the socket → first drawn frame of the other colour, ${TOUCHES} touches at random ` +
    "moments; beside it the driver alone, from the touch to the changed JPEG in the server. Moving page: repaints the " +
    "whole 360×800 in every animation frame and writes the time into its pixels; the viewer reads it out of what it " +
    "drew. Beside the rate: the same page by screenshots, one after the other.",
  run: benchLive,
};

async function benchLive(): Promise<readonly Figure[]> {
  const world = await startWorld();
  const viewer = await startViewer();
  try {
    const person = await world.account();
    await viewer.signIn(world, person);
    const touched = await launch(person, world.site.touch);
    const touches = await viewer.page.evaluate(([id, times]) => window.viewer.touch(id, times), [
      touched,
      TOUCHES,
    ] as const);
    const inDriver = await touchesInDriver(world, touched);
    await person.api.phones.park.mutate({ phoneId: touched });

    const moving = await launch(person, world.site.moving);
    const [watched] = await viewer.page.evaluate(
      ([id, settle, measure]) => window.viewer.watch([id], settle, measure),
      [moving, SETTLE_MS, MEASURE_MS] as const,
    );
    if (watched === undefined) throw new Error("The viewer watched nothing.");
    if (watched.unreadable > 0) console.log(`  ${watched.unreadable} frames without a readable time are left out`);
    return [
      {
        name: "touch → pixel",
        unit: "ms",
        ...spread(touches),
        beside: { name: "driver alone", median: median(inDriver) },
        aim: { of: "median", atMost: 35 },
      },
      {
        name: "moving page, rate",
        unit: "fps",
        median: watched.fps,
        beside: { name: "screenshots", median: await screenshotRate(world, moving) },
        // A frame or two may fall between the edges of the ten seconds.
        aim: { of: "median", atLeast: 59 },
      },
      { name: "moving page, age", unit: "ms", ...spread(watched.ages), aim: { of: "median", atMost: 35 } },
    ];
  } finally {
    await viewer.close();
    await world.close();
  }
}

async function touchesInDriver(world: World, id: PhoneId): Promise<number[]> {
  const driver = world.server.drivers.need("web");
  const taken: number[] = [];
  let onFrame = () => {};
  const stop = driver.screen(id).listen(() => onFrame());
  for (let count = 0; count < TOUCHES / 2; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 100));
    const start = performance.now();
    const changed = new Promise<void>((resolve) => {
      onFrame = resolve;
    });
    await driver.input(id, { type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5 });
    await changed;
    taken.push(performance.now() - start);
    await driver.input(id, { type: "touch", phase: "end", id: 0, x: 0.5, y: 0.5 });
  }
  stop();
  return taken;
}

async function screenshotRate(world: World, id: PhoneId): Promise<number> {
  const driver = world.server.drivers.need("web");
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < POLL_MS; count += 1) await driver.screenshot(id);
  return count / ((performance.now() - start) / 1_000);
}
