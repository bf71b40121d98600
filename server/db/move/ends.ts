/** Raw connections to the two engines, for what moves or copies whole databases, and whether somebody else is there. */
import { setTimeout as delay } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { PerchError } from "../../errors.ts";
import { postgresConfig } from "../postgres-url.ts";
import { keysSchemaOf } from "../subject-keys.postgres.ts";
import type { PostgresEnd } from "./rows.postgres.ts";

/** One that was stopped a moment ago may still be seen. */
const GOING_MS = 3_000;
const LOOK_EACH_MS = 100;

/** @throws PerchError while a server or a command has a connection, and keeps it. */
export async function demandNoServer({ client }: PostgresEnd): Promise<void> {
  for (const until = performance.now() + GOING_MS; ; ) {
    const others = await client.query(
      `select 1 as one from pg_stat_activity where datname = current_database() and application_name = 'perch'
       and pid <> pg_backend_pid() limit 1`,
    );
    if (others.rows.length === 0) return;
    if (performance.now() >= until) throw inUse();
    await delay(LOOK_EACH_MS);
  }
}

export function inUse(cause?: unknown): PerchError {
  return new PerchError(
    "conflict",
    "A server or another command uses this database. Stop every server, then run the same command again.",
    { cause },
  );
}

/** One connection of its own. `name`: of the setting, for what is wrong with it. */
export async function connectPostgres(url: string, schema: string, name = "--to"): Promise<PostgresEnd> {
  const client = new pg.Client({ ...postgresConfig(url, name), application_name: "perch move", keepAlive: true });
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (cause) {
    throw new PerchError(
      "unavailable",
      "That PostgreSQL server does not answer or refuses the connection. Check address, user and password.",
      { cause },
    );
  }
  const close = () => client.end().catch(() => {});
  return { client, schema, keysSchema: keysSchemaOf(schema), close };
}

/** One that writes, to a file that is there. */
export function connectSqlite(file: string, key: Buffer): Sqlite.Database {
  const db = new Sqlite(file, { timeout: 2_000 });
  db.pragma(`key = "x'${key.toString("hex")}'"`);
  db.pragma("temp_store = MEMORY");
  db.pragma("synchronous = FULL");
  return db;
}
