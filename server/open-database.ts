import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { type Audit, sealEarlierChains } from "./audit/audit.repo.ts";
import { backUpBeforeUpdate } from "./backup/backup.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { databaseFile } from "./db/database-file.ts";
import { openMasterKey } from "./db/master-key.repo.ts";
import { demandNotMoved } from "./db/move/move-mark.repo.ts";
import { openPostgres } from "./db/postgres-open.ts";
import { sealEarlierRows } from "./db/seal-earlier.repo.ts";
import { openSqlite } from "./db/sqlite.ts";
import { demandAlone, rekeySqlite } from "./db/sqlite-rekey.ts";
import { keysFileKey, keysFileOf } from "./db/subject-keys.sqlite.ts";
import { PerchError } from "./errors.ts";
import { deriveKey, dropPreviousFileKey, readFileKey, readPreviousFileKey, replaceFileKey } from "./keys.ts";
import { makeFolder } from "./make-folder.ts";
import { projectRoot } from "./paths.ts";

export interface OpenedDatabase {
  readonly db: Database;
  /** Every key is derived from it. */
  readonly master: Buffer;
  /** Set when this opening finished a change of the key file: call it once that is recorded. */
  readonly keyChanged: (() => void) | undefined;
}

/**
 * Opens the database of a configuration; the admin commands use it beside a running server. One that is being moved, or
 * was moved away, is refused but to the move itself (`isMoving`). Before a newer version changes one that was there a backup
 * of it is made, where there is a clock to name it by.
 */
export async function openDatabase(
  config: Config,
  { isMoving = false, clock }: { readonly isMoving?: boolean; readonly clock?: Clock } = {},
): Promise<OpenedDatabase> {
  const file = databaseFile(config);
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
  const fileKey = readFileKey({ keyFile: config.keyFile, databaseExists: existsSync(file) });
  const kept = readPreviousFileKey(config.keyFile);
  // Killed between keeping the old key and putting in the new one: nothing has changed.
  const previous = kept?.equals(fileKey) === true ? undefined : kept;
  if (kept !== undefined && previous === undefined) dropPreviousFileKey(config.keyFile);
  const migrations = join(projectRoot(), "migrations");
  const key = deriveKey(fileKey, "database");
  if (previous !== undefined && config.DATABASE_URL === undefined) {
    const from = deriveKey(previous, "database");
    rekeySqlite({ file, from, to: key });
    rekeySqlite({ file: keysFileOf(file), from: keysFileKey(from), to: keysFileKey(key) });
  }
  const db =
    config.DATABASE_URL === undefined
      ? await openSqlite({
          ...{ file, key, migrationsFolder: join(migrations, "sqlite") },
          beforeUpdate: async () => clock && backUpBeforeUpdate(config, clock),
        })
      : await openPostgres({
          url: config.DATABASE_URL,
          directUrl: config.DATABASE_DIRECT_URL,
          schema: config.DATABASE_SCHEMA,
          pool: config.DATABASE_POOL,
          migrationsFolder: join(migrations, "postgres"),
          beforeUpdate: async (schema) => {
            // Who makes their backups themselves has switched the server's off.
            if (clock !== undefined && config.BACKUP_HOURS > 0) await backUpBeforeUpdate(config, clock, schema);
          },
        });
  try {
    if (!isMoving) await demandNotMoved(db);
    const master = await openMasterKey(db, fileKey, previous, (tx, made) =>
      sealEarlierChains(db, tx, deriveKey(made, "audit heads")),
    );
    db.keys.unlock(master);
    await sealEarlierRows(db);
    return { db, master, keyChanged: previous && (() => dropPreviousFileKey(config.keyFile)) };
  } catch (error) {
    await db.close();
    throw error;
  }
}

/**
 * Gives the key file a new key; the next `openDatabase` finishes the work. Throws `conflict` while another process has
 * the SQLite file open; a PostgreSQL server may go on, because a running server has the master key already.
 */
export async function replaceKey(config: Config): Promise<void> {
  const opened = await openDatabase(config);
  await opened.db.close();
  const fileKey = readFileKey({ keyFile: config.keyFile, databaseExists: true });
  if (config.DATABASE_URL === undefined) demandAlone(databaseFile(config), deriveKey(fileKey, "database"));
  replaceFileKey(config.keyFile);
}

/** Records a change of the key file that this opening finished, then forgets the old key. */
export async function recordKeyChange(opened: OpenedDatabase, audit: Audit, reason: string): Promise<void> {
  if (opened.keyChanged === undefined) return;
  await opened.db.tx((tx) =>
    audit.record(tx, { chain: "server", actor: "operator", action: "admin.key_rotated", detail: { reason } }),
  );
  opened.keyChanged();
}
