/** Puts a backup back: the database, the files of this node beside it, and before anything else what says who was erased since. */
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { databaseFile } from "../db/database-file.ts";
import { demandAlone } from "../db/sqlite-rekey.ts";
import { keysFileOf } from "../db/subject-keys.sqlite.ts";
import { deriveKey, readFileKey, syncFolder } from "../keys.ts";
import { LEDGER, restoredLedgerOf } from "../privacy/erasure/ledger.ts";
import { type Backup, baseOf, examineBackup, foldersOf, summaryOf } from "./backup.ts";
import { DATABASE, demandPostgresAlone, KEYS, putIntoPostgres } from "./database-copy.ts";
import { keepErasures } from "./keep-erasures.ts";

/**
 * Puts a backup in the place of what is there. Looks through all of it first, and does nothing while another process has
 * the database open. Killed meanwhile, it can be run again. Who was erased since the backup is erased again before the
 * server answers anybody.
 */
export async function restoreBackup(config: Config, clock: Clock, from: string): Promise<Backup> {
  const list = await examineBackup(config, clock, from);
  const key = deriveKey(readFileKey({ keyFile: config.keyFile, databaseExists: true }), "database");
  const file = databaseFile(config);
  const isEmbedded = config.DATABASE_URL === undefined;
  if (list.database === "sqlite") {
    await demandPostgresAlone(config);
    if (isEmbedded && existsSync(file)) demandAlone(file, key);
  }
  if (!isEmbedded) await keepErasures(config, clock);
  await mkdir(config.DATA_DIR, { recursive: true, mode: 0o711 });
  const beside = join(dirname(from), LEDGER);
  const taken = restoredLedgerOf(join(config.DATA_DIR, LEDGER));
  if (existsSync(beside)) await copyFile(beside, taken);
  else await writeFile(taken, "", { mode: 0o600 });
  const next = join(config.DATA_DIR, "restoring");
  await rm(next, { recursive: true, force: true });
  for (const { path } of list.files) {
    await mkdir(dirname(join(next, path)), { recursive: true, mode: 0o711 });
    await copyFile(join(from, path), join(next, path));
  }
  if (list.database === "sqlite" && !isEmbedded) {
    const kept = join(dirname(from), KEYS);
    if (existsSync(kept)) await copyFile(kept, join(next, KEYS));
    await putIntoPostgres(config, key, next);
  }
  for (const below of foldersOf(list.holds, config)) {
    const place = join(await baseOf(config, below), below);
    await rm(place, { recursive: true, force: true });
    if (existsSync(join(next, below))) {
      await mkdir(dirname(place), { recursive: true, mode: 0o711 });
      await move(join(next, below), place);
    }
  }
  if (list.database === "sqlite" && isEmbedded) {
    for (const leftover of [`${file}-wal`, `${file}-shm`]) await rm(leftover, { force: true });
    const keys = keysFileOf(file);
    const kept = join(dirname(from), KEYS);
    // Those in place are the truth: what was destroyed since stays unreadable.
    if (!existsSync(keys) && existsSync(kept)) await copyFile(kept, keys);
    await rename(join(next, DATABASE), file);
    await rename(join(next, `${DATABASE}.keyid`), `${file}.keyid`);
  }
  await rm(next, { recursive: true, force: true });
  syncFolder(config.DATA_DIR);
  return summaryOf(from, list);
}

/** As `rename`, also to another disk. */
async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV") throw error;
    await cp(from, to, { recursive: true });
    await rm(from, { recursive: true, force: true });
  });
}
