/**
 * A storm: nodes over one PostgreSQL, people who do everything at once, and whatever can go wrong meanwhile. When it is
 * over the nodes come to rest, and a checker compares the database with what phones really did and clients were told.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runAdmin } from "../../../admin/commands.ts";
import { systemClock } from "../../../clock.ts";
import { parseConfig } from "../../../config.ts";
import type { LeaseTimes } from "../../lease.ts";
import { chanceOf } from "./chance.ts";
import { checkAtRest, checkLiving, type Finding } from "./checker.ts";
import { createFaults, type FaultKind } from "./faults.ts";
import { createLoad } from "./load.ts";
import { type Remembered, remember } from "./remembered.ts";
import { openWorld, type World } from "./world.ts";

export interface StormOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly ms: number;
  readonly people: number;
  readonly workers: number;
  readonly lease: LeaseTimes;
  readonly drainSeconds: number;
  /** How long it may take until everything has come to rest. */
  readonly restMs: number;
  /** Drawn by lot all the time, or exactly these, spread over the storm. */
  readonly faults: "random" | readonly FaultKind[];
  readonly say?: (line: string) => void;
  /** Where logs, journals and a dump of the database are put when something did not hold. */
  readonly keep?: string;
}
export interface StormReport {
  readonly options: StormOptions;
  readonly known: Remembered;
  readonly findings: readonly Finding[];
  readonly restedAfterMs: number;
  readonly complaints: readonly string[];
}

export async function storm(options: StormOptions): Promise<StormReport> {
  const { seed, people, workers, lease, say = () => {} } = options;
  const chance = chanceOf(seed);
  const names = ["ash", "birch", "cedar", "dogwood"].slice(0, options.nodes);
  const world = await openWorld(names, lease, options.drainSeconds);
  const known = remember();
  try {
    const [first, ...others] = world.nodes;
    await first?.run();
    await Promise.all(others.map((node) => node.run()));
    say(`${names.length} nodes serve.`);
    const load = createLoad({ world, known, chance });
    await Promise.all(Array.from({ length: people }, () => load.makePerson()));
    const faults = createFaults({ world, known, chance: chanceOf(seed + 1), lease, unsteady: world.nodes.at(2) });

    let causes = 1;
    const until = Date.now() + options.ms;
    const working = Array.from({ length: workers }, async () => {
      while (Date.now() < until || causes > 0) {
        await load.act().catch((error: Error) => known.count("the storm itself", error.message.slice(0, 120)));
        await sleep(chance.between(5, 60));
      }
    });
    const causing = (options.faults === "random" ? drawn() : listed(options.faults)).finally(() => {
      causes = 0;
    });
    const leaving = erasing();
    async function drawn(): Promise<void> {
      const one = async () => {
        while (Date.now() < until) {
          await sleep(chance.between(500, 5_000));
          if (Date.now() < until) await faults.cause();
        }
      };
      await Promise.all([one(), one()]);
    }
    async function listed(kinds: readonly FaultKind[]): Promise<void> {
      const apart = options.ms / (kinds.length + 1);
      await Promise.all(
        kinds.map(async (kind, n) => {
          await sleep(apart * (n + 0.5));
          await faults.cause(kind, world.nodes[n % world.nodes.length]);
        }),
      );
    }
    /** Accounts are erased in the middle of it all, and others come. */
    async function erasing(): Promise<void> {
      const apart = Math.max(1_500, Math.min(20_000, options.ms / 4));
      while (Date.now() + apart < until) {
        await sleep(apart);
        await eraseOne(world, known, chance.below(1_000));
        await load.makePerson();
      }
    }
    await Promise.all([...working, causing, leaving]);
    say(`The storm is over: ${known.faults.length} faults.`);

    const from = Date.now();
    await rest(world, known, load, from + options.restMs);
    const restedAfterMs = Date.now() - from;
    say(`At rest after ${restedAfterMs} ms.`);
    const living = await checkLiving(world, known);
    await Promise.all(world.nodes.map((node) => node.stop()));
    const findings = [...living, ...(await checkAtRest(world, known, lease))];
    if (options.keep !== undefined && findings.some(({ wrong }) => wrong.length > 0)) keepFiles(world, options.keep);
    return { options, known, findings, restedAfterMs, complaints: world.nodes.flatMap((node) => node.complaints) };
  } finally {
    await world.dispose();
  }
}

function keepFiles(world: World, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(world.folder))
    if (/\.(log|journal)$/.test(name)) copyFileSync(join(world.folder, name), join(folder, name));
  execFileSync("pg_dump", [`--file=${join(folder, "dump.sql")}`, world.databaseUrl]);
}

async function eraseOne(world: World, known: Remembered, pick: number): Promise<void> {
  const there = known.people.filter(({ erased, teamId }) => !erased && teamId !== undefined);
  const person = there[pick % Math.max(1, there.length)];
  if (person === undefined || there.length < 2) return;
  person.erased = true;
  const lines: string[] = [];
  const outcome = await runAdmin(["user", "erase", "--email", person.email, "--now", "--reason", "They asked."], {
    ...{ config: () => parseConfig(world.operator), clock: systemClock, readStdin: async () => "" },
    out: (line) => lines.push(line),
    error: (line) => lines.push(line),
  }).catch((error: Error) => error);
  known.count("erase", outcome === 0 ? "done" : "failed");
  if (outcome !== 0) person.erased = false;
}

/** Until nothing is under way any more, or the time is up: what is not at rest then is what the checker finds. */
async function rest(
  world: World,
  known: Remembered,
  load: ReturnType<typeof createLoad>,
  deadline: number,
): Promise<void> {
  for (const node of world.nodes) {
    node.proxy.become("passing");
    await node.run();
    await node.setClock(0).catch(() => {});
  }
  for (const person of known.people.filter(({ erased }) => !erased)) {
    for (let tries = 0; tries < 5 && (await load.signIn(person)).is !== "done"; tries += 1) await sleep(300);
  }
  const open = () => known.keyed.filter(({ last, by }) => last === "unknown" && !by.erased);
  while (open().length > 0 && Date.now() < deadline) {
    for (const call of open()) await load.askAgain(call);
    await sleep(200);
  }
  while (Date.now() < deadline && (await busy(world)) > 0) await sleep(300);
}

/** Whatever is still to be done by somebody. */
async function busy(world: World): Promise<number> {
  const [row] = await world.query<{ n: string }>(`select
    (select count(*) from perch.jobs where state = 'running' or (state = 'ready' and run_at < now()))
    + (select count(*) from perch.erasures where state in ('grace', 'purging'))
    + (select count(*) from perch.data_exports where state in ('waiting', 'running'))
    + (select count(*) from perch.runs r where state in ('leased', 'running')
        or (state = 'queued' and exists (select 1 from perch.phones p where p.id = r.phone_id and p.state = 'running')))
    + (select count(*) from perch.phones where state in ('creating', 'starting', 'parking')) as n`);
  return Number(row?.n ?? 0);
}
