/**
 * The database as services see it: one typed reader, and `tx` as the only way to write. Both engines give
 * serializable transactions: SQLite by one writer connection behind a queue, PostgreSQL by isolation level with retry.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import { PerchError } from "../errors.ts";
import { troubleOf } from "../trouble.ts";
import type { EngineName } from "./dialect.ts";
import type { SubjectKeys } from "./subject-keys.ts";
import type { Tables } from "./tables.ts";

type Engine = BaseSQLiteDatabase<"async", unknown>;
export type Reader = Pick<Engine, "select" | "selectDistinct" | "with" | "$with" | "$count">;
export type Writer = Reader & Pick<Engine, "insert" | "update" | "delete">;

/** Told in place of a topic when announcements are heard again after a while in which some may have been missed. */
export const HEARD_AGAIN = "heard-again";

export interface Database {
  readonly engine: EngineName;
  readonly t: Tables;
  /** What seals the personal fields of rows. */
  readonly keys: SubjectKeys;
  /** Sees committed rows only. Throws inside `tx`: use the transaction there. */
  readonly read: Reader;
  /**
   * Runs `work` in a serializable transaction. It may run more than once (PostgreSQL retries conflicts), so it must
   * do nothing outside the database. Refuses to nest. Throws `account_closing` for a row that would lead to a person who
   * is being erased.
   */
  tx<T>(work: (tx: Writer) => Promise<T>): Promise<T>;
  /** Calls `listener` with a topic when another node announced one, or with `HEARD_AGAIN`; on SQLite there is no other node. */
  onAnnounced(listener: (topic: string) => void): () => void;
  /** Announces a topic to other nodes inside a transaction. */
  announce(tx: Writer, topic: string): Promise<void>;
  /**
   * Overwrites what was deleted from these tables, as far as the engine keeps any of it: SQLite's log is written back and
   * emptied, PostgreSQL's dead rows go. False when somebody is reading still: try again.
   */
  settle(tables: readonly string[]): Promise<boolean>;
  /** Every page in clear, free ones included; undefined where the engine shows none, or there are too many to look at. */
  pages(): Promise<Buffer | undefined>;
  /** Of the pool, where there is one. */
  connections?(): { readonly idle: number; readonly busy: number; readonly waiting: number };
  close(): Promise<void>;
}

const inside = new AsyncLocalStorage<true>();

/** Marks the async context of a transaction, so that a nested `tx` or a stray `read` fails loudly instead of deadlocking. */
export function insideTransaction<T>(work: () => Promise<T>): Promise<T> {
  if (inside.getStore()) throw new Error("A transaction was started inside a transaction. Pass the outer one on.");
  return inside.run(true, work);
}

/** A reader that throws inside a transaction. */
export function guardedReader(reader: Reader): Reader {
  return new Proxy(reader, {
    get(target, property, receiver) {
      if (inside.getStore()) throw new Error("The reader was used inside a transaction. Use the transaction.");
      const value: unknown = Reflect.get(target, property, receiver);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Hands work through one at a time, in order of arrival. */
export function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = tail.then(work, work);
    tail = result.catch(() => {});
    return result;
  };
}

/** What the write fence says, on either engine (`write-fence.ts`). */
export const FENCE_MESSAGE = "perch_account_closing";
export const FENCE_SQLSTATE = "PE001";

/** True when the error says that a row would lead to a person who is being erased. */
export function isFenced(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && (at.code === FENCE_SQLSTATE || at.code === "SQLITE_CONSTRAINT_TRIGGER")) {
      return at.message.includes(FENCE_MESSAGE);
    }
  }
  return false;
}

/** For `tx`: what the fence refused, and what ails the database, in the words people read; any other error as it is. */
export function inWords(error: unknown): unknown {
  if (!isFenced(error)) return troubleOf(error) ?? error;
  return new PerchError("account_closing", "This account is being deleted.", { cause: error });
}

/** True when the error says that a unique index refused a row, on either engine. */
export function isUniqueViolation(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = "code" in at ? at.code : undefined;
    if (code === "23505" || code === "SQLITE_CONSTRAINT_UNIQUE" || code === "SQLITE_CONSTRAINT_PRIMARYKEY") return true;
  }
  return false;
}
