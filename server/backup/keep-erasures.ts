/**
 * Takes over who was erased from the database that a backup is about to replace: this node may have been away then, and have
 * nobody to ask afterwards.
 */
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { PerchError } from "../errors.ts";
import { deriveKey } from "../keys.ts";
import { silentLog } from "../log.ts";
import { openDatabase } from "../open-database.ts";
import { createErasuresRepo } from "../privacy/erasure/erasures.repo.ts";
import { LEDGER, openErasureLedger } from "../privacy/erasure/ledger.ts";

/** Does nothing where the database in place cannot be read: it is what the backup is for. */
export async function keepErasures(config: Config, clock: Clock): Promise<void> {
  const opened = await openDatabase(config).catch((error: unknown) => {
    if (error instanceof PerchError && error.code === "conflict") throw error;
    return undefined;
  });
  if (opened === undefined) return;
  const { db, master } = opened;
  try {
    const erased = await createErasuresRepo(db).fenced(db.read);
    // A database that is new has another key, and nothing to say.
    if (erased.length === 0) return;
    const ledger = openErasureLedger({
      file: join(config.DATA_DIR, LEDGER),
      copies: [`${config.keyFile}.erasures`, join(config.backupDir, LEDGER)],
      key: deriveKey(master, "erasure ledger"),
      ...{ clock, log: silentLog },
    });
    for (const entry of erased) ledger.append(entry);
  } finally {
    await db.close();
  }
}
