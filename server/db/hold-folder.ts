/** One server for one data folder, where no register of nodes in a shared database sees to that. */
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { PerchError } from "../errors.ts";

/**
 * Holds the folder until the answer is called, or the process ends, however it ends: it is SQLite's lock of an empty file,
 * which is the kernel's (sqlite.org/lockingv3.html). Commands of the operator do not ask for it.
 * @throws PerchError `conflict` while another server has it
 */
export function holdFolder(folder: string): () => void {
  const lock = new Sqlite(join(folder, "server.lock"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    if (!(cause instanceof Sqlite.SqliteError && cause.code.startsWith("SQLITE_BUSY"))) throw cause;
    throw new PerchError(
      "conflict",
      `Another server runs on ${folder}. Stop it, or set DATA_DIR to another folder; a folder belongs to one server.`,
      { cause },
    );
  }
  return () => lock.close();
}
