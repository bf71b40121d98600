/** Keys of people in a file of their own beside the database, encrypted with another key than that. */
import { dirname, join } from "node:path";
import type Sqlite from "better-sqlite3";
import { PerchError } from "../errors.ts";
import { deriveKey } from "../keys.ts";
import type { KeyStore } from "./subject-keys.ts";

/** The file of the keys that belong to a database file. */
export function keysFileOf(databaseFile: string): string {
  return join(dirname(databaseFile), "keys.db");
}

/** The key of that file, derived from the key of the database file. */
export function keysFileKey(databaseKey: Buffer): Buffer {
  return deriveKey(databaseKey, "subject keys");
}

/** Whether somebody's fields are sealed: then the keys have to be there. */
export function holdsSealedPeople(db: Sqlite.Database): boolean {
  return db.prepare("select 1 from users where email like 'v1.%' and email not like '%@%' limit 1").get() !== undefined;
}

export interface SqliteKeyStore extends KeyStore {
  findNow(subject: string): string | undefined;
  /** Whether another process wrote since the last call. */
  isStale(): boolean;
  close(): void;
}

/**
 * A key is on the disk before the row that needs it: it is written at once, outside the transaction. A transaction that
 * is taken back leaves a key that opens nothing.
 */
export function openKeyStore(db: Sqlite.Database): SqliteKeyStore {
  db.exec("create table if not exists subject_keys (subject text primary key, sealed text not null) without rowid");
  const insert = db.prepare<[string, string]>("insert or ignore into subject_keys values (?, ?)");
  const find = db.prepare<[string], { sealed: string }>("select sealed from subject_keys where subject = ?");
  const remove = db.prepare<[string]>("delete from subject_keys where subject = ?");
  const version = db.prepare<[], { data_version: number }>("pragma data_version");
  let seen = version.get()?.data_version;
  const findNow = (subject: string) => find.get(subject)?.sealed;
  return {
    findNow,
    isStale() {
      const now = version.get()?.data_version;
      if (now === seen) return false;
      seen = now;
      return true;
    },
    async insert(_tx, subject, wrapped) {
      insert.run(subject, wrapped);
    },
    find: async (_reader, subject) => findNow(subject),
    async remove(subject, forget) {
      remove.run(subject);
      forget();
      // The row is overwritten in the file, not in the log: without this the log still has it.
      const [{ busy } = { busy: 1 }] = db.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
      if (busy !== 0) {
        throw new PerchError("unavailable", "Another process reads the keys of people. Try again in a moment.");
      }
    },
    close() {
      db.pragma("wal_checkpoint(TRUNCATE)");
      db.close();
    },
  };
}
