/**
 * Puts a backup back into a throw-away folder and looks whether it is what it was made of: every table with its count and
 * checksum, every sealed field opens, every chain of the audit log holds. What a restore would need and lacks shows here,
 * not on the day it is needed.
 */
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { createAudit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { openSealedFields } from "../db/move/sealed-fields.repo.ts";
import { countDatabase } from "../db/sqlite-copy.ts";
import { PerchError } from "../errors.ts";
import { deriveKey, readFileKey } from "../keys.ts";
import { openDatabase } from "../open-database.ts";
import { examineBackup } from "./backup.ts";
import { DATABASE, KEYS } from "./database-copy.ts";

const VERIFIED = "verified.json";
const verified = z.strictObject({ at: z.iso.datetime(), tables: z.int(), rows: z.int() });

/** Of a backup that was put back and compared; `undefined` for one that was not. */
export async function readVerified(folder: string): Promise<z.infer<typeof verified> | undefined> {
  const text = await readFile(join(folder, VERIFIED), "utf8").catch(() => undefined);
  const parsed = text === undefined ? undefined : verified.safeParse(tryJson(text));
  return parsed?.success === true ? parsed.data : undefined;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const placeOf = (config: Pick<Config, "DATA_DIR">) => join(config.DATA_DIR, "verifying");

/** Of a process that was killed meanwhile. */
export async function removeHalfVerified(config: Pick<Config, "DATA_DIR">): Promise<void> {
  await rm(placeOf(config), { recursive: true, force: true });
}

/** @throws PerchError that says what does not come back */
export async function verifyBackup(config: Config, clock: Clock, folder: string): Promise<{ rows: number }> {
  const list = await examineBackup(config, clock, folder);
  const place = placeOf(config);
  await removeHalfVerified(config);
  try {
    await mkdir(place, { recursive: true, mode: 0o700 });
    for (const name of [DATABASE, `${DATABASE}.keyid`]) await copyFile(join(folder, name), join(place, name));
    const keys = join(dirname(folder), KEYS);
    if (existsSync(keys)) await copyFile(keys, join(place, KEYS));
    const key = deriveKey(readFileKey({ keyFile: config.keyFile, databaseExists: true }), "database");
    const found = await countDatabase(join(place, DATABASE), key);
    for (const { table, rows, checksum } of list.tables ?? []) {
      const there = found.find((one) => one.table === table);
      if (there?.rows === rows && there.checksum === checksum) continue;
      throw new PerchError("conflict", `${table}: ${there?.rows ?? 0} rows come back of ${rows}, or not as they were.`);
    }
    await demandReadable(
      { ...config, DATABASE_URL: undefined, DATABASE_DIRECT_URL: undefined, DATA_DIR: place },
      clock,
    );
    const rows = found.reduce((sum, one) => sum + one.rows, 0);
    const done: z.infer<typeof verified> = { at: new Date(clock.now()).toISOString(), tables: found.length, rows };
    await writeFile(join(folder, VERIFIED), JSON.stringify(done), { mode: 0o600 });
    return { rows };
  } finally {
    await removeHalfVerified(config);
  }
}

/** Opens it as a server would. */
async function demandReadable(config: Config, clock: Clock): Promise<void> {
  const { db, master } = await openDatabase(config);
  try {
    await openSealedFields(db);
    const audit = createAudit(db, clock, deriveKey(master, "audit heads"));
    for (const chain of await audit.chains()) {
      const { how } = await audit.verify(chain);
      if (how !== undefined) throw new PerchError("conflict", "A chain of the audit log does not hold in the backup.");
    }
    if (!(await audit.hasEveryChain())) {
      throw new PerchError("conflict", "A whole chain of the audit log is missing in the backup.");
    }
  } finally {
    await db.close();
  }
}
