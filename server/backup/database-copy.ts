/**
 * The database in a backup: on either engine one SQLite file, encrypted with the key of the server's own, and beside all
 * backups the newest keys of people. PostgreSQL is read as it was at one moment and written row by row
 * (`db/move/move.ts`), so that a backup of one engine can be put back on the other.
 */
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Config } from "../config.ts";
import { databaseFile } from "../db/database-file.ts";
import { connectPostgres, connectSqlite, demandNoServer, inUse } from "../db/move/ends.ts";
import { type MovedCount, moveRows } from "../db/move/move.ts";
import { MARK, MARKED_TABLE } from "../db/move/move-mark.repo.ts";
import { movedTables } from "../db/move/moved-tables.ts";
import { type PostgresEnd, postgresSnapshot, postgresTarget, type RawPostgres } from "../db/move/rows.postgres.ts";
import { sqliteReader, sqliteTarget } from "../db/move/rows.sqlite.ts";
import type { KeyRow, RowReader } from "../db/move/rows.ts";
import { preparePostgres } from "../db/postgres.ts";
import { openSqlite, rememberKey } from "../db/sqlite.ts";
import { keysTableOf } from "../db/subject-keys.postgres.ts";
import { keysFileKey } from "../db/subject-keys.sqlite.ts";
import { projectRoot } from "../paths.ts";
import { copyEarlier } from "./earlier-copy.ts";

export const DATABASE = "perch.db";
export const KEYS = "keys.db";
const BATCH = 1_000;
const LOCK_WAIT = "5s";
const silent = () => {};

/** Of a table in a backup; those of all tables say what a copy has to hold. */
export type TableCount = MovedCount;

type Source = Pick<Config, "DATA_DIR" | "DATABASE_URL" | "DATABASE_DIRECT_URL" | "DATABASE_SCHEMA">;

const migrationsOf = (engine: "sqlite" | "postgres") => join(projectRoot(), "migrations", engine);

/** Copies a SQLite file that is written meanwhile, and says what it held. */
export type CopySqlite = (order: { from: string; key: Buffer; to: string }) => Promise<readonly TableCount[]>;

/** Writes the database into `draft` and says what it held at that moment. `key`: of the database file. */
export async function copyInto(
  config: Source,
  key: Buffer,
  draft: string,
  copy: CopySqlite,
): Promise<readonly TableCount[]> {
  if (config.DATABASE_URL === undefined) {
    const counts = await copy({ from: databaseFile(config), key, to: join(draft, DATABASE) });
    rememberKey(join(draft, DATABASE), key);
    return counts;
  }
  const end = await connect(config, config.DATABASE_URL);
  try {
    return await fromPostgres(await postgresSnapshot(end), key, draft);
  } finally {
    await end.close();
  }
}

/** PostgreSQL with the tables of an earlier version. */
export async function copyEarlierInto(config: Source, key: Buffer, draft: string): Promise<void> {
  const end = await connect(config, config.DATABASE_URL ?? "");
  await copyEarlier(end, key, join(draft, DATABASE), migrationsOf("sqlite")).finally(end.close);
}

/** What was read of PostgreSQL, as a SQLite file in the draft. The keys of people are left out. */
async function fromPostgres(source: RowReader, key: Buffer, draft: string): Promise<readonly TableCount[]> {
  const place = join(draft, ".making");
  await mkdir(place, { recursive: true, mode: 0o700 });
  const file = join(place, DATABASE);
  await (await openSqlite({ file, key, migrationsFolder: migrationsOf("sqlite") })).close();
  const db = connectSqlite(file, key);
  const target = sqliteTarget(db, connectSqlite(join(place, KEYS), keysFileKey(key)));
  try {
    const keyless = { ...source, keys: async () => [] };
    const { counts } = await moveRows({
      ...{ id: "backup", source: keyless, target, tables: movedTables() },
      onProgress: silent,
    });
    db.prepare(`delete from ${MARKED_TABLE} where name = ?`).run(MARK);
    db.pragma("wal_checkpoint(TRUNCATE)");
    return counts.filter(({ table }) => movedTables().some(({ name }) => name === table));
  } finally {
    await target.close();
    for (const name of [DATABASE, `${DATABASE}.keyid`])
      await rename(join(place, name), join(draft, name)).catch(() => {});
    await rm(place, { recursive: true, force: true });
  }
}

