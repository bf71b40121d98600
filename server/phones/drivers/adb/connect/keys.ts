/**
 * The product's own ADB key: RSA, 2048 bits, made once. Devices ask their owner whether to trust it, or know it from a file
 * the operator put there. It lies in the data folder, sealed with a key of the server's.
 */
import { createPrivateKey, generateKeyPair } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type AdbCredentialStore, adbGeneratePublicKey } from "@yume-chan/adb";
import { PerchError } from "../../../../errors.ts";
import { makeFolder } from "../../../../make-folder.ts";
import { seal, unseal } from "../../../../seal.ts";

const PLACE = "android/adb-key";
/** What devices show beside the fingerprint when they ask. */
const NAME = "perch@server";

export interface AdbKeys {
  readonly store: AdbCredentialStore;
  /** One line as `adb_keys` files hold it: base64 of AOSP's RSA structure, blank, name. */
  publicKey(): Promise<string>;
}

/** Nothing is made before the key is first asked for. `sealKey`: 32 bytes. */
export function createAdbKeys(dataDir: string, sealKey: Buffer): AdbKeys {
  let found: Promise<Uint8Array> | undefined;
  const key = () => {
    found ??= readOrMake(dataDir, sealKey).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
  return {
    store: {
      async *iterateKeys() {
        yield { buffer: await key(), name: NAME };
      },
      async generateKey() {
        return { buffer: await key(), name: NAME };
      },
    },
    async publicKey() {
      return `${Buffer.from(adbGeneratePublicKey(await key())).toString("base64")} ${NAME}`;
    },
  };
}

async function readOrMake(dataDir: string, sealKey: Buffer): Promise<Uint8Array> {
  const folder = join(dataDir, "android");
  const file = join(folder, "adb-key.sealed");
  const kept = await read(file, sealKey);
  if (kept !== undefined) return kept;
  makeFolder(dataDir, 0o711);
  makeFolder(folder, 0o700);
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048, publicExponent: 65537 });
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, seal(sealKey, PLACE, der.toString("base64")), { mode: 0o600, flush: true });
  try {
    // Whoever is first, a command beside the server or the server, has made the key for both.
    await link(draft, file);
    return der;
  } catch (error) {
    const theirs = await read(file, sealKey);
    if (theirs === undefined) throw error;
    return theirs;
  } finally {
    await rm(draft, { force: true });
  }
}

async function read(file: string, sealKey: Buffer): Promise<Uint8Array | undefined> {
  const sealed = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (sealed === undefined) return undefined;
  const text = unseal(sealKey, PLACE, sealed.trim());
  if (text === undefined) {
    throw new PerchError(
      "unavailable",
      `The ADB key ${file} does not open with this server's key. Put the right file back, or remove it: a new one is made, and devices ask again whether to trust it.`,
    );
  }
  return createPrivateKey({ key: Buffer.from(text, "base64"), format: "der", type: "pkcs8" }).export({
    type: "pkcs8",
    format: "der",
  });
}
