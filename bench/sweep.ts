/** A retention sweep beside a process that writes, and the same rows in one statement. */
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { openSqlite } from "../server/db/sqlite.ts";
import { MIGRATIONS } from "../server/db/testing.ts";
import { createLog } from "../server/log.ts";
import { createRetention } from "../server/privacy/retention/retention.service.ts";
import { type Benchmark, type Figure, percentile } from "./benchmark.ts";

/** `SWEEP_ROWS=10000000 npm run bench -- sweep` for as many as a large server holds; it takes minutes. */
const ROWS = Number(process.env["SWEEP_ROWS"] ?? 120_000);
const DUE = 0.7;
const DAY_MS = 24 * 3_600_000;

export const sweep: Benchmark = {
  name: "sweep",
  title: "Retention sweep",
  about:
    `${ROWS.toLocaleString("en")} rows of the events table, 70 % of them past their day, in the encrypted SQLite file with every commit flushed, while another ` +
    "process writes one row a transaction without a break. Beside: the same rows in one DELETE. " +
    "`SWEEP_ROWS=10000000` does it with ten million.",
  run: benchSweep,
};

async function benchSweep(): Promise<readonly Figure[]> {
  const ours = await beside(async (file, key, now) => {
    const db = await openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") });
    const clock = { now: () => now };
    const done = ["activity"].map((name) => ({ name, batch: async () => 0 }));
    await createRetention({ db, clock, log: createLog({ clock, write() {} }), own: done }).sweep();
    await db.close();
  });
  const naive = await beside(async (file, key, now) => {
    const db = connect(file, key);
    db.prepare("delete from events where at < ?").run(now - DAY_MS);
    db.close();
  });
  const rows = ROWS * DUE;
  const other = "one DELETE";
  return [
    {
      name: "rows removed",
      unit: "1/s",
      median: rows / ours.seconds,
      beside: { name: other, median: rows / naive.seconds },
    },
    {
      name: "a write meanwhile, 99th percentile",
      unit: "ms",
      median: percentile(ours.writes, 0.99),
      beside: { name: other, median: percentile(naive.writes, 0.99) },
      aim: { of: "median", atMost: 20 },
    },
    {
      name: "the longest write meanwhile",
      unit: "ms",
      median: Math.max(...ours.writes),
      beside: { name: other, median: Math.max(...naive.writes) },
    },
  ];
}

/** A fresh database, the work on it, and what a writer felt of it. */
async function beside(
  work: (file: string, key: Buffer, now: number) => Promise<void>,
): Promise<{ seconds: number; writes: number[] }> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
  const file = join(folder, "perch.db");
  const key = randomBytes(32);
  const now = Date.now();
  try {
    await (await openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") })).close();
    fill(file, key, now);
    const writer = fork(join(import.meta.dirname, "sweep-writer.ts"), [file, key.toString("hex")]);
    await once(writer, "message");
    const start = performance.now();
    await work(file, key, now);
    const seconds = (performance.now() - start) / 1_000;
    const told = once(writer, "message");
    writer.send("stop");
    const [writes] = (await told) as [number[]];
    if (writer.exitCode === null) await once(writer, "exit");
    const left = connect(file, key);
    const { count } = left.prepare("select count(*) as count from events").get() as { count: number };
    left.close();
    if (count !== Math.round(ROWS * (1 - DUE))) throw new Error(`${count} rows are left.`);
    return { seconds, writes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function connect(file: string, key: Buffer): Sqlite.Database {
  const db = new Sqlite(file, { timeout: 60_000 });
  db.pragma(`key = "x'${key.toString("hex")}'"`);
  db.pragma("secure_delete = ON");
  db.pragma("synchronous = FULL");
  return db;
}

function fill(file: string, key: Buffer, now: number): void {
  const db = connect(file, key);
  const insert = db.prepare("insert into events (topic, seq, data, at) values (?, ?, ?, ?)");
  const data = JSON.stringify({ type: "state", phoneId: `ph_${"x".repeat(22)}`, state: "parked" });
  const due = Math.round(ROWS * DUE);
  const A_TIME = 50_000;
  for (let first = 0; first < ROWS; first += A_TIME) {
    db.transaction(() => {
      for (let n = first; n < Math.min(ROWS, first + A_TIME); n += 1) {
        // Old and young rows of one topic lie side by side, as they do where teams are busy at different times.
        const isDue = n % 10 < DUE * 10;
        const at = isDue ? now - 2 * DAY_MS - n : now - (n % 3_600_000);
        insert.run(`team_${n % 997}`, n, data, at);
      }
    })();
  }
  const { count } = db.prepare("select count(*) as count from events where at < ?").get(now - DAY_MS) as {
    count: number;
  };
  if (count !== due) throw new Error(`${count} rows are due, not ${due}.`);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
}
