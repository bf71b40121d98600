/** The master key: 32 random bytes in a file outside the data folder; every other secret is derived from it (HKDF, RFC 5869). */
import { hkdfSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PerchError } from "./errors.ts";
import { makeFolder } from "./make-folder.ts";

/** Reads the key, or makes it when there is no database yet that would need an earlier one. */
export function readMasterKey(options: { keyFile: string; databaseExists: boolean }): Buffer {
  const { keyFile } = options;
  if (!existsSync(keyFile)) {
    if (options.databaseExists) {
      throw new PerchError(
        "unavailable",
        `The key file ${keyFile} is missing, and the database cannot be read without it. Put it back, or set KEY_FILE to where it is.`,
      );
    }
    make(keyFile);
  }
  const text = read(keyFile).trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new PerchError(
      "unavailable",
      `The key file ${keyFile} does not hold a key: it must be 64 hexadecimal digits. Put the right file back.`,
    );
  }
  return Buffer.from(text, "hex");
}

function make(keyFile: string): void {
  try {
    makeFolder(dirname(keyFile));
    writeFileSync(keyFile, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw new PerchError(
      "unavailable",
      `The key file ${keyFile} cannot be made. Give this user rights to its folder, or set KEY_FILE to another place.`,
      { cause },
    );
  }
}

function read(keyFile: string): string {
  try {
    return readFileSync(keyFile, "utf8");
  } catch (cause) {
    throw new PerchError(
      "unavailable",
      `The key file ${keyFile} cannot be read. Give this user rights to it, or set KEY_FILE to where the key is.`,
      { cause },
    );
  }
}

/** A key for one purpose. */
export function deriveKey(
  master: Buffer,
  purpose:
    | "rate limits"
    | "mail"
    | "second factors"
    | "database"
    | "mail outbox"
    | "run artifacts"
    | "flow secrets"
    | "rule starts"
    | "webhooks",
): Buffer {
  return Buffer.from(hkdfSync("sha256", master, "perch", purpose, 32));
}
