/**
 * One serializable transaction of node-postgres. drizzle's own loses a connection of the pool for good when `begin` fails
 * on it, as after a restart of the server, and does not tell whether `commit` was on its way when the connection went.
 * Time-outs are set in the transaction, with `begin` in one message, because a transaction pooler keeps no settings and
 * takes none with the connection.
 */
import { NodePgSession, NodePgTransaction } from "drizzle-orm/node-postgres";
import type { PgDialect } from "drizzle-orm/pg-core";
import type pg from "pg";
import { isAway, isReadOnly, outcomeUnknown } from "../trouble.ts";
import type { Keyring } from "./sealed-fields.ts";
import { bringingKeys } from "./subject-keys.postgres.ts";

/** Longer than any statement, wait and pause of a healthy server, shorter than people wait. */
const STATEMENT_MS = 60_000;
const LOCK_MS = 15_000;
const IDLE_MS = 60_000;
const BEGIN = `begin isolation level serializable; set local statement_timeout = ${STATEMENT_MS}; set local lock_timeout = ${LOCK_MS}; set local idle_in_transaction_session_timeout = ${IDLE_MS}`;
/** Half-open connections are given up; a little more than what the server itself allows a statement. */
export const QUERY_TIMEOUT_MS = STATEMENT_MS + 15_000;

export interface Transacting {
  readonly pool: pg.Pool;
  readonly dialect: PgDialect;
  readonly keyring: Keyring;
  readonly keysSchema: string;
}

/** @throws what `work` or the database throws, after the transaction was taken back; `outcomeUnknown` when nobody can know. */
export async function transact<T>(parts: Transacting, work: (tx: unknown) => Promise<T>): Promise<T> {
  const client = await parts.pool.connect();
  let isSpent = false;
  try {
    let result: T;
    try {
      await client.query(BEGIN);
      result = await work(transactionOn(client, parts));
    } catch (error) {
      isSpent = isAway(error) || isReadOnly(error) || !(await rolledBack(client));
      throw error;
    }
    try {
      await client.query("commit");
    } catch (error) {
      isSpent = true;
      throw isAway(error) ? outcomeUnknown(error) : error;
    }
    return result;
  } finally {
    client.release(isSpent);
  }
}

/** Behind drizzle's types: its classes take any client that answers `query`. */
function transactionOn(client: pg.PoolClient, { dialect, keyring, keysSchema }: Transacting): unknown {
  const session = new NodePgSession(bringingKeys(client, keyring, keysSchema), dialect, undefined);
  return new NodePgTransaction(dialect as never, session as never, undefined);
}

async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  return client.query("rollback").then(
    () => true,
    () => false,
  );
}
