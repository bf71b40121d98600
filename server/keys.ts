/**
 * The key file holds 32 random bytes and lies outside the data folder. It opens the database and the master key in it;
 * every other secret is derived from that (HKDF, RFC 5869). `docs/decisions/keys-rotate.md` says why there are two.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { PerchError } from "./errors.ts";
import { makeFolder } from "./make-folder.ts";

/** Reads the key, or makes it when there is no database yet that would need an earlier one. */
export function readFileKey(options: { keyFile: string; databaseExists: boolean }): Buffer {
  const { keyFile } = options;
  if (!existsSync(keyFile)) {
    if (options.databaseExists) {
      throw new PerchError(
        "unavailable",
        `The key file ${keyFile} is missing, and the database cannot be read without it. Put it back, or set KEY_FILE to where it is.`,
      );
    }
    write(keyFile, randomBytes(32));
  }
  return read(keyFile);
}

/** The key before this one, while a change of keys is not finished. */
export function readPreviousFileKey(keyFile: string): Buffer | undefined {
  return existsSync(previousOf(keyFile)) ? read(previousOf(keyFile)) : undefined;
}

/** Puts a new key in place and keeps the old one beside it. Whenever it is killed, one of the two opens the database. */
export function replaceFileKey(keyFile: string): void {
  write(previousOf(keyFile), read(keyFile));
  write(keyFile, randomBytes(32));
}

/** Forgets the key before this one: nothing needs it any more. */
export function dropPreviousFileKey(keyFile: string): void {
  rmSync(previousOf(keyFile), { force: true });
}

function previousOf(keyFile: string): string {
  return `${keyFile}.previous`;
}

/** Whole or not at all: a file of its own first, on the disk, then its name. */
function write(keyFile: string, key: Buffer): void {
  const draft = `${keyFile}.new`;
  try {
    makeFolder(dirname(keyFile));
    rmSync(draft, { force: true });
    const file = openSync(draft, "wx", 0o600);
    try {
      writeSync(file, `${key.toString("hex")}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, keyFile);
    syncFolder(dirname(keyFile));
  } catch (cause) {
    throw new PerchError(
      "unavailable",
      `The key file ${keyFile} cannot be made. Give this user rights to its folder, or set KEY_FILE to another place.`,
      { cause },
    );
  }
}

/** Makes a rename in the folder outlive a power cut. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function read(keyFile: string): Buffer {
  let text: string;
  try {
    text = readFileSync(keyFile, "utf8").trim();
  } catch (cause) {
    throw new PerchError(
      "unavailable",
      `The key file ${keyFile} cannot be read. Give this user rights to it, or set KEY_FILE to where the key is.`,
      { cause },
    );
  }
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new PerchError(
      "unavailable",
      `The key file ${keyFile} does not hold a key: it must be 64 hexadecimal digits. Put the right file back.`,
    );
  }
  return Buffer.from(text, "hex");
}

/** A key for one purpose. */
export function deriveKey(
  master: Buffer,
  purpose:
    | "rate limits"
    | "abuse signals"
    | "mail"
    | "second factors"
    | "uninstall links"
    | "database"
    | "run artifacts"
    | "flow secrets"
    | "rule starts"
    | "uploads"
    | "webhooks"
    | "audit heads"
    | "receipts"
    | "receipt links"
    | "exports"
    | "subject keys"
    | "personal fields"
    | "address index"
    | "phone profiles"
    | "phone archives"
    | "file links"
    | "erasure ledger"
    | "erasure ledger lines"
    | "backups"
    | "billing sandbox"
    | "operator desk"
    | "billing records"
    | "adb key"
    | "phone containers"
    | "partner mark"
    | "billing sandbox",
): Buffer {
  return Buffer.from(hkdfSync("sha256", master, "perch", purpose, 32));
}
