/** Bare better-sqlite3 with the settings of the server's own database: what database work costs at the least. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";

export interface BareDatabase {
  readonly db: Sqlite.Database;
  /** Runs the statement in a transaction of its own, flushed to disk. */
  commit(write: () => void): void;
  close(): Promise<void>;
}

/** Encrypted, every commit flushed to disk, with the tables of `schema`. */
export async function openBare(schema: string): Promise<BareDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
  const db = new Sqlite(join(folder, "bare.db"));
  db.pragma(`key = "x'${"5a".repeat(32)}'"`);
  db.pragma("secure_delete = ON");
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(schema);
  const begin = db.prepare("begin immediate");
  const commit = db.prepare("commit");
  return {
    db,
    commit(write) {
      begin.run();
      write();
      commit.run();
    },
    async close() {
      db.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
