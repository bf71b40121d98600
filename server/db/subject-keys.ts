/**
 * One random key a person, kept apart from the data: without it the personal fields of every copy of the data are
 * unreadable, old backups included. `docs/decisions/subject-keys.md` says what that gives and what not.
 */
import { randomBytes } from "node:crypto";
import { getTableColumns } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { UserId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import type { Reader, Writer } from "./database.ts";
import { columnPrivacy, privacyOf, sealedPlace } from "./dialect.ts";
import type { Keyring } from "./sealed-fields.ts";

export interface SubjectKeys {
  /** Nothing sealed can be read or written before. Everything is derived from the master key. */
  unlock(master: Buffer): void;
  /** Gives a new person their key. Does nothing when they have one. */
  create(tx: Writer, userId: UserId): Promise<void>;
  /**
   * The values with those sealed that the table keeps under the key of a person: for an insert or an update. Whose key:
   * `userId`, or the value of the column the table names as its subject.
   */
  row<V extends object>(tx: Writer, table: SQLiteTable, values: V, userId?: UserId): Promise<V>;
  /**
   * Forgets the key here and on every node; the person's sealed fields read as `ERASED` from then on. Outside of
   * transactions, and as often as one likes.
   */
  destroy(userId: UserId): Promise<void>;
  /** Asks the store, not the cache. */
  exists(userId: UserId): Promise<boolean>;
  /** Whether a stored value is one of this column: for the sealing of rows from before there were keys. */
  isSealed(place: string, stored: string): boolean;
}

/** Where the keys are kept; `wrapped` opens only with a key derived from the master key. */
export interface KeyStore {
  /** Keeps the first one. */
  insert(tx: Writer, subject: string, wrapped: string): Promise<void>;
  find(reader: Reader | undefined, subject: string): Promise<string | undefined>;
  /** Calls `forget` once it is gone for good. */
  remove(subject: string, forget: () => void): Promise<void>;
}

export function createSubjectKeys(keyring: Keyring, store: KeyStore): SubjectKeys {
  /** Has the key in the keyring, so that sealing needs no waiting. */
  async function bring(tx: Writer, subject: string): Promise<void> {
    if (keyring.has(subject)) return;
    const wrapped = await store.find(tx, subject);
    if (wrapped !== undefined) keyring.remember([[subject, wrapped]]);
  }
  return {
    unlock: (master) => keyring.unlock(master),
    async create(tx, userId) {
      const key = randomBytes(32);
      const wrapped = keyring.wrap(userId, key);
      await store.insert(tx, userId, wrapped);
      const kept = await store.find(tx, userId);
      if (kept === wrapped) keyring.add(userId, key);
      else await bring(tx, userId);
    },
    async row(tx, table, values, userId) {
      const columns = getTableColumns(table);
      const sealed = { ...values } as Record<string, unknown>;
      const subject = userId ?? subjectOf(table, sealed);
      for (const [property, value] of Object.entries(values)) {
        const column = columns[property];
        const place = column && sealedPlace(column);
        if (column === undefined || place === undefined || typeof value !== "string") continue;
        if (columnPrivacy(column).sealed !== "subject") continue;
        if (subject === undefined) throw new Error(`Nobody is named whose key seals ${place}.`);
        await bring(tx, subject);
        sealed[property] = keyring.sealFor(subject, place, value);
      }
      return sealed as typeof values;
    },
    destroy: (userId) => store.remove(userId, () => keyring.forget(userId)),
    exists: async (userId) => (await store.find(undefined, userId)) !== undefined,
    isSealed: (place, stored) => keyring.isSealed(place, stored),
  };
}

function subjectOf(table: SQLiteTable, values: Record<string, unknown>): string | undefined {
  const { subject } = privacyOf(table);
  const value = "column" in subject ? values[subject.column] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** For rows that are sealed while there are no keys at all. */
export function keysMissing(what: string): PerchError {
  return new PerchError(
    "unavailable",
    `The keys of people (${what}) are missing, and their names and addresses cannot be read without them. Put them back from a backup.`,
  );
}
