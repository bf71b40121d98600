/**
 * Backups of the embedded server: the database as one consistent copy, and the files beside it, all of it as encrypted as
 * it lies on the disk. A list of what is in it is sealed with the key of the key file, which is never part of a backup.
 * From PostgreSQL, too, it is one SQLite file (`database-copy.ts`); the files are those of this node.
 *
 * The keys of people are never in a backup but beside all of them, the newest copy alone: a key that was destroyed opens
 * nothing in any of them (`docs/decisions/subject-keys.md`). So does the ledger of erasures: whoever carries a backup to another
 * machine carries it along.
 *
 * No backup gets older than `BACKUP_DAYS`: what a person had erased is gone from them, too (clause P4.2).
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { copyFile, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { databaseFile } from "../db/database-file.ts";
import { rememberKey } from "../db/sqlite.ts";
import { type CopyOrder, copyCounted, copyDatabase } from "../db/sqlite-copy.ts";
import { keysFileKey, keysFileOf } from "../db/subject-keys.sqlite.ts";
import { PerchError } from "../errors.ts";
import { deriveKey, readFileKey, syncFolder } from "../keys.ts";
import { canonicalJson } from "../limits/idempotency.ts";
import { webPhonesRoot } from "../phones/drivers/web/storage.ts";
import { LEDGER } from "../privacy/erasure/ledger.ts";
import { copyEarlierInto, copyInto, copyKeysOf, DATABASE, KEYS, type TableCount } from "./database-copy.ts";

const DAY_MS = 24 * 3_600_000;
const LIST = "backup.json";
/** Of the database alone, made before a newer version changes it. */
const BEFORE_UPDATE = "-before-update";
const NAME = new RegExp(`^perch-\\d{8}T\\d{6}Z(${BEFORE_UPDATE})?$`);
/** Encrypted files beside the database. What runs and what is only passing (exports, caches) stays out. */
const FOLDERS = ["runs", "web-phones/phones", "web-phones/profiles", "android"] as const;
/** Of a running phone: plain, and changing while it is copied. */
const PLAIN = /^web-phones\/(profiles\/[a-f0-9]{24}(\.pid|\/|$)|phones\/[^/]+\/files\/)|\.(opening|gone|new)(\/|$)/;

const manifest = z.strictObject({
  format: z.literal(1),
  madeAt: z.iso.datetime(),
  database: z.enum(["sqlite", "none"]),
  /** Without it: all there is. */
  holds: z.literal("database").optional(),
  /** What every table held at that moment; before there were such, and of a database of an earlier version, nothing. */
  tables: z
    .array(z.strictObject({ table: z.string(), rows: z.int(), checksum: z.string().regex(/^[0-9a-f]{64}$/) }))
    .optional(),
  files: z.array(
    z.strictObject({ path: z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/), bytes: z.int(), sha256: z.string() }),
  ),
  mac: z.string(),
});
export type Manifest = z.infer<typeof manifest>;

export interface Backup {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  readonly rows: number;
}

export interface BackupOptions {
  /** The database alone, without the files beside it. */
  readonly holds?: "database";
  /** Where PostgreSQL has the tables of an earlier version. */
  readonly schema?: string;
  /** How the SQLite file is copied. */
  readonly copy?: (order: CopyOrder) => Promise<readonly TableCount[]>;
}

/** Makes a backup in a folder of its own under `to`; it has its name once it is whole. May run beside the server. */
export async function makeBackup(
  config: Config,
  clock: Clock,
  to: string,
  { holds, schema, copy = copyCounted }: BackupOptions = {},
): Promise<Backup> {
  const key = readFileKey({ keyFile: config.keyFile, databaseExists: true });
  const moment = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const name = `perch-${moment}${holds === undefined ? "" : BEFORE_UPDATE}`;
  const folder = join(to, name);
  const draft = `${folder}.new`;
  if (existsSync(folder))
    throw new PerchError("conflict", `There is a backup ${folder} already. Try again in a second.`);
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 });
    const tables = await databaseInto(config, deriveKey(key, "database"), draft, { holds, schema, copy });
    for (const below of foldersOf(holds, config)) await copyTree(await baseOf(config, below), below, draft);
    const files = await listed(draft);
    const plain = {
      format: 1 as const,
      madeAt: new Date(clock.now()).toISOString(),
      database: "sqlite" as const,
      ...(holds && { holds }),
      ...(tables && { tables: [...tables] }),
      files,
    };
    await writeFile(join(draft, LIST), JSON.stringify({ ...plain, mac: macOf(key, plain) }), { mode: 0o600 });
    await rename(draft, folder);
    await copyKeys(config, key, to);
    syncFolder(to);
    return summaryOf(folder, plain);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/** A database of an earlier version has other tables than this one: it is copied as it lies there, and not counted. */
