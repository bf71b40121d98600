import { rmSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { type MovedCount, tallyTable } from "./move/move.ts";
import { movedTables } from "./move/moved-tables.ts";
import { sqliteReader } from "./move/rows.sqlite.ts";

/** A database somebody writes, as often as this while it is copied, is compared with its copy alone. */
const MOST_TRIES = 5;

export interface CopyOrder {
  readonly from: string;
  readonly key: Buffer;
  readonly to: string;
}

/** Writes what the database is at one moment to a new file, under the same key. May run beside writers. */
export function copyDatabase(from: string, key: Buffer, to: string): void {
  const db = connect(from, key);
  try {
    vacuumInto(db, to);
  } finally {
    db.close();
  }
}

/** The same, and what every table held at that moment. */
export async function copyCounted({ from, key, to }: CopyOrder): Promise<readonly MovedCount[]> {
  const db = connect(from, key);
  const before = connect(from, key);
  try {
    for (let left = MOST_TRIES; left > 0; left -= 1) {
      const version = db.pragma("data_version", { simple: true });
      before.exec("BEGIN");
      // Reading begins the moment this connection sees.
      before.prepare("select 1 from sqlite_master limit 1").get();
      vacuumInto(db, to);
      if (db.pragma("data_version", { simple: true }) === version) return await countTables(before);
      before.exec("ROLLBACK");
      if (left > 1) rmSync(to);
    }
    const copy = connect(to, key);
    return await countTables(copy).finally(() => copy.close());
  } finally {
    if (before.inTransaction) before.exec("ROLLBACK");
    before.close();
    db.close();
  }
}

/** Counts and checksums of a file as a backup's list has them. */
export async function countDatabase(file: string, key: Buffer): Promise<readonly MovedCount[]> {
  const db = connect(file, key);
  return countTables(db).finally(() => db.close());
}

async function countTables(db: Sqlite.Database): Promise<MovedCount[]> {
  const counts: MovedCount[] = [];
  const reader = sqliteReader(db, db);
  for (const table of movedTables()) {
    const { rows, checksum } = await tallyTable(reader, table);
    counts.push({ table: table.name, rows, checksum });
  }
  return counts;
}

function vacuumInto(db: Sqlite.Database, to: string): void {
  // Keeps the cipher and the key; `backup()` refuses encrypted databases (research/privacy.md, finding 3).
  db.prepare("vacuum into ?").run(to);
}

function connect(file: string, key: Buffer): Sqlite.Database {
  const db = new Sqlite(file, { readonly: true, timeout: 10_000 });
  db.pragma(`key = "x'${key.toString("hex")}'"`);
  return db;
}
