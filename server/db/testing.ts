/** Databases for tests: a real encrypted SQLite file, PGlite, and a PostgreSQL server when `TEST_DATABASE_URL` names one. */
import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
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
import { type Emptying, emptyingOf, keepOrder } from "./testing-reset.ts";
import { databasePrefix, dataFolder, runFolder } from "./testing-run.ts";

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
    prepared ??= preparedSqlite();
    const { folder: from, ...options } = await prepared;
    const folder = dataFolder("perch-test-");
    cpSync(from, folder, { recursive: true });
    const db = await openSqlite({ file: join(folder, SQLITE_FILE), ...options });
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

const SQLITE_FILE = "perch.db";
/** A migrated database's folder, made once a process: to begin with a copy takes a third of making it. */
let prepared: ReturnType<typeof preparedSqlite> | undefined;

async function preparedSqlite() {
  const folder = mkdtempSync(join(runFolder(), "sqlite-"));
  const options = { key: randomBytes(32), migrationsFolder: join(MIGRATIONS, "sqlite") };
  await (await openSqlite({ file: join(folder, SQLITE_FILE), ...options })).close();
  return { folder, ...options };
}

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

/** PGlite of this process that no test uses at present. */
const idlePglite: { readonly client: PGlite; readonly emptying: Emptying }[] = [];

const pglite: TestEngine = {
  name: "PGlite",
  async open() {
    const idle = idlePglite.pop();
    const client = idle?.client ?? (await preparedPglite());
    const emptying = idle?.emptying ?? (await emptyingOf(sessionOf(client)));
    // As every connection of a server has it.
    await client.exec(`set search_path to ${DEFAULT_SCHEMA}`);
    const lease = lend(client);
    const keyring = createKeyring();
    const engine = drizzle(bringingKeys(lease.client, keyring, keysSchemaOf(DEFAULT_SCHEMA)), { casing: "snake_case" });
    const db = postgresDatabase(keyring, {
      schema: DEFAULT_SCHEMA,
      awayMs: 0,
      atOnce: 1,
      reader: engine,
      transact: (work) => engine.transaction(work, { isolationLevel: "serializable" }),
      close: async () => lease.end(),
      onAnnounced: () => () => {},
      outside: (work) => work(sessionOf(lease.client)),
    });
    db.keys.unlock(randomBytes(32));
    return {
      db,
      async dispose() {
        if (lease.isDisposed()) return;
        await db.close();
        await client.exec("discard all");
        if (await emptying.empty(sessionOf(client))) idlePglite.push({ client, emptying });
        else await client.close();
      },
    };
  },
};

/** The client, until it is taken back: what still runs when its test is over reaches nothing of the next one's. */
function lend(client: PGlite): { client: PGlite; end(): void; isDisposed(): boolean } {
  let ended = false;
  let disposed = false;
  const lent = new Proxy(client, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      return (...parameters: unknown[]): unknown => {
        if (ended) throw new Error("This database was closed.");
        return Reflect.apply(member, target, parameters);
      };
    },
  });
  return {
    client: lent,
    end() {
      ended = true;
    },
    isDisposed() {
      const before = disposed;
      disposed = true;
      return before;
    },
  };
}

/** Databases of this process that no test uses at present. */
const idlePostgres: { readonly name: string; readonly emptying: Emptying }[] = [];

function postgres(url: string): TestEngine {
  return {
    name: "PostgreSQL",
    async open() {
      const idle = idlePostgres.pop();
      const name = idle?.name ?? `${databasePrefix()}${randomBytes(6).toString("hex")}`;
      if (idle === undefined) await asClient(url, (admin) => admin.run(`create database ${name}`));
      const target = new URL(url);
      target.pathname = `/${name}`;
      const db = await openPostgres({ url: target.href, migrationsFolder: join(MIGRATIONS, "postgres") });
      const emptying =
        idle?.emptying ??
        (await asClient(target.href, async (own) => {
          await keepOrder(own);
          return emptyingOf(own);
        }));
      db.keys.unlock(randomBytes(32));
      let disposed = false;
      return {
        db,
        async dispose() {
          if (disposed) return;
          disposed = true;
          await db.close();
          const isEmpty = await asClient(target.href, async (own) => {
            await own.run(
              "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
            );
            return emptying.empty(own);
          });
          if (isEmpty) idlePostgres.push({ name, emptying });
          else await asClient(url, (admin) => admin.run(`drop database ${name} with (force)`));
        },
      };
    },
  };
}

async function asClient<T>(url: string, work: (session: PostgresSession) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work({
      run: async (text) => void (await client.query(text)),
      rows: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
    });
  } finally {
    await client.end();
  }
}

const { TEST_DATABASE_URL: url, TEST_EVERY_ENGINE: every } = process.env;
if (every !== undefined && url === undefined) {
  throw new Error("TEST_DATABASE_URL has to name a PostgreSQL server, so that tests run on every engine.");
}
const server = url === undefined ? undefined : postgres(url);
/** What says how databases behave runs on all there are. */
export const EVERY_ENGINE: readonly TestEngine[] = [sqlite, pglite, ...(server === undefined ? [] : [server])];
/**
 * The engines other tests run on: SQLite, and PostgreSQL where there is a server, else PGlite in its place
 * (docs/decisions/engines-in-tests.md).
 */
export const TEST_ENGINES = every === undefined ? [sqlite, server ?? pglite] : EVERY_ENGINE;
export const testSqlite = sqlite;
export const testPglite = pglite;