async function databaseInto(
  config: Config,
  key: Buffer,
  draft: string,
  { holds, schema, copy }: Record<"holds" | "schema", string | undefined> & Required<Pick<BackupOptions, "copy">>,
): Promise<readonly TableCount[] | undefined> {
  if (holds === undefined) return copyInto(config, key, draft, copy);
  if (config.DATABASE_URL !== undefined) {
    await copyEarlierInto({ ...config, ...(schema !== undefined && { DATABASE_SCHEMA: schema }) }, key, draft);
    return undefined;
  }
  copyDatabase(databaseFile(config), key, join(draft, DATABASE));
  rememberKey(join(draft, DATABASE), key);
  return undefined;
}

export function summaryOf(folder: string, { files, tables = [] }: Pick<Manifest, "files" | "tables">): Backup {
  return {
    ...{ folder, files: files.length },
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** Removes backups older than `BACKUP_DAYS`; gives how many. Touches nothing that is no backup. */
export async function removeOldBackups(
  config: Pick<Config, "BACKUP_DAYS">,
  clock: Clock,
  from: string,
): Promise<number> {
  const names: string[] = await readdir(from).catch(() => []);
  let removed = 0;
  for (const name of names) {
    if (!NAME.test(name.replace(/\.new$/, ""))) continue;
    const [, y, mo, d, h, mi, s] = /^perch-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(name) ?? [];
    const madeAt = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
    if (clock.now() - madeAt <= config.BACKUP_DAYS * DAY_MS) continue;
    await rm(join(from, name), { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

/**
 * Looks through all of a backup: the list is as it was sealed, and every file is as it was listed.
 * @throws PerchError that says what is wrong
 */
export async function examineBackup(config: Config, clock: Clock, from: string): Promise<Manifest> {
  const key = readFileKey({ keyFile: config.keyFile, databaseExists: true });
  const list = await readList(from);
  if (!sameMac(list.mac, macOf(key, list))) {
    throw new PerchError(
      "bad_input",
      `The list of the backup ${from} was changed, or the backup was made with another key. Put the key of that time in place (KEY_FILE), or choose another backup.`,
    );
  }
  if (clock.now() - Date.parse(list.madeAt) > config.BACKUP_DAYS * DAY_MS) {
    throw new PerchError(
      "bad_input",
      `The backup ${from} is older than ${config.BACKUP_DAYS} days. It would bring back what people had erased, so it is not restored.`,
    );
  }
  for (const { path, bytes, sha256 } of list.files) {
    const found = await digestOf(join(from, path)).catch(() => undefined);
    if (found?.bytes !== bytes || found.sha256 !== sha256) {
      throw new PerchError(
        "bad_input",
        `The backup is damaged: ${path} is missing or was changed. Nothing was restored.`,
      );
    }
  }
  return list;
}

/** A backup of the database alone leaves the files in place alone, too; and files of runs that are in a bucket are nobody's here. */
export function foldersOf(holds: Manifest["holds"], { s3 }: Pick<Config, "s3">): readonly (typeof FOLDERS)[number][] {
  if (holds !== undefined) return [];
  return s3 === undefined ? FOLDERS : FOLDERS.filter((folder) => folder !== "runs");
}

/** What a restore does not bring back, in sentences for the operator. */
export function notCovered({ s3, DATABASE_URL }: Pick<Config, "s3" | "DATABASE_URL">): readonly string[] {
  return [
    "The key file. Without your copy of it this backup opens nowhere.",
    "Profiles of web phones that ran meanwhile, and what Android phones store.",
    ...(s3 === undefined
      ? [
          "Copies of people's data, and files on their way to phones.",
          ...(DATABASE_URL === undefined ? [] : ["Files of other nodes: each backs up its own."]),
        ]
      : [
          `The bucket ${s3.access.bucket}: pictures and reports of runs, copies of people's data, files on their way to phones, and what parked phones keep for other nodes. No backup of Perch holds any of it.`,
        ]),
  ];
}

/**
 * Before a newer version changes the database: the only way back, should it not do. Another process that starts in the same
 * second has made the same one.
 * @throws PerchError when it cannot be made; nothing was changed then
 */
export async function backUpBeforeUpdate(config: Config, clock: Clock, schema?: string): Promise<void> {
  try {
    await makeBackup(config, clock, config.backupDir, { holds: "database", ...(schema !== undefined && { schema }) });
  } catch (cause) {
    if (cause instanceof PerchError && cause.code === "conflict") return;
    throw new PerchError(
      "unavailable",
      `This version has to change the database, and makes a backup of it in ${config.backupDir} first. That failed, so nothing was changed. Make room there, or set BACKUP_DIR to another folder.`,
      { cause },
    );
  }
}

/** Web phones may have a place of their own outside the data folder. */
export async function baseOf(config: Config, below: (typeof FOLDERS)[number]): Promise<string> {
  return below === "runs" ? config.DATA_DIR : dirname(await webPhonesRoot(config.DATA_DIR));
}

/** Brings the copy of people's keys beside the backups up to date, where there is one: a destroyed key goes from it, too. */
export async function renewKeysCopy(config: Config): Promise<void> {
  if (!existsSync(join(config.backupDir, KEYS))) return;
  await copyKeys(config, readFileKey({ keyFile: config.keyFile, databaseExists: true }), config.backupDir);
}

/**
 * What goes beside all backups, the newest copy alone: the keys of people, and who was erased. It takes the place of the one
 * before, whole or not at all.
 */
async function copyKeys(config: Config, key: Buffer, to: string): Promise<void> {
  const ledger = join(config.DATA_DIR, LEDGER);
  if (existsSync(ledger)) {
    await copyFile(ledger, join(to, `${LEDGER}.new`));
    await rename(join(to, `${LEDGER}.new`), join(to, LEDGER));
  }
  const copy = join(to, KEYS);
  if (config.DATABASE_URL !== undefined) return copyKeysOf(config, deriveKey(key, "database"), copy);
  const keys = keysFileOf(databaseFile(config));
  if (!existsSync(keys)) return;
  await rm(`${copy}.new`, { force: true });
  copyDatabase(keys, keysFileKey(deriveKey(key, "database")), `${copy}.new`);
  await rename(`${copy}.new`, copy);
}

async function copyTree(base: string, below: string, to: string): Promise<void> {
  const names: string[] = await readdir(join(base, below)).catch(() => []);
  for (const name of names) {
    const path = `${below}/${name}`;
    const info = await lstat(join(base, path)).catch(() => undefined);
    if (info === undefined || PLAIN.test(info.isDirectory() ? `${path}/` : path)) continue;
    if (info.isDirectory()) await copyTree(base, path, to);
    else if (info.isFile()) {
      await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 });
      // What goes away while it is looked at belongs to no backup.
      await copyFile(join(base, path), join(to, path)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
  }
}

async function listed(folder: string): Promise<Manifest["files"]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const files: Manifest["files"] = [];
  for (const path of paths.sort()) files.push({ path: path.slice(folder.length + 1), ...(await digestOf(path)) });
  return files;
}

async function digestOf(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const part of createReadStream(path)) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function readList(from: string): Promise<Manifest> {
  const text = await readFile(join(from, LIST), "utf8").catch(() => undefined);
  if (text === undefined)
    throw new PerchError("bad_input", `There is no backup in ${from}. Name the folder with ${LIST} in it.`);
  try {
    return manifest.parse(JSON.parse(text));
  } catch (cause) {
    throw new PerchError("bad_input", `The list ${join(from, LIST)} is no list of a backup.`, { cause });
  }
}

function macOf(key: Buffer, { format, madeAt, database, holds, tables, files }: Omit<Manifest, "mac">): string {
  return createHmac("sha256", deriveKey(key, "backups"))
    .update(canonicalJson({ format, madeAt, database, files, ...(holds && { holds }), ...(tables && { tables }) }))
    .digest("base64url");
}

function sameMac(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
