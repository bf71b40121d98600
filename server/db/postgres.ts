/** PostgreSQL: reads outside of transactions, serializable ones with retry for writes. PGlite fits behind the same shape. */
import { sql } from "drizzle-orm";
import { PerchError } from "../errors.ts";
import { isAway } from "../trouble.ts";
import { createCrowding } from "./crowding.ts";
import {
  type Database,
  guardedReader,
  insideTransaction,
  inWords,
  isUniqueViolation,
  type Reader,
  type Writer,
} from "./database.ts";
import { demandKnown, postgresColumns } from "./live-schema.ts";
import { migratePostgres, type PostgresSession } from "./migrate.ts";
import { enterSchema, shutOthersOut } from "./own-schema.postgres.ts";
import type { Keyring } from "./sealed-fields.ts";
import { settlePostgres } from "./settle.postgres.ts";
import {
  forgetAnnounced,
  keysSchemaOf,
  keysTableOf,
  postgresKeyStore,
  prepareKeyStore,
} from "./subject-keys.postgres.ts";
import { createSubjectKeys } from "./subject-keys.ts";
import { tablesFor, tablesWith } from "./tables.ts";
import { fencePostgres } from "./write-fence.ts";

/**
 * Serialization failure and deadlock. A unique violation is tried once more: it may only be the way a concurrent
 * transaction shows itself (PostgreSQL 15 manual, §13.2.3), and a real one comes back.
 */
const RETRYABLE = new Set(["40001", "40P01"]);
const MAX_TRIES = 10;
const AWAY_PAUSE_MS = 200;
export const CHANNEL = "perch_events";

/** What drivers differ in; their clients bring keys (`bringingKeys`) to this keyring. */
interface PostgresParts {
  readonly schema: string;
  /** How long work whose connection went is tried again. */
  readonly awayMs: number;
  /** So many transactions, at most. */
  readonly atOnce: number;
  /** drizzle over something that answers queries outside of transactions. */
  readonly reader: unknown;
  /** One try of a serializable transaction. */
  transact<T>(work: (tx: unknown) => Promise<T>): Promise<T>;
  close(): Promise<void>;
  readonly onAnnounced: Database["onAnnounced"];
  /** One connection of its own, outside of any transaction, whose search path begins with the schema. */
  outside<T>(work: (session: PostgresSession) => Promise<T>): Promise<T>;
  readonly connections?: NonNullable<Database["connections"]>;
}

/** Runs again what failed because the server was not there, for so long. */
export async function whileAway<T>(awayMs: number, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + awayMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || error instanceof PerchError || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, AWAY_PAUSE_MS));
    }
  }
}

/** Builds a `Database` over any drizzle PostgreSQL driver. */
export function postgresDatabase(keyring: Keyring, parts: PostgresParts): Database {
  parts.onAnnounced((topic) => forgetAnnounced(keyring, topic));
  const keysSchema = keysSchemaOf(parts.schema);
  const crowding = createCrowding(parts.atOnce);
  const db: Database = {
    engine: "postgres",
    t: tablesWith("postgres", keyring, parts.schema),
    keys: createSubjectKeys(
      keyring,
      postgresKeyStore(() => db, keysSchema),
    ),
    read: guardedReader(asWriter(parts.reader)),
    tx: (work) =>
      insideTransaction(async () => {
        for (let attempt = 1; ; attempt += 1) {
          const leave = await crowding.enter(attempt);
          try {
            const result = await whileAway(parts.awayMs, () => parts.transact((tx) => work(asWriter(tx))));
            leave("done");
            return result;
          } catch (error) {
            const isLost = isRetryable(error);
            leave(isLost ? "lost" : "done");
            const mayPass = isLost || (attempt === 1 && isUniqueViolation(error));
            if (attempt >= MAX_TRIES || !mayPass) throw inWords(error);
            await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** attempt));
          }
        }
      }),
    onAnnounced: parts.onAnnounced,
    async announce(tx, topic) {
      await tx.select({ sent: sql`pg_notify(${CHANNEL}, ${topic})` }).from(sql`(select 1) as one`);
    },
    settle: (tables) => parts.outside((session) => settlePostgres(session, tables, keysTableOf(keysSchema))),
    pages: async () => undefined,
    ...(parts.connections !== undefined && { connections: parts.connections }),
    close: parts.close,
  };
  return db;
}

/**
 * Enters the schema, migrates, makes the place of people's keys, compares with the data map, puts up the write fence and
 * shuts others out. The session is one of its own: its search path stays at the schema.
 */
export async function preparePostgres(
  session: PostgresSession,
  migrationsFolder: string,
  schema: string,
): Promise<void> {
  await enterSchema(session, schema, migrationsFolder);
  await migratePostgres(session, migrationsFolder);
  await prepareKeyStore(session, keysSchemaOf(schema));
  demandKnown(await postgresColumns(session), tablesFor.postgres);
  await fencePostgres(session, tablesFor.postgres);
  await shutOthersOut(session, schema);
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
