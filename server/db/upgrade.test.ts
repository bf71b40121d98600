/**
 * The upgrade drill: databases as every earlier version made them, with rows in every table they had, brought to this
 * version. No row is lost, no value changes that a migration does not mean to change, and everything can be read.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PGlite } from "@electric-sql/pglite";
import { getTableColumns } from "drizzle-orm";
import { drizzle } from "drizzle-orm/pglite";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { restoreBackup } from "../backup/restore.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { deriveKey, readFileKey } from "../keys.ts";
import { openDatabase } from "../open-database.ts";
import type { Database } from "./database.ts";
import { type AnyTable, sealedPlace, tableName } from "./dialect.ts";
import { migratePostgres, migrateSqlite } from "./migrate.ts";
import { postgresTarget } from "./move/rows.postgres.ts";
import { sqliteTarget } from "./move/rows.sqlite.ts";
import { enterSchema } from "./own-schema.postgres.ts";
import { postgresDatabase, preparePostgres } from "./postgres.ts";
import { sealEarlierRows } from "./seal-earlier.repo.ts";
import { createKeyring, ERASED } from "./sealed-fields.ts";
import { openSqlite } from "./sqlite.ts";
import { bringingKeys, keysSchemaOf, prepareKeyStore } from "./subject-keys.postgres.ts";
import { keysFileKey, keysFileOf, openKeyStore } from "./subject-keys.sqlite.ts";
import { primaryKeyOf } from "./table-keys.ts";
import { earlierMigrations, migrationCount } from "./testing/earlier.ts";
import {
  type EarlierTable,
  earlierRows,
  fill,
  lost,
  rawSqlite,
  SEALS_FROM,
  sealingFor,
  writePlain,
  writePlainSqlite,
} from "./testing/earlier-rows.ts";
import { MIGRATIONS, preparedPglite, sessionOf } from "./testing.ts";

const MASTER = Buffer.alloc(32, 3);
const KEY = Buffer.alloc(32, 4);
const VERSIONS = Array.from({ length: migrationCount() - 1 }, (_, n) => n + 1);
/** Reads every table as the services do. */
async function readAll(db: Database, tables: ReadonlyMap<string, EarlierTable>) {
  db.keys.unlock(MASTER);
  await sealEarlierRows(db);
  const unread: string[] = [];
  for (const table of Object.values<AnyTable>(db.t)) {
    const rows: Record<string, unknown>[] = await db.read.select().from(table);
    if (tableName(table) !== "server_keys" && rows.length !== (tables.has(tableName(table)) ? 2 : 0))
      unread.push(`${tableName(table)}: ${rows.length}`);
    for (const [property, column] of Object.entries(getTableColumns(table))) {
      if (sealedPlace(column) !== undefined && rows.some((row) => row[property] === ERASED))
        unread.push(`${tableName(table)}.${property}`);
    }
    if (primaryKeyOf(table).length === 0) unread.push(tableName(table));
  }
  return unread;
}

