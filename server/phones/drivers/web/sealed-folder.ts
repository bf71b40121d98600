/**
 * A folder as one encrypted file: how what a parked phone keeps lies on the disk. AES-256-GCM in chunks with a counter
 * and a mark on the last one (the STREAM construction: Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015), under a key
 * of its own made of a salt (HKDF), so that chunks can neither be moved, left out nor cut off, and any can be read alone.
 *
 * Plain text: length of the index (u32, big endian), the index as JSON, then the files' bytes in its order.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { chmod, chown, lstat, mkdir, open, readdir, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { openPlainFile } from "./plain-file.ts";
import type { BrowserUser } from "./storage.ts";

const MAGIC = Buffer.from("perch-folder-1\n");
const SALT_BYTES = 32;
const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const HEADER_BYTES = MAGIC.length + SALT_BYTES;
/** Far more than any browser profile has; what is read stays bounded. */
const MOST_INDEX_BYTES = 64 * 1024 * 1024;

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
  const draft = `${file}.new`;
  await rm(draft, { force: true });
  const out = await ChunkWriter.create(draft, key);
  try {
    const text = Buffer.from(JSON.stringify(entries));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    await out.write(length);
    await out.write(text);
    for (const { path, bytes } of entries) if (bytes !== undefined) await copyIn(join(folder, path), bytes, out);
    await out.end();
  } catch (error) {
    await out.abandon();
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
  const input = await ChunkReader.open(file, key);
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
  const input = await ChunkReader.open(file, key);
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
  const input = await ChunkReader.open(file, key);
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
      const part = await input.read(Math.min(left, CHUNK_BYTES));
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

async function copyIn(path: string, bytes: number, out: ChunkWriter): Promise<void> {
  const file = await openPlainFile(path);
  try {
    const buffer = Buffer.alloc(Math.min(bytes, CHUNK_BYTES));
    for (let left = bytes; left > 0; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(left, buffer.length));
      if (bytesRead === 0) throw new Error("A file became shorter while it was sealed.");
      await out.write(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
  } finally {
    await file.close();
  }
}

async function copyOut(input: ChunkReader, bytes: number, path: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    for (let left = bytes; left > 0; ) {
      const part = await input.read(Math.min(left, CHUNK_BYTES));
      await file.write(part);
      left -= part.length;
    }
  } finally {
    await file.close();
  }
  await chmod(path, mode);
}

async function readIndex(input: ChunkReader): Promise<SealedEntry[]> {
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

function fileKey({ key, place }: SealedFolderKey, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, `perch sealed folder\0${place}`, 32));
}

function nonce(counter: number, last: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(counter), 3);
  bytes[11] = last ? 1 : 0;
  return bytes;
}

class ChunkWriter {
  readonly #file: FileHandle;
  readonly #key: Buffer;
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  #filled = 0;
  #counter = 0;

  private constructor(file: FileHandle, key: Buffer) {
    this.#file = file;
    this.#key = key;
  }

  static async create(path: string, key: SealedFolderKey): Promise<ChunkWriter> {
    const file = await open(path, "wx", 0o600);
    const salt = randomBytes(SALT_BYTES);
    await file.write(Buffer.concat([MAGIC, salt]));
    return new ChunkWriter(file, fileKey(key, salt));
  }

  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      // A full chunk is written when more comes: the last one is known to be the last.
      if (this.#filled === CHUNK_BYTES) await this.#flush(false);
      const taken = Math.min(CHUNK_BYTES - this.#filled, bytes.length - at);
      bytes.copy(this.#buffer, this.#filled, at, at + taken);
      this.#filled += taken;
      at += taken;
    }
  }

  async end(): Promise<void> {
    await this.#flush(true);
    await this.#file.sync();
    await this.#file.close();
  }

  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
  }

  async #flush(last: boolean): Promise<void> {
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce(this.#counter, last));
    const body = cipher.update(this.#buffer.subarray(0, this.#filled));
    await this.#file.write(Buffer.concat([body, cipher.final(), cipher.getAuthTag()]));
    this.#counter += 1;
    this.#filled = 0;
  }
}

class ChunkReader {
  readonly #file: FileHandle;
  readonly #key: Buffer;
  readonly #chunks: number;
  readonly #size: number;
  /** Place in the plain text. */
  #at = 0;
  #chunk: { readonly counter: number; readonly bytes: Buffer } | undefined;

  private constructor(file: FileHandle, key: Buffer, size: number) {
    this.#file = file;
    this.#key = key;
    this.#size = size;
    this.#chunks = Math.max(1, Math.ceil((size - HEADER_BYTES) / (CHUNK_BYTES + TAG_BYTES)));
  }

  static async open(path: string, key: SealedFolderKey): Promise<ChunkReader> {
    const file = await open(path, "r");
    try {
      const header = Buffer.alloc(HEADER_BYTES);
      await file.read(header, 0, HEADER_BYTES, 0);
      if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error("This is not a sealed folder.");
      return new ChunkReader(file, fileKey(key, header.subarray(MAGIC.length)), (await file.stat()).size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async read(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = bytes; left > 0; ) {
      const counter = Math.floor(this.#at / CHUNK_BYTES);
      const chunk = await this.#load(counter);
      const from = this.#at - counter * CHUNK_BYTES;
      const part = chunk.subarray(from, from + left);
      if (part.length === 0) throw new Error("A sealed folder ends too early.");
      parts.push(part);
      this.#at += part.length;
      left -= part.length;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #load(counter: number): Promise<Buffer> {
    if (this.#chunk?.counter === counter) return this.#chunk.bytes;
    if (counter >= this.#chunks) throw new Error("A sealed folder ends too early.");
    const start = HEADER_BYTES + counter * (CHUNK_BYTES + TAG_BYTES);
    const sealed = Buffer.alloc(Math.min(CHUNK_BYTES + TAG_BYTES, this.#size - start));
    await this.#file.read(sealed, 0, sealed.length, start);
    const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce(counter, counter === this.#chunks - 1), {
      authTagLength: TAG_BYTES,
    }).setAuthTag(sealed.subarray(-TAG_BYTES));
    const bytes = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
    this.#chunk = { counter, bytes };
    return bytes;
  }
}
