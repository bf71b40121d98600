/** SQLite, encrypted at rest: two connections on one WAL file, one that reads and one that writes. */
import { createHash } from "node:crypto";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { PerchError } from "../errors.ts";
import {
  createQueue,
  type Database,
  guardedReader,
  insideTransaction,
  inWords,
  type Reader,
  type Writer,
} from "./database.ts";
import { demandKnown, sqliteColumns } from "./live-schema.ts";
import { updateSqlite } from "./migrate.ts";
import { createKeyring } from "./sealed-fields.ts";
import {
  holdsSealedPeople,
  keysFileKey,
  keysFileOf,
  openKeyStore,
  type SqliteKeyStore,
} from "./subject-keys.sqlite.ts";
import { createSubjectKeys, keysMissing } from "./subject-keys.ts";
import { tablesFor, tablesWith } from "./tables.ts";
import { fenceSqlite } from "./write-fence.ts";

/** More is not taken into memory at once. */
const MOST_PAGE_BYTES = 512 * 1024 * 1024;
const PLAINTEXT_HEADER = "SQLite format 3\0";

export interface SqliteOptions {
  /** Path of the database file; its folder is made when missing. */
  readonly file: string;
  /** 32 bytes. The key never stands beside the data. */
  readonly key: Buffer;
  readonly migrationsFolder: string;
  /** Called before migrations change a database that was there already. */
  readonly beforeUpdate?: () => Promise<void>;
}

/** Opens, checks the header, decrypts, migrates, compares with the data map and puts up the write fence. Throws `PerchError` with what to do when any of it cannot be. */
export async function openSqlite(options: SqliteOptions): Promise<Database> {
  // The engine takes an empty key for "no encryption" and says nothing.
  if (options.key.length !== 32) throw new Error("The key of a database has 32 bytes.");
  mkdirSync(dirname(options.file), { recursive: true, mode: 0o711 });
  if (existsSync(options.file)) refusePlaintext(options.file);
  checkKey(options);

  const writer = connect(options, false);
  let reader: Sqlite.Database;
  let store: SqliteKeyStore;
  try {
    await updateSqlite(writer, options.migrationsFolder, async () => options.beforeUpdate?.());
    demandKnown(sqliteColumns(writer), tablesFor.sqlite);
    fenceSqlite(writer, tablesFor.sqlite);
    refusePlaintext(options.file);
    store = openKeys(options, holdsSealedPeople(writer));
    reader = connect(options, true);
  } catch (error) {
    writer.close();
    throw isDamage(error) ? damaged(options.file, error) : error;
  }
  rememberKey(options.file, options.key);
  const keyring = createKeyring(store);
  const write = asWriter(drizzle(writer, { casing: "snake_case" }));
  const queue = createQueue();

  return {
    engine: "sqlite",
    t: tablesWith("sqlite", keyring),
    keys: createSubjectKeys(keyring, store),
    read: guardedReader(asWriter(drizzle(reader, { casing: "snake_case" }))),
    tx: (work) =>
      insideTransaction(() =>
        queue(async () => {
          writer.exec("BEGIN IMMEDIATE");
          try {
            const result = await work(write);
            writer.exec("COMMIT");
            return result;
          } catch (error) {
            if (writer.inTransaction) writer.exec("ROLLBACK");
            throw inWords(error);
          }
        }),
      ),
    settle: () =>
      queue(async () => {
        const [result] = writer.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
        return result?.busy === 0;
      }),
    async pages() {
      const size =
        Number(reader.pragma("page_count", { simple: true })) * Number(reader.pragma("page_size", { simple: true }));
      return size <= MOST_PAGE_BYTES ? reader.serialize() : undefined;
    },
    onAnnounced: () => () => {},
    announce: async () => {},
    async close() {
      await queue(async () => {
        reader.close();
        writer.pragma("wal_checkpoint(TRUNCATE)");
        writer.close();
        store.close();
      });
    },
  };
}

/** The file with the keys of people, under a key of its own. */
function openKeys(options: SqliteOptions, areNeeded: boolean): SqliteKeyStore {
  const at = { ...options, file: keysFileOf(options.file), key: keysFileKey(options.key) };
  if (!existsSync(at.file)) {
    if (areNeeded) throw keysMissing(`the file ${at.file}`);
  } else refusePlaintext(at.file);
  checkKey(at);
  const store = openKeyStore(connect(at, false));
  rememberKey(at.file, at.key);
  return store;
}

/** better-sqlite3's builders are synchronous and awaitable; the contract suite holds that awaiting them is enough. */
function asWriter(db: unknown): Reader & Writer {
  return db as Reader & Writer;
}

function connect(options: SqliteOptions, readonly: boolean): Sqlite.Database {
  const db = new Sqlite(options.file, { readonly, timeout: 5000 });
  try {
    db.pragma(`key = "x'${options.key.toString("hex")}'"`);
    db.pragma("foreign_keys = ON");
    // Large sorts would go to temporary files, which the cipher does not cover.
    db.pragma("temp_store = MEMORY");
    if (!readonly) {
      db.pragma("secure_delete = ON");
      db.pragma("journal_mode = WAL");
      db.pragma("synchronous = FULL");
      chmodSync(options.file, 0o600);
    }
    db.prepare("select count(*) from sqlite_master").get();
    return db;
  } catch (error) {
    db.close();
    throw damaged(options.file, error);
  }
}

function damaged(file: string, cause: unknown): PerchError {
  return new PerchError(
    "unavailable",
    `The database ${file} is damaged, or its key is another one. Restore it from a backup with its key, or move it away to start empty.`,
    { cause },
  );
}

/** What SQLite says when a page cannot be read (result codes CORRUPT and NOTADB). */
function isDamage(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
}

function refusePlaintext(file: string): void {
  const descriptor = openSync(file, "r");
  try {
    const header = Buffer.alloc(PLAINTEXT_HEADER.length);
    readSync(descriptor, header, 0, header.length, 0);
    if (header.toString("latin1") === PLAINTEXT_HEADER) {
      throw new PerchError(
        "unavailable",
        `The database ${file} is not encrypted. Perch only opens encrypted databases; move it away or restore an encrypted one.`,
      );
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A fingerprint of the key stands beside the database, so that a wrong key is told from a damaged file. It is written
 * after the database was read with the key, so it never remembers a wrong one.
 */
function checkKey({ file, key }: Pick<SqliteOptions, "file" | "key">): void {
  const fingerprintFile = `${file}.keyid`;
  if (!existsSync(file) || !existsSync(fingerprintFile)) return;
  if (readFileSync(fingerprintFile, "utf8").trim() !== fingerprint(key)) {
    throw new PerchError(
      "unavailable",
      `The key file does not fit the database ${file}. Put back the key this database was made with (KEY_FILE), or move the database away to start empty.`,
    );
  }
}

/** Looks at the outside of a database's file: that it is encrypted, and made with this key. @throws PerchError */
export function demandFits(at: Pick<SqliteOptions, "file" | "key">): void {
  refusePlaintext(at.file);
  checkKey(at);
}

/** For a file that was read with the key. */
export function rememberKey(file: string, key: Buffer): void {
  writeFileSync(`${file}.keyid`, fingerprint(key), { mode: 0o600 });
}

function fingerprint(key: Buffer): string {
  return createHash("sha256").update("perch key id").update(key).digest("hex").slice(0, 16);
}
