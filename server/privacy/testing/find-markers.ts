/**
 * Looks for many markers at once, each in every form `needlesOf` knows and, where asked for, as its hashes, and says which
 * stood where. One walk over the bytes whatever the number of markers, so that a whole server's files take a moment.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { needlesOf } from "../erasure/byte-scan.ts";

/** What a marker is, and what it looks like. */
export interface Marker {
  readonly name: string;
  readonly value: string;
  /** Its hashes are looked for, too. */
  readonly hashed?: boolean;
}

export interface MarkerFinder {
  /** Names of the markers that stand in the bytes. */
  find(bytes: Buffer): Set<string>;
}

const HASHES = ["sha256", "sha1", "md5"] as const;
const KEY_BYTES = 3;

/** A hash of the value or of its lower-case form, as bytes, hex and base64: hashing is no erasing. */
function hashesOf(value: string): Buffer[] {
  return [...new Set([value, value.toLowerCase()])].flatMap((text) =>
    HASHES.flatMap((name) => {
      const digest = createHash(name).update(text).digest();
      const texts = [
        digest.toString("hex"),
        digest.toString("base64").replace(/=+$/, ""),
        digest.toString("base64url"),
      ];
      return [digest, ...texts.map((one) => Buffer.from(one))];
    }),
  );
}

export function markerFinder(markers: readonly Marker[]): MarkerFinder {
  const begins = new Uint8Array(1 << 24);
  const known = new Map<number, { bytes: Buffer; name: string }[]>();
  for (const { name, value, hashed = false } of markers) {
    for (const bytes of [...needlesOf([value]), ...(hashed ? hashesOf(value) : [])]) {
      if (bytes.length < 8) continue;
      const key = bytes.readUIntLE(0, KEY_BYTES);
      begins[key] = 1;
      const there = known.get(key);
      if (there === undefined) known.set(key, [{ bytes, name }]);
      else there.push({ bytes, name });
    }
  }
  return {
    find(bytes) {
      const found = new Set<string>();
      let key = ((bytes[0] ?? 0) << 8) | ((bytes[1] ?? 0) << 16);
      for (let at = 2; at < bytes.length; at += 1) {
        key = (key >>> 8) | ((bytes[at] ?? 0) << 16);
        if (begins[key] === 0) continue;
        const from = at - 2;
        for (const one of known.get(key) ?? []) {
          if (!found.has(one.name) && one.bytes.equals(bytes.subarray(from, from + one.bytes.length))) {
            found.add(one.name);
          }
        }
      }
      return found;
    },
  };
}

/** `path: name` for each marker in each file below a folder, names of files and folders included. */
export function markersBelow(folder: string, finder: MarkerFinder): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const inName = finder.find(Buffer.from(path.slice(folder.length)));
    const inside = entry.isFile() ? finder.find(readFileSync(path)) : new Set<string>();
    return [...new Set([...inName, ...inside])].map((name) => `${path.slice(folder.length + 1)}: ${name}`);
  });
}
