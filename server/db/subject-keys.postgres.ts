/** Keys of people in a schema of their own, so that a dump can leave them out. */
import { eq, sql } from "drizzle-orm";
import * as pg from "drizzle-orm/pg-core";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { PerchError } from "../errors.ts";
import type { Database, Reader } from "./database.ts";
import type { PostgresSession } from "./migrate.ts";
import type { Keyring } from "./sealed-fields.ts";
import { type KeyStore, keysMissing } from "./subject-keys.ts";

const TABLE = "subject_keys";
const LOCK = 7_724_264;
const DESTROYED_TOPIC = "subject-key-destroyed:";

/** The schema of the keys that belong to a schema of tables. */
export function keysSchemaOf(schema: string): string {
  return `${schema}_keys`;
}

/** The keys' table as SQL names it. */
export function keysTableOf(keysSchema: string): string {
  return `"${keysSchema}"."${TABLE}"`;
}

function keysTable(keysSchema: string) {
  const table = pg.pgSchema(keysSchema).table(TABLE, { subject: pg.text().primaryKey(), sealed: pg.text().notNull() });
  /** drizzle's PostgreSQL builders behave as SQLite's; see `asWriter` in `postgres.ts`. */
  return table as unknown as SQLiteTable & typeof table;
}

/** Makes the schema and the table where they are missing. Refuses when people's fields are sealed and their keys are gone. */
export async function prepareKeyStore(session: PostgresSession, keysSchema: string): Promise<void> {
  const table = keysTableOf(keysSchema);
  await session.run("begin");
  try {
    await session.run(`select pg_advisory_xact_lock(${LOCK})`);
    const [there] = await session.rows(`select to_regclass('${table}')::text as name`);
    if (there?.["name"] == null) {
      const sealed = await session.rows(
        "select 1 as one from users where email like 'v1.%' and email not like '%@%' limit 1",
      );
      if (sealed.length > 0) throw keysMissing(`the table ${keysSchema}.${TABLE}`);
      const [schema] = await session.rows(`select to_regnamespace('"${keysSchema}"')::text as name`);
      if (schema?.["name"] == null) await session.run(`create schema "${keysSchema}"`);
      await session.run(`create table ${table} (subject text primary key, sealed text not null)`);
    }
    await session.run("commit");
  } catch (error) {
    await session.run("rollback");
    if (error instanceof Error && "code" in error && error.code === "42501") {
      throw new PerchError(
        "unavailable",
        `The user in DATABASE_URL may not make the schema ${keysSchema}, where the keys of people are kept. Make it and give it to this user: create schema ${keysSchema} authorization <user>.`,
        { cause: error },
      );
    }
    throw error;
  }
}

export function postgresKeyStore(database: () => Database, keysSchema: string): KeyStore {
  const subjectKeys = keysTable(keysSchema);
  return {
    async insert(tx, subject, wrapped) {
      await tx
        .insert(subjectKeys)
        .values({ subject, sealed: wrapped } as never)
        .onConflictDoNothing();
    },
    async find(reader, subject) {
      const from: Reader = reader ?? database().read;
      const [row] = await from
        .select({ sealed: sql<string>`${subjectKeys.sealed}` })
        .from(subjectKeys)
        .where(eq(subjectKeys.subject, subject));
      return row?.sealed;
    },
    async remove(subject, forget) {
      const db = database();
      await db.tx(async (tx) => {
        await tx.delete(subjectKeys).where(eq(subjectKeys.subject, subject));
        await db.announce(tx, DESTROYED_TOPIC + subject);
      });
      forget();
    },
  };
}

/** Forgets what another node destroyed. */
export function forgetAnnounced(keyring: Keyring, topic: string): void {
  if (topic.startsWith(DESTROYED_TOPIC)) keyring.forget(topic.slice(DESTROYED_TOPIC.length));
}

interface Client {
  query(text: string, parameters: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

/**
 * A client (node-postgres' pool or connection, PGlite) that has the keys of an answer's sealed values in the keyring
 * before it gives the answer: columns are opened without waiting. It asks on the connection the answer came from, so a
 * key made in the same transaction is found and a pool cannot run dry.
 */
export function bringingKeys<C extends object>(client: C, keyring: Keyring, keysSchema: string): C {
  return new Proxy(client, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      const call = (...parameters: unknown[]): unknown => Reflect.apply(member, target, parameters);
      switch (property) {
        case "query":
          return async (...parameters: unknown[]) => {
            const answer = (await call(...parameters)) as { rows?: unknown[] };
            await bring(target as unknown as Client, answer.rows ?? [], keyring, keysSchema);
            return answer;
          };
        case "connect":
          return async () => bringingKeys((await call()) as object, keyring, keysSchema);
        case "transaction":
          return (work: (tx: object) => unknown) => call((tx: object) => work(bringingKeys(tx, keyring, keysSchema)));
        default:
          return call;
      }
    },
  });
}

async function bring(client: Client, rows: readonly unknown[], keyring: Keyring, keysSchema: string): Promise<void> {
  const subjects = keyring.subjectsAmong(rows);
  if (subjects.size === 0) return;
  const { missing, release } = keyring.hold(subjects);
  if (missing.length === 0) return;
  const found = await client.query(`select subject, sealed from ${keysTableOf(keysSchema)} where subject = any($1)`, [
    missing,
  ]);
  keyring.remember(found.rows.map(({ subject, sealed }) => [String(subject), String(sealed)]));
  release();
}
