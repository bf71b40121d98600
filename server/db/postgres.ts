/** PostgreSQL: a pool for reads, serializable transactions with retry for writes. PGlite fits behind the same shape. */
import { sql } from "drizzle-orm";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import pg from "pg";
import { lacksTls13 } from "../egress/tls-version.ts";
import { PerchError } from "../errors.ts";
import {
  type Database,
  guardedReader,
  insideTransaction,
  inWords,
  isUniqueViolation,
  type Reader,
  type Writer,
} from "./database.ts";
import { comingBack } from "./lent-connections.ts";
import { demandKnown, postgresColumns } from "./live-schema.ts";
import { migratePostgres, type PostgresSession } from "./migrate.ts";
import { postgresConfig } from "./postgres-url.ts";
import { createKeyring, type Keyring } from "./sealed-fields.ts";
import { settlePostgres } from "./settle.postgres.ts";
import { bringingKeys, forgetAnnounced, postgresKeyStore, prepareKeyStore } from "./subject-keys.postgres.ts";
import { createSubjectKeys } from "./subject-keys.ts";
import { tablesFor, tablesWith } from "./tables.ts";
import { fencePostgres } from "./write-fence.ts";

/**
 * Serialization failure and deadlock. A unique violation is tried once more: it may only be the way a concurrent
 * transaction shows itself (PostgreSQL 15 manual, §13.2.3), and a real one comes back.
 */
const RETRYABLE = new Set(["40001", "40P01"]);
const MAX_TRIES = 10;
const CHANNEL = "perch_events";
/** To a server that answers nothing, and for a free connection of the pool: longer, and people have gone. */
const CONNECT_MS = 10_000;

/** What this file needs of drizzle's PostgreSQL databases; node-postgres and PGlite both have it. */
interface PostgresEngine {
  transaction<T>(work: (tx: unknown) => Promise<T>, config: { isolationLevel: "serializable" }): Promise<T>;
}

/** Builds a `Database` over any drizzle PostgreSQL driver whose client brings keys (`bringingKeys`) to this keyring. */
export function postgresDatabase(
  engine: PostgresEngine,
  keyring: Keyring,
  parts: {
    close(): Promise<void>;
    onAnnounced: Database["onAnnounced"];
    /** One connection, outside of any transaction. */
    outside<T>(work: (session: PostgresSession) => Promise<T>): Promise<T>;
    connections?: NonNullable<Database["connections"]>;
  },
): Database {
  parts.onAnnounced((topic) => forgetAnnounced(keyring, topic));
  const db: Database = {
    engine: "postgres",
    t: tablesWith("postgres", keyring),
    keys: createSubjectKeys(
      keyring,
      postgresKeyStore(() => db),
    ),
    read: guardedReader(asWriter(engine)),
    tx: (work) =>
      insideTransaction(async () => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await engine.transaction((tx) => work(asWriter(tx)), { isolationLevel: "serializable" });
          } catch (error) {
            const mayPass = isRetryable(error) || (attempt === 1 && isUniqueViolation(error));
            if (attempt >= MAX_TRIES || !mayPass) throw inWords(error);
            await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** attempt));
          }
        }
      }),
    onAnnounced: parts.onAnnounced,
    async announce(tx, topic) {
      await tx.select({ sent: sql`pg_notify(${CHANNEL}, ${topic})` }).from(sql`(select 1) as one`);
    },
    settle: (tables) => parts.outside((session) => settlePostgres(session, tables)),
    pages: async () => undefined,
    ...(parts.connections !== undefined && { connections: parts.connections }),
    close: parts.close,
  };
  return db;
}

/** Migrates, makes the place of people's keys, compares with the data map and puts up the write fence. */
export async function preparePostgres(session: PostgresSession, migrationsFolder: string): Promise<void> {
  await migratePostgres(session, migrationsFolder);
  await prepareKeyStore(session);
  demandKnown(await postgresColumns(session), tablesFor.postgres);
  await fencePostgres(session, tablesFor.postgres);
}

/** Connects to a server, prepares it, and listens for other nodes' announcements. */
export async function openPostgres(options: { url: string; migrationsFolder: string }): Promise<Database> {
  const config = postgresConfig(options.url);
  const pool = comingBack(new pg.Pool({ ...config, max: 10, connectionTimeoutMillis: CONNECT_MS, keepAlive: true }));
  pool.on("error", () => {});
  try {
    const client = await pool.connect();
    try {
      await preparePostgres(pgSession(client), options.migrationsFolder);
    } finally {
      client.release();
    }
  } catch (error) {
    await pool.end();
    if (error instanceof PerchError) throw error;
    if (lacksTls13(error)) {
      throw new PerchError(
        "unavailable",
        "The PostgreSQL server in DATABASE_URL does not speak TLS 1.3. Update it or switch TLS 1.3 on; nothing older is used.",
        { cause: error },
      );
    }
    throw new PerchError(
      "unavailable",
      "The PostgreSQL server in DATABASE_URL does not answer or refuses the connection. Check address, user and password.",
      { cause: error },
    );
  }
  const listeners = new Set<(topic: string) => void>();
  const keyring = createKeyring();
  const listening = keepListening(
    config,
    (topic) => {
      for (const listener of listeners) listener(topic);
    },
    // What was announced meanwhile was not heard: another node may have destroyed a key.
    () => keyring.forgetAll(),
  );
  const client = bringingKeys(pool, keyring);
  return postgresDatabase(drizzlePg(client, { casing: "snake_case" }) as unknown as PostgresEngine, keyring, {
    onAnnounced(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async outside(work) {
      const own = await pool.connect();
      try {
        return await work(pgSession(own));
      } finally {
        own.release();
      }
    },
    connections: () => ({
      ...{ idle: pool.idleCount, busy: pool.totalCount - pool.idleCount, waiting: pool.waitingCount },
    }),
    async close() {
      await listening.stop();
      await pool.end();
    },
  });
}

/** One dedicated connection that listens and comes back when it is cut; polling covers what it misses meanwhile. */
function keepListening(
  config: pg.ClientConfig,
  onTopic: (topic: string) => void,
  onListening: () => void,
): { stop(): Promise<void> } {
  let stopped = false;
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  const connect = async (): Promise<void> => {
    const mine = new pg.Client(config);
    client = mine;
    const again = () => {
      if (stopped || client !== mine) return;
      client = undefined;
      retry = setTimeout(() => void connect(), 1000);
    };
    mine.on("error", again);
    mine.on("end", again);
    mine.on("notification", (message) => onTopic(message.payload ?? ""));
    try {
      await mine.connect();
      await mine.query(`listen ${CHANNEL}`);
      onListening();
    } catch {
      again();
    }
  };
  void connect();
  return {
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await client?.end().catch(() => {});
    },
  };
}

function pgSession(client: pg.PoolClient): PostgresSession {
  return {
    run: async (text) => {
      await client.query(text);
    },
    rows: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
  };
}

/** drizzle's PostgreSQL builders behave as SQLite's asynchronous ones; the contract suite holds it. */
function asWriter(db: unknown): Reader & Writer {
  return db as Reader & Writer;
}

function isRetryable(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string" && RETRYABLE.has(at.code)) return true;
  }
  return false;
}
