/** A retention sweep beside people who write, and the same rows in one statement. */
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { Database } from "../server/db/database.ts";
import {
  deleteAtOnce,
  type Neglected,
  openNeglected,
  openRaw,
  seedNeglected,
  sweepNeglected,
  writeAlong,
  writeThrough,
} from "../server/privacy/retention/neglected.fixture.ts";
import { type Benchmark, type Figure, percentile } from "./benchmark.ts";

const ROWS = 300_000;
const TOPICS = 100;
const ALONE_MS = 3_000;

export const sweep: Benchmark = {
  name: "sweep",
  title: "Retention sweep",
  about:
    `${ROWS.toLocaleString("en")} events of ${TOPICS} teams, 70 % of them past their day, in the encrypted SQLite file with every commit flushed. A write is ` +
    "due every 20 ms, in the same process through the server's queue, and counts from the moment it was due; then the same from another process, as admin " +
    "commands write. Beside: the same rows in one `DELETE`. A write alone tells what the disk takes without any sweep. " +
    "`npm run prove -- sweep` does it with ten million rows.",
  run: benchSweep,
};

interface Taken {
  readonly seconds: number;
  readonly writes: readonly number[];
}

async function benchSweep(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
  const seeded: Neglected = {
    ...{ file: join(folder, "seeded.db"), key: randomBytes(32) },
    ...{ rows: ROWS, topics: TOPICS, now: Date.now() },
  };
  let copies = 0;
  /** Each of them with a copy of its own of the same rows. */
  const on = async (take: (world: Neglected) => Promise<Taken>): Promise<Taken> => {
    copies += 1;
    const world = { ...seeded, file: join(folder, `${copies}.db`) };
    await copyFile(seeded.file, world.file);
    return take(world);
  };
  try {
    const due = await seedNeglected(seeded);
    const alone = await on((world) => sameProcess(world, () => new Promise((done) => setTimeout(done, ALONE_MS)), 0));
    const ours = await on((world) => sameProcess(world, (db) => sweepNeglected(db, world.now), due));
    const naive = await on((world) => sameProcess(world, async (_, raw) => deleteAtOnce(raw, world.now), due));
    const apart = await on((world) => otherProcess(world, (db) => sweepNeglected(db, world.now), due));
    const naiveApart = await on((world) => otherProcess(world, async (_, raw) => deleteAtOnce(raw, world.now), due));
    const other = "one DELETE";
    const write = (name: string, of: Taken, beside: Taken | undefined, part: number): Figure => ({
      ...{ name, unit: "ms", median: percentile(of.writes, part) },
      ...(beside && { beside: { name: other, median: percentile(beside.writes, part) } }),
    });
    return [
      {
        ...{ name: "rows removed", unit: "1/s", median: due / ours.seconds },
        beside: { name: other, median: due / naive.seconds },
      },
      write("a write alone, 99th percentile", alone, undefined, 0.99),
      write("a write meanwhile", ours, naive, 0.5),
      { ...write("a write meanwhile, 99th percentile", ours, naive, 0.99), aim: { of: "median", atMost: 20 } },
      write("the longest write meanwhile", ours, naive, 1),
      write("a write of another process, 99th percentile", apart, naiveApart, 0.99),
      write("the longest write of another process", apart, naiveApart, 1),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Work = (db: Database, raw: Sqlite.Database) => Promise<unknown>;

async function sameProcess(world: Neglected, work: Work, due: number): Promise<Taken> {
  return during(world, due, work, async (db) => writeAlong(writeThrough(db)));
}

async function otherProcess(world: Neglected, work: Work, due: number): Promise<Taken> {
  return during(world, due, work, async () => {
    const writer = fork(join(import.meta.dirname, "sweep-writer.ts"), [world.file, world.key.toString("hex")]);
    await once(writer, "message");
    return {
      async stop() {
        const told = once(writer, "message");
        writer.send("stop");
        const [writes] = (await told) as [number[]];
        if (writer.exitCode === null) await once(writer, "exit");
        return writes;
      },
    };
  });
}

async function during(
  world: Neglected,
  due: number,
  work: Work,
  write: (db: Database) => Promise<ReturnType<typeof writeAlong>>,
): Promise<Taken> {
  const db = await openNeglected(world);
  const raw = openRaw(world);
  try {
    const writer = await write(db);
    const start = performance.now();
    await work(db, raw);
    const seconds = (performance.now() - start) / 1_000;
    const writes = await writer.stop();
    const left = await db.read.$count(db.t.events);
    if (left !== world.rows - due) throw new Error(`${left} rows are left.`);
    return { seconds, writes };
  } finally {
    raw.close();
    await db.close();
  }
}
