import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { openPostgres } from "./db/postgres.ts";
import { openSqlite } from "./db/sqlite.ts";
import { PerchError } from "./errors.ts";
import { deriveKey, readMasterKey } from "./keys.ts";
import { makeFolder } from "./make-folder.ts";
import { projectRoot } from "./paths.ts";

/** Opens the database of a configuration; the admin commands use it beside a running server. */
export async function openDatabase(config: Config): Promise<{ db: Database; master: Buffer }> {
  const file = join(config.DATA_DIR, "perch.db");
  // Others may pass through, not look: web phones run as another user and have their own folders inside.
  try {
    makeFolder(config.DATA_DIR, 0o711);
    accessSync(config.DATA_DIR, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new PerchError(
      "unavailable",
      `The folder ${config.DATA_DIR} cannot be made or written. Give this user rights to it, or set DATA_DIR to another one.`,
      { cause: error },
    );
  }
  const master = readMasterKey({ keyFile: config.keyFile, databaseExists: existsSync(file) });
  const migrations = join(projectRoot(), "migrations");
  const db =
    config.DATABASE_URL === undefined
      ? await openSqlite({ file, key: deriveKey(master, "database"), migrationsFolder: join(migrations, "sqlite") })
      : await openPostgres({ url: config.DATABASE_URL, migrationsFolder: join(migrations, "postgres") });
  return { db, master };
}
