/**
 * A folder as one encrypted file (`sealed-file.ts`): how what a parked phone keeps lies on the disk. Its content: length of
 * the index (u32, big endian), the index as JSON, then the files' bytes in its order.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, chown, lstat, mkdir, open, readdir, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { PIECE_BYTES, SealedReader, sealing } from "../../../sealed-file.ts";
import { openPlainFile } from "./plain-file.ts";
import type { BrowserUser } from "./storage.ts";

/** Far more than any browser profile has; what is read stays bounded. */
const MOST_INDEX_BYTES = 64 * 1024 * 1024;

/** On the disk before the file has its name. */
const WRITING = { flags: "wx", mode: 0o600, flush: true } as const;

const entry = z.strictObject({
  /** Below the folder, with `/`. */
  path: z.string().min(1),
  /** Absent for a folder. */
  bytes: z.int().min(0).optional(),
  mode: z.int(),
  modifiedMs: z.number(),
});
export type SealedEntry = z.infer<typeof entry>;
const index = z.array(entry);

export interface SealedFolderKey {
  /** 32 bytes. */
  readonly key: Buffer;
  /** Where the file belongs: opened as another one's it does not open. */
  readonly place: string;
}

/**
 * Packs `folder` into `file`, on the disk and whole before it has its name, then removes the folder. `skip` names paths
 * below it that need not be kept. Links are left out.
 */
export async function sealFolder(
  folder: string,
  file: string,
  key: SealedFolderKey,
  skip: readonly string[] = [],
): Promise<void> {
  const entries = await listed(folder, "", new Set(skip));
  // A name of its own: two who seal the same folder, as an ending server and the next one, do not disturb each other.
  const draft = `${file}.${randomBytes(6).toString("hex")}.new`;
  try {
    await pipeline(contentOf(folder, entries), sealing(keyFor(key), key.place), createWriteStream(draft, WRITING));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await rename(draft, file);
  // Gone at once or still whole: half of it must never be taken for all.
  const gone = `${folder}.gone`;
  await rename(folder, gone);
  await rm(gone, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/**
 * Unpacks into `folder`, which must not be there, whole before it has its name; everything belongs to `owner`. The file
 * stays. @throws Error for a file that was changed, cut off, or sealed for another place.
 */
export async function openFolder(
  file: string,
  folder: string,
  key: SealedFolderKey,
  owner: BrowserUser | undefined,
): Promise<void> {
  const draft = `${folder}.opening`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  const input = await Content.open(file, key);
  try {
    const entries = await readIndex(input);
    for (const { path, bytes, mode, modifiedMs } of entries) {
      const target = join(draft, checked(path));
      if (bytes === undefined) await mkdir(target, { mode: mode & 0o777 });
      else {
        await copyOut(input, bytes, target, mode & 0o777);
        await utimes(target, modifiedMs / 1000, modifiedMs / 1000);
      }
      if (owner !== undefined) await chown(target, owner.uid, owner.gid);
    }
  } finally {
    await input.close();
  }
  if (owner !== undefined) await chown(draft, owner.uid, owner.gid);
  await rename(draft, folder);
}

/** What is in a sealed folder, without unpacking it. */
export async function sealedEntries(file: string, key: SealedFolderKey): Promise<SealedEntry[]> {
  const input = await Content.open(file, key);
  try {
    return await readIndex(input);
  } finally {
    await input.close();
  }
}

/** One file's bytes, read as they are asked for; `undefined` when the folder has no such file. */
export async function readSealedFile(
  file: string,
  key: SealedFolderKey,
  path: string,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const input = await Content.open(file, key);
  const entries = await readIndex(input).catch(async (error: unknown) => {
    await input.close();
    throw error;
  });
  const at = entries.findIndex((one) => one.path === path && one.bytes !== undefined);
  const bytes = entries[at]?.bytes;
  if (bytes === undefined) {
    await input.close();
    return undefined;
  }
  input.skip(entries.slice(0, at).reduce((sum, one) => sum + (one.bytes ?? 0), 0));
  let left = bytes;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (left === 0) {
        await input.close();
        controller.close();
        return;
      }
      const part = await input.read(Math.min(left, PIECE_BYTES)).catch(async (error: unknown) => {
        await input.close();
        throw error;
      });
      left -= part.length;
      controller.enqueue(new Uint8Array(part));
    },
    cancel: () => input.close(),
  });
}

async function listed(folder: string, below: string, skip: ReadonlySet<string>): Promise<SealedEntry[]> {
  const found: SealedEntry[] = [];
  const names = await readdir(join(folder, below));
  for (const name of names.sort()) {
    const path = below === "" ? name : `${below}/${name}`;
    if (skip.has(path)) continue;
    const info = await lstat(join(folder, path)).catch(() => undefined);
    if (info === undefined || !(info.isFile() || info.isDirectory())) continue;
    const about = { path, mode: info.mode & 0o777, modifiedMs: info.mtimeMs };
    if (info.isFile()) found.push({ ...about, bytes: info.size });
    else found.push(about, ...(await listed(folder, path, skip)));
  }
  return found;
}

async function* contentOf(folder: string, entries: readonly SealedEntry[]): AsyncGenerator<Buffer, void, undefined> {
  const text = Buffer.from(JSON.stringify(entries));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  yield length;
  yield text;
  for (const { path, bytes } of entries) if (bytes !== undefined) yield* bytesOf(join(folder, path), bytes);
}

async function* bytesOf(path: string, bytes: number): AsyncGenerator<Buffer, void, undefined> {
  const file = await openPlainFile(path);
  try {
    for (let left = bytes; left > 0; ) {
      const buffer = Buffer.alloc(Math.min(left, PIECE_BYTES));
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) throw new Error("A file became shorter while it was sealed.");
      yield buffer.subarray(0, bytesRead);
      left -= bytesRead;
    }
  } finally {
    await file.close();
  }
}

async function copyOut(input: Content, bytes: number, path: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    for (let left = bytes; left > 0; ) {
      const part = await input.read(Math.min(left, PIECE_BYTES));
      await file.write(part);
      left -= part.length;
    }
  } finally {
    await file.close();
  }
  await chmod(path, mode);
}

async function readIndex(input: Content): Promise<SealedEntry[]> {
  const length = (await input.read(4)).readUInt32BE();
  if (length > MOST_INDEX_BYTES) throw new Error("The index of a sealed folder is too long.");
  return index.parse(JSON.parse((await input.read(length)).toString("utf8")));
}

/** Authenticated, and checked all the same: a path must not lead out of the folder. */
function checked(path: string): string {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) throw new Error("A path leads out.");
  return join(...parts);
}

/** Each place has a key of its own. */
function keyFor({ key, place }: SealedFolderKey): Buffer {
  return Buffer.from(hkdfSync("sha256", key, "", `perch sealed folder\0${place}`, 32));
}

/** The content from its beginning on. */
class Content {
  readonly #reader: SealedReader;
  #at = 0;

  private constructor(reader: SealedReader) {
    this.#reader = reader;
  }

  static async open(path: string, key: SealedFolderKey): Promise<Content> {
    return new Content(await SealedReader.open(path, keyFor(key), key.place));
  }

  async read(bytes: number): Promise<Buffer> {
    const found = await this.#reader.read(this.#at, bytes);
    this.#at += bytes;
    return found;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