/** The keys of people as they are now, in a file of their own: whole or not at all. */
export async function copyKeysOf(config: Source, key: Buffer, to: string): Promise<void> {
  if (config.DATABASE_URL === undefined) return;
  const draft = `${to}.new`;
  await rm(draft, { force: true });
  const end = await connect(config, config.DATABASE_URL);
  // A version before there were any.
  const there = await end.client.query("select to_regclass($1)::text as name", [keysTableOf(end.keysSchema)]);
  if (z.array(z.object({ name: z.string().nullable() })).parse(there.rows)[0]?.name == null) return end.close();
  const keys = connectSqlite(draft, keysFileKey(key));
  try {
    keys.exec("create table if not exists subject_keys (subject text primary key, sealed text not null) without rowid");
    const insert = keys.prepare<[string, string]>("insert into subject_keys values (?, ?)");
    const source = await postgresSnapshot(end);
    const put = keys.transaction((rows: readonly KeyRow[]) => {
      for (const row of rows) insert.run(...row);
    });
    for await (const rows of keyBatches(source)) put(rows);
  } finally {
    keys.close();
    await end.close();
  }
  await rename(draft, to);
}

async function* keyBatches(source: Pick<RowReader, "keys">): AsyncGenerator<readonly KeyRow[]> {
  for (let after = ""; ; ) {
    const rows = await source.keys(after, BATCH);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH) return;
    [after] = last;
  }
}

/** @throws PerchError while a server uses the PostgreSQL database. */
export async function demandPostgresAlone(config: Source): Promise<void> {
  if (config.DATABASE_URL === undefined) return;
  const end = await connect(config, config.DATABASE_URL);
  await demandNoServer(end).finally(end.close);
}

/**
 * Puts the SQLite file in `place`, which has its keys beside it, into the PostgreSQL database: all of it or nothing. What
 * was there goes. Keys of people that are in place stay, and with them what was destroyed since stays unreadable.
 */
export async function putIntoPostgres(config: Source, key: Buffer, place: string): Promise<readonly TableCount[]> {
  const file = join(place, DATABASE);
  // Of an earlier version: it is brought up in the copy, never in the backup.
  await (await openSqlite({ file, key, migrationsFolder: migrationsOf("sqlite") })).close();
  const end = await connect(config, config.DATABASE_URL ?? "");
  const source = sqliteReader(connectSqlite(file, key), connectSqlite(join(place, KEYS), keysFileKey(key)));
  try {
    await demandNoServer(end);
    await preparePostgres(sessionOf(end.client), migrationsOf("postgres"), end.schema);
    return await inOne(end, source);
  } finally {
    await source.close();
    await end.close();
  }
}

/** Everything in one transaction; the move's own are steps of it. */
export async function inOne(end: PostgresEnd, source: RowReader): Promise<readonly TableCount[]> {
  const { client, schema, keysSchema } = end;
  const tables = movedTables();
  await client.query("begin");
  try {
    await client.query(`set local lock_timeout = '${LOCK_WAIT}'`);
    const places = tables.map(({ name }) => `"${schema}"."${name}"`).join(", ");
    await client.query(`lock table ${places} in access exclusive mode`).catch((error: unknown) => {
      throw error instanceof Error && "code" in error && error.code === "55P03" ? inUse(error) : error;
    });
    await client.query(`delete from "${schema}".${MARKED_TABLE} where name = $1`, [MARK]);
    const target = postgresTarget({ ...end, client: steps(client) });
    const there = await client.query(`select 1 from ${keysTableOf(keysSchema)} limit 1`);
    const keeps = there.rows.length > 0;
    const { counts } = await moveRows({
      ...{ id: "restore", tables, onProgress: silent },
      source: keeps ? { ...source, keys: target.keys } : source,
      target: keeps ? { ...target, clearKeys: async () => {}, writeKeys: async () => {} } : target,
    });
    await client.query(`delete from "${schema}".${MARKED_TABLE} where name = $1`, [MARK]);
    await client.query("commit");
    return counts;
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

const STEPS: Readonly<Record<string, string>> = {
  begin: "savepoint step",
  commit: "release savepoint step",
  rollback: "rollback to savepoint step",
};

function steps(client: RawPostgres): RawPostgres {
  return { query: (text, parameters) => client.query(STEPS[text] ?? text, parameters) };
}

function connect(config: Source, url: string): Promise<PostgresEnd> {
  return connectPostgres(config.DATABASE_DIRECT_URL ?? url, config.DATABASE_SCHEMA, "DATABASE_URL");
}

function sessionOf(client: RawPostgres) {
  return {
    run: async (text: string) => void (await client.query(text)),
    rows: async (text: string) => (await client.query(text)).rows as Record<string, unknown>[],
  };
}
