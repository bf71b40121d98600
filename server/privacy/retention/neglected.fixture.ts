/** A large events table whose sweep is long due, and somebody who writes meanwhile; for the benchmark and the proof. */
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { Database } from "../../db/database.ts";
import { openSqlite } from "../../db/sqlite.ts";
import { MIGRATIONS } from "../../db/testing.ts";
import { createLog } from "../../log.ts";
import { createRetention } from "./retention.service.ts";

const DAY_MS = 24 * 3_600_000;
/** A write every so often, whatever became of the ones before. */
const WRITE_EVERY_MS = 20;

export interface Neglected {
  readonly file: string;
  readonly key: Buffer;
  readonly rows: number;
  /** Teams whose events lie between each other. */
  readonly topics: number;
  readonly now: number;
}

export const openNeglected = ({ file, key }: Neglected): Promise<Database> =>
  openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") });

export function openRaw({ file, key }: Neglected): Sqlite.Database {
  const db = new Sqlite(file, { timeout: 60_000 });
  db.pragma(`key = "x'${key.toString("hex")}'"`);
  db.pragma("secure_delete = ON");
  db.pragma("synchronous = FULL");
  return db;
}

/** Rows in the order of their time, the older 70 % past their day. Tells how many those are. */
export async function seedNeglected(world: Neglected): Promise<number> {
  await (await openNeglected(world)).close();
  const { rows, topics, now } = world;
  const due = Math.round(rows * 0.7);
  const db = openRaw(world);
  db.pragma("synchronous = OFF");
  db.pragma("cache_size = -256000");
  const insert = db.prepare(
    `with recursive n(i) as (select ? union all select i + 1 from n where i + 1 < ?)
     insert into events (topic, seq, data, at)
     select 'team_' || (i * 7919 % ${topics}), i, '{"type":"state","phoneId":"ph_' || printf('%022d', i) || '","state":"parked","shown":"' || hex(randomblob(20)) || '"}',
       case when i < ${due} then ${now - 2 * DAY_MS - due} + i else ${now - rows} + i end from n`,
  );
  const A_TIME = 500_000;
  for (let from = 0; from < rows; from += A_TIME) insert.run(from, Math.min(rows, from + A_TIME));
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  return due;
}

/** Everything that is due, as the server does it every hour. */
export async function sweepNeglected(db: Database, now: number): Promise<number> {
  const clock = { now: () => now };
  const own = [{ name: "activity", batch: async () => 0 }];
  return createRetention({ db, clock, log: createLog({ clock, write() {} }), own }).sweep();
}

/** All of it in one statement, as one would write it first. */
export function deleteAtOnce(raw: Sqlite.Database, now: number): number {
  return raw.prepare("delete from events where at < ?").run(now - DAY_MS).changes;
}

/** Writes at fixed times until it is told to stop; each took from its time until it was done, a wait for its turn included. */
export function writeAlong(write: (n: number) => Promise<unknown>): { stop(): Promise<readonly number[]> } {
  const taken: number[] = [];
  const waiting: Promise<unknown>[] = [];
  let going = true;
  const done = (async () => {
    let time = performance.now();
    for (let n = 0; going; n += 1) {
      time += WRITE_EVERY_MS;
      const early = time - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      const planned = time;
      waiting.push(write(n).then(() => taken.push(performance.now() - planned)));
    }
    await Promise.all(waiting);
  })();
  return {
    async stop() {
      going = false;
      await done;
      return taken;
    },
  };
}

/** A write as the server makes them, in its own queue. */
export const writeThrough = (db: Database) => (n: number) =>
  db.tx((tx) =>
    tx
      .insert(db.t.rateLimits)
      .values({ key: `writer ${n % 1_000}`, theoreticalArrivalAt: Number.MAX_SAFE_INTEGER })
      .onConflictDoUpdate({ target: db.t.rateLimits.key, set: { theoreticalArrivalAt: Number.MAX_SAFE_INTEGER } }),
  );