describe("an upgrade with rows in every table", () => {
  const folder = mkdtempSync(join(tmpdir(), "perch-upgrade-"));
  const earlier: string[] = [];
  const migrationsOf = (dialect: "sqlite" | "postgres", version: number) => {
    const made = earlierMigrations(dialect, version);
    earlier.push(made);
    return made;
  };
  let client: PGlite;
  beforeAll(async () => {
    client = await preparedPglite();
  });
  afterAll(async () => {
    await client.close();
    for (const one of [...earlier, folder]) rmSync(one, { recursive: true, force: true });
  });
  /** A database of that version in a schema of its own, with rows. */
  const onPostgres = async (version: number) => {
    const [session, schema] = [sessionOf(client), `version_${version}`];
    const migrations = migrationsOf("postgres", version);
    await enterSchema(session, schema, migrations);
    await migratePostgres(session, migrations);
    if (version >= SEALS_FROM) await prepareKeyStore(session, keysSchemaOf(schema));
    const tables = await earlierRows(client, schema, sealingFor(version, MASTER).seal);
    const target = postgresTarget({ client, schema, keysSchema: keysSchemaOf(schema), close: async () => {} });
    return { session, schema, tables, target };
  };

  const toHeadOnSqlite = async (version: number, tables: ReadonlyMap<string, EarlierTable>) => {
    const file = join(folder, `${version}`, "perch.db");
    mkdirSync(join(folder, `${version}`));
    const raw = rawSqlite(file, KEY);
    migrateSqlite(raw, migrationsOf("sqlite", version));
    const store = rawSqlite(keysFileOf(file), keysFileKey(KEY));
    openKeyStore(store);
    const target = sqliteTarget(raw, store);
    if (tables.has("server_keys")) await fill(target, tables, version, sealingFor(version, MASTER));
    else for (const table of tables.values()) writePlainSqlite(raw, table);
    raw.close();
    store.close();
    const db = await openSqlite({ file, key: KEY, migrationsFolder: join(MIGRATIONS, "sqlite") });
    const after = rawSqlite(file, KEY);
    expect((await lost(sqliteTarget(after, after), tables)).join("\n")).toBe("");
    after.close();
    expect((await readAll(db, tables)).join("\n")).toBe("");
    await db.close();
  };

  it.each(VERSIONS)("keeps everything of version %i, on both engines", async (version) => {
    const { session, schema, tables, target } = await onPostgres(version);
    await toHeadOnSqlite(version, tables);
    await client.exec("set session_replication_role = replica");
    if (tables.has("server_keys")) await fill(target, tables, version, sealingFor(version, MASTER));
    else for (const table of tables.values()) await writePlain(client, schema, table);
    await client.exec("reset session_replication_role");
    await preparePostgres(session, join(MIGRATIONS, "postgres"), schema);
    expect((await lost(target, tables)).join("\n")).toBe("");
    const keyring = createKeyring();
    const engine = drizzle(bringingKeys(client, keyring, keysSchemaOf(schema)), { casing: "snake_case" });
    const db = postgresDatabase(keyring, {
      ...{ schema, awayMs: 0, atOnce: 1, reader: engine, onAnnounced: () => () => {}, close: async () => {} },
      transact: (work) => engine.transaction(work, { isolationLevel: "serializable" }),
      outside: (work) => work(session),
    });
    expect((await readAll(db, tables)).join("\n")).toBe("");
    await client.exec(`drop schema ${schema} cascade; drop schema ${keysSchemaOf(schema)} cascade`);
  });

  it("makes a backup of the embedded database first, which holds no longer than others and can be put back", async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    const config = parseConfig({ DATA_DIR: join(folder, "data"), KEY_FILE: join(folder, "key") });
    await (await openDatabase(config, { clock })).db.close();
    expect(existsSync(config.backupDir)).toBe(false);
    const file = join(config.DATA_DIR, "perch.db");
    const key = deriveKey(readFileKey({ keyFile: config.keyFile, databaseExists: true }), "database");
    // The version before the last migration, with a row.
    rmSync(file);
    const raw = rawSqlite(file, key);
    migrateSqlite(raw, migrationsOf("sqlite", VERSIONS.length));
    raw.exec("insert into topics (topic, seq) values ('kept', 7)");
    raw.close();
    mkdirSync(join(config.DATA_DIR, "runs/run_1"), { recursive: true });
    await (await openDatabase(config, { clock })).db.close();
    const [made = ""] = readdirSync(config.backupDir).filter((name) => name.startsWith("perch-"));
    expect(made).toBe("perch-20260101T000000Z-before-update");
    const copy = rawSqlite(join(config.backupDir, made, "perch.db"), key);
    expect(copy.prepare("select count(*) as n from perch_migrations").get()).toEqual({ n: VERSIONS.length });
    expect(copy.prepare("select * from topics").all()).toEqual([{ topic: "kept", seq: 7 }]);
    copy.close();
    await restoreBackup(config, clock, join(config.backupDir, made));
    // Files beside the database are no part of it, and stay.
    expect(existsSync(join(config.DATA_DIR, "runs/run_1"))).toBe(true);
    const { db } = await openDatabase(config, { clock });
    expect(await db.read.select().from(db.t.topics)).toEqual([{ topic: "kept", seq: 7 }]);
    await db.close();
    await (await openDatabase(config, { clock })).db.close();
    expect(readdirSync(config.backupDir).filter((name) => name.startsWith("perch-"))).toHaveLength(1);
  });

  const url = process.env["TEST_DATABASE_URL"];
  it.skipIf(url === undefined)(
    "makes one of a PostgreSQL database, too, unless backups are left to the operator, which brings all of it back",
    async () => {
      const target = new URL(url ?? "");
      target.pathname = `/upgrade_${Date.now()}`;
      const about = { connectionString: url };
      const main = new pg.Client(about);
      await main.connect();
      await main.query(`create database ${target.pathname.slice(1)}`);
      const clock = new ManualClock(Date.UTC(2026, 0, 1));
      const env = { DATABASE_URL: target.href, DATA_DIR: join(folder, "pg-data"), KEY_FILE: join(folder, "pg-key") };
      const config = parseConfig(env);
      const names = () =>
        (existsSync(config.backupDir) ? readdirSync(config.backupDir) : []).filter((name) => /^perch-/.test(name));
      try {
        await (await openDatabase(config, { clock })).db.close();
        expect(names()).toEqual([]);
        const other = new pg.Client({ connectionString: target.href });
        await other.connect();
        /** The version before the last migration, with rows in every table. */
        const goBack = async () => {
          await other.query("drop schema if exists perch cascade");
          const session = {
            run: async (text: string) => void (await other.query(text)),
            rows: async (text: string) => (await other.query(text)).rows as Record<string, unknown>[],
          };
          await other.query("create schema perch; set search_path to perch");
          await migratePostgres(session, migrationsOf("postgres", VERSIONS.length));
          await other.query("insert into topics (topic, seq) values ('kept', 7)");
          await other.query(
            "insert into teams (id, name, created_at) values ('team_1', 'Shop', '2026-01-01T00:00:00.123Z')",
          );
          await other.query("set search_path to public");
        };
        await goBack();
        await (await openDatabase(parseConfig({ ...env, BACKUP_HOURS: "0" }), { clock })).db.close();
        expect(names()).toEqual([]);
        await goBack();
        await (await openDatabase(config, { clock })).db.close();
        expect(names()).toEqual(["perch-20260101T000000Z-before-update"]);
        const made = join(config.backupDir, names()[0] ?? "");
        const key = deriveKey(readFileKey({ keyFile: config.keyFile, databaseExists: true }), "database");
        const copy = rawSqlite(join(made, "perch.db"), key);
        expect(copy.prepare("select count(*) as n from perch_migrations").get()).toEqual({ n: VERSIONS.length });
        expect(copy.prepare("select * from topics").all()).toEqual([{ topic: "kept", seq: 7 }]);
        const at = Date.UTC(2026, 0, 1) + 123;
        expect(copy.prepare("select id, name, created_at, require_second_factor from teams").all()).toEqual([
          { id: "team_1", name: "Shop", created_at: at, require_second_factor: 0 },
        ]);
        copy.close();
        await other.query("update perch.topics set seq = 8");
        await other.end();
        await restoreBackup(config, clock, made);
        const { db } = await openDatabase(config, { clock });
        expect(await db.read.select().from(db.t.topics)).toEqual([{ topic: "kept", seq: 7 }]);
        await db.close();
        expect(names()).toHaveLength(1);
      } finally {
        await main.query(`drop database if exists ${target.pathname.slice(1)} with (force)`);
        await main.end();
      }
    },
    30_000,
  );
});
