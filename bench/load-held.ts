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
const VIEWERS = [25, 50, 100] as const;
const PICTURES: Pictures = { everyMs: 33, bytes: 38_000 };
const REST_MS = 1_000;
const IDLE_MS = 5_000;
const WATCH_MS = 3_000;

interface Holder {
  readonly pid: number;
  readonly port: number;
  memoryMB(): Promise<number>;
  pictures(of: Pictures | undefined): Promise<void>;
}

export async function heldFigures(world: LoadWorld): Promise<readonly Figure[]> {
  const streams = await heldOf(world, "streams");
  await world.endAll();
  const screens = await heldOf(world, "screens");
  const figures = [...streams.figures, ...screens.figures];
  for (const count of VIEWERS) figures.push(...(await watched(screens, count)));
  await world.endAll();
  return figures;
}

/** In processes of its own: what one sort leaves in the memory would be another's. */
async function heldOf(world: LoadWorld, kind: "streams" | "screens") {
  console.log(`  ${kind} held`);
  const node = await world.node(`held-${kind}`);
  const bare = await world.bare();
  const generator = world.generator();
  const made = await node.people(PEOPLE, 0);
  const people = kind === "streams" ? made : await withRunningPhones(node.port, made, PHONES_EACH);
  const words = kind === "streams" ? "event streams" : "screens at rest";
  const name = kind === "streams" ? "bare Hono" : "bare ws";
  const ours = await holdMore(generator, kind, node, people);
  const beside = await holdMore(generator, kind, bare, undefined);
  const figures = HELD.map((count, index): Figure => {
    const label = `${count.toLocaleString("en")} ${words}: memory of the node`;
    const other = { name, median: beside.memoryMB[index] ?? Number.NaN };
    return { name: label, unit: "MB", median: ours.memoryMB[index] ?? Number.NaN, beside: other };
  });
  const last = (HELD.at(-1) ?? 0).toLocaleString("en");
  figures.push(
    {
      ...{ name: `${words}, each`, unit: "kB", median: eachKB(ours.memoryMB) },
      beside: { name, median: eachKB(beside.memoryMB) },
    },
    {
      ...{ name: `${last} ${words}: processor time`, unit: "%", median: ours.idlePercent },
      beside: { name, median: beside.idlePercent },
    },
  );
  return { figures, node, bare, generator, people };
}

/** By the last two: what the making of people and the first connections leave behind is before those. */
function eachKB(memoryMB: readonly number[]): number {
  const [fewer, more] = [HELD.length - 2, HELD.length - 1];
  const bytes = ((memoryMB[more] ?? Number.NaN) - (memoryMB[fewer] ?? Number.NaN)) * 1_024;
  return bytes / ((HELD[more] ?? 0) - (HELD[fewer] ?? 0));
}

/** Opens 100, 1,000 and 3,000 and looks at the memory after each, then at the processor time while nothing happens. */
async function holdMore(
  generator: Generator,
  kind: "streams" | "screens",
  holder: Holder,
  people: readonly LoadPerson[] | undefined,
) {
  const memoryMB: number[] = [];
  let held = 0;
  for (const count of HELD) {
    const more = { kind, port: holder.port, count: count - held, viewersOfAPhone: VIEWERS_OF_A_PHONE };
    held = await generator.hold({ ...more, ...(people && { people }) });
    await pause(REST_MS);
    memoryMB.push(await holder.memoryMB());
  }
  const idlePercent = await percentOf(holder.pid, IDLE_MS);
  const open = await generator.held();
  if (open !== held) throw new Error(`Of ${held} ${kind} ${open} are open.`);
  await generator.release();
  await pause(REST_MS);
  return { memoryMB, idlePercent };
}

interface Watching {
  readonly node: Holder;
  readonly bare: Holder;
  readonly generator: Generator;
  readonly people: readonly LoadPerson[];
}

/** So many viewers of phones that move all over. */
async function watched({ node, bare, generator, people }: Watching, count: number): Promise<readonly Figure[]> {
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
