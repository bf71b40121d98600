/**
 * Opens a PostgreSQL server. `DATABASE_URL` is what queries go through, and may be a transaction pooler: nothing is kept in
 * its sessions, no statement is prepared by name. `DATABASE_DIRECT_URL` leads to the server itself, for what needs a
 * session: migrations, announcements, and writing tables anew.
 */
import { NodePgDatabase, NodePgSession } from "drizzle-orm/node-postgres";
import { PgDialect } from "drizzle-orm/pg-core";
import pg from "pg";
import { lacksTls13 } from "../egress/tls-version.ts";
import { PerchError } from "../errors.ts";
import { troubleOf } from "../trouble.ts";
import { type Database, HEARD_AGAIN } from "./database.ts";
import { keepListening, type Listening } from "./listening.postgres.ts";
import { type PostgresSession, postgresToUpdate, UPDATE_LOCK } from "./migrate.ts";
import { DEFAULT_SCHEMA, EARLIER } from "./own-schema.postgres.ts";
import { CHANNEL, postgresDatabase, preparePostgres, whileAway } from "./postgres.ts";
import { postgresConfig } from "./postgres-url.ts";
import { createKeyring } from "./sealed-fields.ts";
import { bringingKeys, keysSchemaOf } from "./subject-keys.postgres.ts";
import { QUERY_TIMEOUT_MS, transact } from "./transaction.postgres.ts";

export interface PostgresOptions {
  readonly url: string;
  /** Past the pooler, where `url` goes through one. */
  readonly directUrl?: string | undefined;
  readonly schema?: string | undefined;
  /** Most connections through `url`. */
  readonly pool?: number | undefined;
  readonly migrationsFolder: string;
  /** Called before a database that was there already is changed, with the schema its tables are in. */
  readonly beforeUpdate?: ((schema: string) => Promise<void>) | undefined;
  /** How long work whose connection went is tried again: a server that restarts is back sooner. */
  readonly awayMs?: number | undefined;
  /** How long an announcement may take to be heard when it is tried at the start. */
  readonly hearWithinMs?: number | undefined;
}

const CONNECT_MS = 15_000;
const IDLE_MS = 30_000;
const HEAR_WITHIN_MS = 5_000;
const AWAY_MS = 5_000;

