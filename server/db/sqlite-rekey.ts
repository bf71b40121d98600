/**
 * Encrypts the SQLite file with another key. The work is done on a copy that takes the file's place when it is
 * complete, so that a kill at any moment leaves one whole database, under one of the two keys.
 */
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite from "better-sqlite3";
import { PerchError } from "../errors.ts";
import { syncFolder } from "../keys.ts";
import { rememberKey } from "./sqlite.ts";

/** Does nothing when the file has the key `to` already. Throws `PerchError` while another process has it open. */
export function rekeySqlite({ file, from, to }: { file: string; from: Buffer; to: Buffer }): void {
  if (!existsSync(file)) return;
  if (!opensWith(file, to)) {
    const copy = `${file}.rekeyed`;
    for (const leftover of [copy, `${copy}-journal`]) rmSync(leftover, { force: true });
    const held = holdAlone(file, from);
    try {
      copyFileSync(file, copy);
      changeKey(copy, from, to);
      sync(copy);
      renameSync(copy, file);
      syncFolder(dirname(file));
    } finally {
      held.close();
    }
  }
  rememberKey(file, to);
}

/** Throws `PerchError` while another process has the database open. */
export function demandAlone(file: string, key: Buffer): void {
  holdAlone(file, key).close();
}

/** A connection that has the file for itself: no other can read or write until it is closed. */
export function holdAlone(file: string, key: Buffer): Sqlite.Database {
  const before = statSync(file).ino;
  const db = connect(file, key, false);
  try {
    // Leaving WAL works for the only connection there is, and brings everything into the one file.
    db.pragma("journal_mode = DELETE");
    db.exec("BEGIN EXCLUSIVE");
    if (statSync(file).ino === before) return db;
  } catch (cause) {
    db.close();
    if (!(cause instanceof Sqlite.SqliteError && cause.code.startsWith("SQLITE_BUSY"))) throw cause;
    throw inUse(cause);
  }
  db.close();
  throw inUse();
}

function inUse(cause?: unknown): PerchError {
  return new PerchError(
    "conflict",
    "This can only be done while nothing else has the database open. Stop the server and other admin commands, then try again.",
    { cause },
  );
}

function opensWith(file: string, key: Buffer): boolean {
  const db = connect(file, key, true);
  try {
    db.prepare("select count(*) from sqlite_master").get();
    return true;
  } catch (error) {
    if (error instanceof Sqlite.SqliteError && error.code === "SQLITE_NOTADB") return false;
    throw error;
  } finally {
    db.close();
  }
}

function changeKey(file: string, from: Buffer, to: Buffer): void {
  const db = connect(file, from, false);
  try {
    db.pragma("secure_delete = ON");
    db.pragma(`rekey = "x'${to.toString("hex")}'"`);
  } finally {
    db.close();
  }
}

function connect(file: string, key: Buffer, readonly: boolean): Sqlite.Database {
  const db = new Sqlite(file, { readonly, timeout: 2_000 });
  db.pragma(`key = "x'${key.toString("hex")}'"`);
  return db;
}

function sync(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
