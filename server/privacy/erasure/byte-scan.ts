/** Looks for values in bytes, however they are written: what nobody listed is found here. */
import { createReadStream, type Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const CHUNK = 1024 * 1024;

export interface ScanResult {
  readonly files: number;
  readonly bytes: number;
  /** Places, of which a value may have several. */
  readonly hits: number;
}

/** The forms a value may stand in: text in two encodings, base64 at each place in its groups, hex, escaped, lower-case. */
export function needlesOf(values: readonly string[]): Buffer[] {
  const forms = new Set<string>();
  for (const value of values) {
    for (const text of new Set([value, value.toLowerCase(), value.normalize("NFC")])) {
      const bytes = Buffer.from(text);
      const wide = Buffer.from(text, "utf16le");
      const written = [encodeURIComponent(text), JSON.stringify(text).slice(1, -1)];
      for (const one of [bytes, wide, ...written.map((form) => Buffer.from(form))]) forms.add(one.toString("latin1"));
      for (const one of [bytes, wide]) {
        forms.add(one.toString("hex"));
        forms.add(one.toString("hex").toUpperCase());
        for (const before of [0, 1, 2]) {
          // What does not depend on the neighbours: whole groups of four that hold bytes of the value alone.
          const padded = Buffer.concat([Buffer.alloc(before), one]);
          const from = before === 0 ? 0 : 4;
          const until = Math.floor(padded.length / 3) * 4;
          for (const encoding of ["base64", "base64url"] as const) {
            const inner = padded.toString(encoding).slice(from, until);
            if (inner.length >= 6) forms.add(inner);
          }
        }
      }
    }
  }
  return [...forms].map((form) => Buffer.from(form, "latin1"));
}

export function countIn(bytes: Buffer, needles: readonly Buffer[]): number {
  return needles.reduce((sum, needle) => sum + (bytes.includes(needle) ? 1 : 0), 0);
}

/** A buffer in pieces, so that nobody waits long. */
export async function scanBytes(bytes: Buffer, needles: readonly Buffer[]): Promise<number> {
  const overlap = longest(needles);
  let hits = 0;
  for (let at = 0; at < bytes.length; at += CHUNK) {
    hits += countIn(bytes.subarray(at, at + CHUNK + overlap), needles);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return hits;
}

/** Every file below the folder, but those of `skip`: names right below it. A file that goes meanwhile is gone. */
export async function scanFolder(
  folder: string,
  needles: readonly Buffer[],
  skip: ReadonlySet<string>,
): Promise<ScanResult> {
  let files = 0;
  let bytes = 0;
  let hits = 0;
  const look = async (path: string, top: boolean): Promise<void> => {
    const entries: Dirent[] = await readdir(path, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (top && skip.has(entry.name)) continue;
      const full = join(path, entry.name);
      if (entry.isDirectory()) await look(full, false);
      if (!entry.isFile()) continue;
      hits += countIn(Buffer.from(entry.name), needles);
      const found = await scanFile(full, needles);
      files += 1;
      bytes += found.bytes;
      hits += found.hits;
    }
  };
  await look(folder, true);
  return { files, bytes, hits };
}

async function scanFile(path: string, needles: readonly Buffer[]): Promise<{ bytes: number; hits: number }> {
  const overlap = longest(needles);
  let tail: Buffer = Buffer.alloc(0);
  let bytes = 0;
  let hits = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
      const window = Buffer.concat([tail, Buffer.from(chunk)]);
      hits += countIn(window, needles);
      bytes += chunk.length;
      tail = window.subarray(Math.max(0, window.length - overlap));
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EACCES")))
      throw error;
  }
  return { bytes, hits };
}

function longest(needles: readonly Buffer[]): number {
  return needles.reduce((most, { length }) => Math.max(most, length), 1) - 1;
}