/** Connects, makes sure of what Perch needs, prepares the database and listens. @throws PerchError with what to change */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const { schema = DEFAULT_SCHEMA, awayMs = AWAY_MS, pool: pooled = 10 } = options;
  const shared = { application_name: "perch", keepAlive: true, connectionTimeoutMillis: CONNECT_MS };
  const config = { ...postgresConfig(options.url), ...shared };
  const direct =
    options.directUrl === undefined
      ? config
      : { ...postgresConfig(options.directUrl, "DATABASE_DIRECT_URL"), ...shared };
  const pool = new pg.Pool({
    ...config,
    max: pooled,
    idleTimeoutMillis: IDLE_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  pool.on("error", () => {});
  // The pool listens to idle connections alone; one that is cut while it changes hands or is in use would end the process.
  // Whoever uses it is told by its queries.
  pool.on("connect", (client) => void client.on("error", () => {}));
  const outside = async <T>(work: (session: PostgresSession) => Promise<T>, inSchema = true): Promise<T> => {
    const client = new pg.Client(direct);
    client.on("error", () => {});
    await client.connect();
    try {
      if (inSchema) await client.query(`set search_path to "${schema}"`);
      return await work(pgSession(client));
    } finally {
      await client.end().catch(() => {});
    }
  };
  const keyring = createKeyring();
  const listeners = new Set<(topic: string) => void>();
  let listening: Listening | undefined;
  try {
    await inWordsOf(pool.query("select 1"), "DATABASE_URL");
    await outside((session) => demandSuitable(session, pool), false).catch((error: unknown) => {
      throw startTrouble(error, options.directUrl === undefined ? "DATABASE_URL" : "DATABASE_DIRECT_URL");
    });
    const tell = (topic: string) => {
      for (const listener of listeners) listener(topic);
    };
    let hasListened = false;
    listening = keepListening(direct, CHANNEL, tell, () => {
      // What was announced meanwhile was not heard: another node may have destroyed a key, or ended a session.
      keyring.forgetAll();
      if (hasListened) tell(HEARD_AGAIN);
      hasListened = true;
    });
    await demandHeard(pool, listening, options);
    const { beforeUpdate, migrationsFolder } = options;
    const prepare = () => outside((session) => preparePostgres(session, migrationsFolder, schema), false);
    const toUpdate = (session: PostgresSession) =>
      postgresToUpdate(session, migrationsFolder, { schema, earlier: EARLIER });
    if ((await outside(toUpdate, false)) === undefined) await prepare();
    else {
      await outside(async (session) => {
        // Of several nodes that start at once one does it; the others find it done.
        await session.run(`select pg_advisory_lock(${UPDATE_LOCK})`);
        const place = await toUpdate(session);
        if (place !== undefined) await beforeUpdate?.(place);
        await prepare();
      }, false);
    }
  } catch (error) {
    await Promise.allSettled([listening?.stop(), pool.end()]);
    throw error instanceof PerchError ? error : (troubleOf(error) ?? error);
  }
  const dialect = new PgDialect({ casing: "snake_case" });
  const keysSchema = keysSchemaOf(schema);
  return postgresDatabase(keyring, {
    schema,
    awayMs,
    atOnce: pooled,
    reader: readerOn(bringingKeys(patient(pool, awayMs), keyring, keysSchema), dialect),
    transact: (work) => transact({ pool, dialect, keyring, keysSchema }, work),
    onAnnounced(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    outside,
    connections: () => ({
      ...{ idle: pool.idleCount, busy: pool.totalCount - pool.idleCount, waiting: pool.waitingCount },
    }),
    async close() {
      await listening?.stop();
      await pool.end();
    },
  });
}

/** Behind drizzle's types: its classes take any client that answers `query`. */
function readerOn(client: object, dialect: PgDialect): unknown {
  return new NodePgDatabase(
    dialect as never,
    new NodePgSession(client as never, dialect, undefined) as never,
    undefined,
  );
}

/** The pool for reads alone: what changes nothing is asked again when the connection was cut, and fails in words. */
function patient(pool: pg.Pool, awayMs: number): object {
  return {
    query: (text: pg.QueryConfig, parameters?: unknown[]) =>
      whileAway(awayMs, () => pool.query(text, parameters)).catch((error: unknown) => {
        throw troubleOf(error) ?? error;
      }),
  };
}

async function inWordsOf<T>(work: Promise<T>, name: string): Promise<T> {
  return work.catch((error: unknown) => {
    throw startTrouble(error, name);
  });
}

function startTrouble(error: unknown, name: string): unknown {
  if (error instanceof PerchError) return error;
  const words = lacksTls13(error)
    ? `The PostgreSQL server in ${name} does not speak TLS 1.3. Update it or switch TLS 1.3 on; nothing older is used.`
    : `The PostgreSQL server in ${name} does not answer or refuses the connection. Check address, user and password.`;
  return new PerchError("unavailable", words, { cause: error });
}

/** A server that takes changes, and the same one with the same user on both ways. */
async function demandSuitable(session: PostgresSession, pool: pg.Pool): Promise<void> {
  const [row] = await session.rows(
    `select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as read_only,
     current_user as "user", current_database() as database`,
  );
  if (row?.["standby"] === true || row?.["read_only"] === true) {
    throw new PerchError(
      "unavailable",
      row["standby"] === true
        ? "The PostgreSQL server is a standby and takes no changes. Write the address of the primary into DATABASE_URL."
        : "The PostgreSQL server takes no changes (default_transaction_read_only is on). Switch that off, for the server, the database or the user.",
    );
  }
  const { rows } = await pool.query<{ user: string; database: string }>(
    `select current_user as "user", current_database() as database`,
  );
  if (rows[0]?.user !== row?.["user"] || rows[0]?.database !== row?.["database"]) {
    throw new PerchError(
      "bad_input",
      "DATABASE_URL and DATABASE_DIRECT_URL have to lead to the same database as the same user: who makes the tables has to be who uses them.",
    );
  }
}

/** What is announced has to be heard, or a destroyed key would go on in the memory of other nodes. */
async function demandHeard(pool: pg.Pool, listening: Listening, options: PostgresOptions): Promise<void> {
  const topic = `perch-start-${process.pid}-${performance.now()}`;
  const announce = () => pool.query("select pg_notify($1, $2)", [CHANNEL, topic]);
  if (await listening.hears(topic, announce, options.hearWithinMs ?? HEAR_WITHIN_MS)) return;
  throw new PerchError(
    "bad_input",
    options.directUrl === undefined
      ? "DATABASE_URL goes through a transaction pooler, which carries no announcements. Write the server's own address into DATABASE_DIRECT_URL as well (on Supabase: the direct connection or the session pooler, port 5432)."
      : "What is announced through DATABASE_URL is not heard through DATABASE_DIRECT_URL: the second one goes through a transaction pooler as well, or to another database. Write the server's own address there (on Supabase: the direct connection or the session pooler, port 5432).",
  );
}

function pgSession(client: pg.Client): PostgresSession {
  return {
    run: async (text) => {
      await client.query(text);
    },
    rows: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
  };
}
