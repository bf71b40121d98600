/** Connections that rest, and screens that move, at one node. */
import { type Figure, median, percentile } from "./benchmark.ts";
import type { LoadPerson } from "./load-node.ts";
import type { Pictures } from "./load-screens.ts";
import { type Generator, type LoadWorld, withRunningPhones } from "./load-world.ts";
import { cpuMs } from "./processes.ts";

const HELD = [100, 1_000, 3_000] as const;
const PEOPLE = 75;
const PHONES_EACH = 2;
const VIEWERS_OF_A_PHONE = 20;
const VIEWERS = [25, 50, 100, 200] as const;
const PICTURES: Pictures = { everyMs: 33, bytes: 38_000 };
const REST_MS = 2_000;
const IDLE_MS = 8_000;
const WATCH_MS = 4_000;

interface Holder {
  readonly pid: number;
  readonly port: number;
  memoryMB(): Promise<number>;
  pictures(of: Pictures | undefined): Promise<void>;
}

export async function heldFigures(world: LoadWorld): Promise<readonly Figure[]> {
  const node = await world.node("held");
  const bare = await world.bare();
  const generator = world.generator();
  const people = await withRunningPhones(node.port, await node.people(PEOPLE, 0), PHONES_EACH);
  const figures: Figure[] = [];
  for (const kind of ["streams", "screens"] as const) {
    const words = kind === "streams" ? "event streams" : "screens at rest";
    const ours = await holdMore(generator, kind, node, people);
    const beside = await holdMore(generator, kind, bare, undefined);
    const name = kind === "streams" ? "bare Hono" : "bare ws";
    for (const [index, count] of HELD.entries()) {
      const [one, other] = [ours.steps[index], beside.steps[index]];
      if (one === undefined || other === undefined) continue;
      const label = `${count.toLocaleString("en")} ${words}`;
      figures.push(
        {
          ...{ name: `${label}: memory of the node`, unit: "MB", median: one.memoryMB },
          beside: { name, median: other.memoryMB },
        },
        {
          ...{ name: `${label}: memory of each`, unit: "kB", median: one.eachKB },
          beside: { name, median: other.eachKB },
        },
      );
    }
    const label = `${(HELD.at(-1) ?? 0).toLocaleString("en")} ${words}: processor time`;
    figures.push({
      ...{ name: label, unit: "%", median: ours.idlePercent },
      beside: { name, median: beside.idlePercent },
    });
  }
  for (const count of VIEWERS) figures.push(...(await watched(generator, node, bare, people, count)));
  return figures;
}

/** Opens 100, 1,000 and 3,000 and looks at the memory after each, then at the processor time while nothing happens. */
async function holdMore(
  generator: Generator,
  kind: "streams" | "screens",
  holder: Holder,
  people: readonly LoadPerson[] | undefined,
) {
  const before = await holder.memoryMB();
  const steps: { memoryMB: number; eachKB: number }[] = [];
  let held = 0;
  for (const count of HELD) {
    const more = { kind, port: holder.port, count: count - held, viewersOfAPhone: VIEWERS_OF_A_PHONE };
    held = await generator.hold({ ...more, ...(people && { people }) });
    await pause(REST_MS);
    const memoryMB = await holder.memoryMB();
    steps.push({ memoryMB, eachKB: ((memoryMB - before) * 1024) / count });
  }
  const idlePercent = await percentOf(holder.pid, IDLE_MS);
  const open = await generator.held();
  if (open !== held) throw new Error(`Of ${held} ${kind} ${open} are open.`);
  await generator.release();
  await pause(REST_MS);
  return { steps, idlePercent };
}

/** So many viewers of phones that move all over. */
async function watched(
  generator: Generator,
  node: Holder,
  bare: Holder,
  people: readonly LoadPerson[],
  count: number,
): Promise<readonly Figure[]> {
  const look = async (holder: Holder, theirs: readonly LoadPerson[] | undefined) => {
    await generator.hold({
      kind: "screens",
      port: holder.port,
      count,
      viewersOfAPhone: 1,
      ...(theirs && { people: theirs }),
    });
    await holder.pictures(PICTURES);
    await pause(REST_MS);
    const percent = percentOf(holder.pid, WATCH_MS);
    const seen = await generator.watch(WATCH_MS);
    const taken = { ...seen, percent: await percent };
    await holder.pictures(undefined);
    await generator.release();
    await pause(REST_MS / 2);
    return taken;
  };
  const ours = await look(node, people);
  const beside = await look(bare, undefined);
  const name = `${count} viewers of moving phones`;
  const besideOf = (value: number) => ({ beside: { name: "bare ws", median: value } });
  return [
    {
      ...{ name: `${name}: pictures to each`, unit: "fps", median: median(ours.rates) },
      ...besideOf(median(beside.rates)),
    },
    {
      ...{ name: `${name}: age at arrival`, unit: "ms", median: median(ours.ages), p95: percentile(ours.ages, 0.95) },
      ...{ p99: percentile(ours.ages, 0.99), ...besideOf(median(beside.ages)) },
    },
    { ...{ name: `${name}: processor time`, unit: "%", median: ours.percent }, ...besideOf(beside.percent) },
  ];
}

/** Processor time of a process while `ms` pass, in percent of one core. */
async function percentOf(pid: number, ms: number): Promise<number> {
  const [before, started] = [await cpuMs([pid]), performance.now()];
  await pause(ms);
  return (100 * ((await cpuMs([pid])) - before)) / (performance.now() - started);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
