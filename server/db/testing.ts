/** Databases for tests: a real encrypted SQLite file, PGlite, and a PostgreSQL server when `TEST_DATABASE_URL` names one. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import pg from "pg";
import type { Database } from "./database.ts";
import type { PostgresSession } from "./migrate.ts";
import { DEFAULT_SCHEMA } from "./own-schema.postgres.ts";
import { postgresDatabase, preparePostgres } from "./postgres.ts";
import { openPostgres } from "./postgres-open.ts";
import { createKeyring } from "./sealed-fields.ts";
import { openSqlite } from "./sqlite.ts";
import { bringingKeys, keysSchemaOf } from "./subject-keys.postgres.ts";

export const MIGRATIONS = join(import.meta.dirname, "../../migrations");

export interface TestDatabase {
  readonly db: Database;
  /** Closes and removes everything. */
  dispose(): Promise<void>;
}

export interface TestEngine {
  readonly name: string;
  open(): Promise<TestDatabase>;
}

const sqlite: TestEngine = {
  name: "SQLite",
  async open() {
    const folder = mkdtempSync(join(tmpdir(), "perch-test-"));
    const db = await openSqlite({
      file: join(folder, "perch.db"),
      key: randomBytes(32),
      migrationsFolder: join(MIGRATIONS, "sqlite"),
    });
    db.keys.unlock(randomBytes(32));
    return {
      db,
      async dispose() {
        await db.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

/** A migrated database's files, made once a process: to begin with them takes a quarter of making them. */
let migrated: Promise<File | Blob> | undefined;

async function migratedFiles(): Promise<File | Blob> {
  const client = new PGlite();
  await preparePostgres(sessionOf(client), join(MIGRATIONS, "postgres"), DEFAULT_SCHEMA);
  const files = await client.dumpDataDir("none");
  await client.close();
  return files;
}

/** A prepared database, for tests that need SQL of their own. */
export async function preparedPglite(): Promise<PGlite> {
  migrated ??= migratedFiles();
  return new PGlite({ loadDataDir: await migrated });
}

export function sessionOf(client: PGlite): PostgresSession {
  return {
    run: async (text) => void (await client.exec(text)),
    rows: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
  };
}

const pglite: TestEngine = {
  name: "PGlite",
  async open() {
    const client = await preparedPglite();
    const keyring = createKeyring();
    const engine = drizzle(bringingKeys(client, keyring, keysSchemaOf(DEFAULT_SCHEMA)), { casing: "snake_case" });
    const db = postgresDatabase(keyring, {
      schema: DEFAULT_SCHEMA,
      awayMs: 0,
      reader: engine,
      transact: (work) => engine.transaction(work, { isolationLevel: "serializable" }),
      close: () => client.close(),
      onAnnounced: () => () => {},
      async outside(work) {
        await client.exec(`set search_path to ${DEFAULT_SCHEMA}`);
        return work(sessionOf(client)).finally(() => client.exec("reset search_path"));
      },
    });
    db.keys.unlock(randomBytes(32));
    return { db, dispose: () => db.close() };
  },
};

function postgres(url: string): TestEngine {
  return {
    name: "PostgreSQL",
    async open() {
      const name = `perch_test_${randomBytes(6).toString("hex")}`;
      const admin = new pg.Client({ connectionString: url });
      await admin.connect();
      await admin.query(`create database ${name}`);
      const target = new URL(url);
      target.pathname = `/${name}`;
      const db = await openPostgres({ url: target.href, migrationsFolder: join(MIGRATIONS, "postgres") });
      db.keys.unlock(randomBytes(32));
      return {
        db,
        async dispose() {
          await db.close();
          await admin.query(`drop database ${name} with (force)`);
          await admin.end();
        },
      };
    },
  };
}

const url = process.env["TEST_DATABASE_URL"];
/** The engines a contract suite runs on. */
export const TEST_ENGINES: readonly TestEngine[] = [sqlite, pglite, ...(url === undefined ? [] : [postgres(url)])];
export const testSqlite = sqlite;
export const testPglite = pglite;
