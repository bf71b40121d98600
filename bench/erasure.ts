/** How long an account takes to be gone, with every look that nothing is left, beside deletes that trust cascades. */
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { openSqlite } from "../server/db/sqlite.ts";
import { MIGRATIONS } from "../server/db/testing.ts";
import { erasureBench } from "../server/privacy/erasure/testing.ts";
import { dataMap } from "../server/privacy/map/data-map.ts";
import { canaryPerson, plant } from "../server/privacy/testing/plant.repo.ts";
import { type Benchmark, type Figure, spread } from "./benchmark.ts";

const ORDINARY = 12;
const MANY = 1_000_000;

export const erasure: Benchmark = {
  name: "erasure",
  title: "Deleting an account",
  about:
    `From the end of grace to the signed certificate, embedded SQLite, encrypted, every commit flushed to disk. Ordinary: ${ORDINARY} people ` +
    `with rows in every table of the data map. Large: one with ${MANY.toLocaleString("en")} rows besides (events of a run), in transactions of 500. All ` +
    "of it: counts, phones, rows, log written back and emptied, a search of every file and page. Beside it what a careless " +
    "service does: one `DELETE` a table that leads to the person, cascades do the rest, nothing is looked for.",
  run: benchErasure,
};

async function benchErasure(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "perch-bench-"));
  try {
    const ordinary = await timesOf(join(folder, "ordinary"), ORDINARY, 0);
    const large = await timesOf(join(folder, "large"), 1, MANY);
    return [
      {
        ...{ name: "an ordinary account", unit: "ms" },
        ...spread(ordinary.ours),
        beside: { name: "deletes that trust cascades", median: spread(ordinary.naive).median },
        aim: { of: "p95", atMost: 5_000 },
      },
      {
        ...{ name: `an account with ${MANY.toLocaleString("en")} rows`, unit: "ms" },
        median: spread(large.ours).median,
        beside: { name: "deletes that trust cascades", median: spread(large.naive).median },
        aim: { of: "median", atMost: 600_000 },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Milliseconds for each of so many people; `rows`: events each of them has besides. */
async function timesOf(folder: string, people: number, rows: number): Promise<{ ours: number[]; naive: number[] }> {
  mkdirSync(join(folder, "data"), { recursive: true });
  const [key, master] = [randomBytes(32), randomBytes(32)];
  const file = join(folder, "data/perch.db");
  const db = await openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") });
  db.keys.unlock(master);
  const who = Array.from({ length: people }, canaryPerson);
  const world = erasureBench(db, { folder, master });
  const ids = [];
  for (const person of who) {
    await plant(db, dataMap(db.t), person, { at: new Date(), without: ["auditLog", "auditHeads"] });
    ids.push((await world.erasures.enter(person.userId, { now: true, reason: "A benchmark." })).id);
  }
  // The next event of each team follows the planted one.
  await db.tx((tx) => tx.update(db.t.topics).set({ seq: 10_000 }));
  const raw = openRaw(file, key);
  if (rows > 0) {
    raw.exec(`with recursive n(i) as (select 10000 union all select i + 1 from n where i < ${rows + 9999})
      insert into run_events (run_id, seq, data, at)
      select (select id from runs limit 1), i, '{"type":"log","text":"' || hex(randomblob(20)) || '"}', 1 from n`);
  }
  raw.pragma("wal_checkpoint(TRUNCATE)");
  raw.close();
  cpSync(file, join(folder, "naive.db"));

  const ours: number[] = [];
  for (const id of ids) {
    const start = performance.now();
    await world.purge(id);
    ours.push(performance.now() - start);
  }
  await db.close();

  const careless = openRaw(join(folder, "naive.db"), key);
  const naive = who.map(({ userId, teamId }) => {
    const start = performance.now();
    careless.prepare("delete from teams where id = ?").run(teamId);
    careless.prepare("delete from mail_outbox where user_id = ?").run(userId);
    careless.prepare("delete from users where id = ?").run(userId);
    return performance.now() - start;
  });
  careless.close();
  return { ours, naive };
}

function openRaw(file: string, key: Buffer): Sqlite.Database {
  const raw = new Sqlite(file);
  raw.pragma(`key = "x'${key.toString("hex")}'"`);
  raw.pragma("foreign_keys = ON");
  raw.pragma("secure_delete = ON");
  raw.pragma("journal_mode = WAL");
  raw.pragma("synchronous = FULL");
  return raw;
}
