/** What a copy of everything about a person costs: a million rows as an encrypted archive, beside the naive way. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import Sqlite from "better-sqlite3";
import { bundleServer } from "../scripts/server-bundle.ts";
import { addUser } from "../server/accounts/testing/people.ts";
import { openSqlite } from "../server/db/sqlite.ts";
import { newId, type UserId } from "../shared/ids.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import type { ExportTaken } from "./export-process.ts";

const ROWS = 1_000_000;
const RUNS = 2_000;
const MIGRATIONS_FOLDER = join(import.meta.dirname, "../migrations");

export const dataExport: Benchmark = {
  name: "export",
  title: "Export of a person's data",
  about:
    "A copy of everything about a person with 2,000 runs and 1,000,000 of their events, among as many rows of somebody " +
    "else, from the encrypted database into the encrypted archive: every row as a line of JSON and as a line of CSV, with " +
    "hashes. In a process of its own, bundled as servers run; lag is the longest time its event loop did nothing else. Beside it the naive way: " +
    "all rows read at once, JSON only, one buffer, packed and written unencrypted.",
  run: benchExport,
};

async function benchExport(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-export-"));
  const key = randomBytes(32);
  const userId = newId("user");
  // As servers run: the sources take more memory to load than the export to make.
  const bundles = join(import.meta.dirname, "../.export-bench");
  const bundled = join(bundles, "export.js");
  try {
    await bundleServer(bundles, { export: join(import.meta.dirname, "export-process.ts") });
    const file = join(folder, "perch.db");
    const other = newId("user");
    const db = await openSqlite({ file, key, migrationsFolder: join(MIGRATIONS_FOLDER, "sqlite") });
    db.keys.unlock(key);
    await db.tx(async (tx) => {
      await addUser(db, tx, { id: userId, email: "bench@x.example", createdAt: new Date() });
      await addUser(db, tx, { id: other, email: "other@x.example", createdAt: new Date() });
    });
    await db.close();
    seed(file, key, [userId, other]);
    const ours = await exportBy("ours");
    const naive = await exportBy("naive");
    if (ours.rows < ROWS || naive.rows !== ROWS) throw new Error("An export lost rows.");
    return [
      {
        name: "1,000,000 rows",
        unit: "ms",
        median: ours.ms,
        beside: { name: "naive", median: naive.ms },
        aim: { of: "median", atMost: 10_000 },
      },
      { name: "rows", unit: "1/s", median: ours.rows / (ours.ms / 1_000) },
      {
        name: "peak memory",
        unit: "MB",
        median: ours.peakMb,
        beside: { name: "naive", median: naive.peakMb },
        aim: { of: "median", atMost: 200 },
      },
      {
        name: "memory it adds at its peak",
        unit: "MB",
        median: ours.peakMb - ours.startMb,
        beside: { name: "naive", median: naive.peakMb - naive.startMb },
      },
      {
        name: "longest event-loop lag",
        unit: "ms",
        median: ours.lagMs,
        beside: { name: "naive", median: naive.lagMs },
        aim: { of: "median", atMost: 50 },
      },
      { name: "archive", unit: "MB", median: ours.bytes / 1e6 },
    ];
  } finally {
    for (const path of [folder, bundles]) await rm(path, { recursive: true, force: true });
  }

  async function exportBy(way: "ours" | "naive"): Promise<ExportTaken> {
    const given = [bundled, folder, key.toString("hex"), userId, way, MIGRATIONS_FOLDER];
    const { stdout } = await promisify(execFile)(process.execPath, given);
    return JSON.parse(stdout) as ExportTaken;
  }
}

/** Two people with as much each, so that what is not theirs has to be passed over. */
function seed(file: string, key: Buffer, owners: readonly UserId[]): void {
  const db = new Sqlite(file);
  db.pragma(`key = "x'${key.toString("hex")}'"`);
  db.pragma("synchronous = OFF");
  const add = (owner: UserId) => {
    const team = newId("team");
    db.prepare("insert into teams (id, name, created_at) values (?, 'Team', 0)").run(team);
    db.prepare(
      `with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ${RUNS})
       insert into runs (id, team_id, created_by, name, source, own_files, inputs, phone_id, state, trigger, idempotency_key,
         request_hash, turn, pooled, moves, fence, starts, event_seq, created_at)
       select 'run_' || lower(hex(randomblob(11))), ?, ?, 'Run', 'appId: a', 0, '{}', 'ph', 'passed', 'person',
         hex(randomblob(8)), 'h', i, 0, 0, 0, 1, 0, i from n`,
    ).run(team, owner);
    db.prepare(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS / RUNS})
       insert into run_events (run_id, seq, data, at)
       select runs.id, n.i, '{"type":"step","step":' || n.i || ',"label":"Tap ' || hex(randomblob(12)) || '","state":"passed"}', n.i
       from runs, n where runs.created_by = ? order by runs.id, n.i`,
    ).run(owner);
  };
  db.transaction(() => {
    for (const owner of owners) add(owner);
  })();
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
}
