/** Blobs as files of one folder: the key is the path. A file has its name once it is whole on the disk. */
import { randomBytes } from "node:crypto";
import type { Dirent, Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PerchError } from "../errors.ts";
import { makeFolder } from "../make-folder.ts";
import { shred } from "../sealed-file.ts";
import {
  type BlobStore,
  brokeOff,
  checkedKey,
  checkedPrefix,
  chunksOf,
  type ListedBlob,
  linkLasts,
  rangeIn,
  stillThere,
} from "./blob-store.ts";
import type { SignedLinks } from "./signed-links.ts";

/** Of a file that is being written. Nothing else here ends so. */
const HALF = ".part";
const READ_BYTES = 64 * 1024;

export function createFsBlobs(options: {
  folder: string;
  /** Whose keys begin so are overwritten before they go. */
  overwritten?: string;
  /** For whose keys begin so nobody waits until the disk has them: a power cut may lose the newest. */
  hurried?: string;
  /** Makes the address of a key on this server. */
  link?: SignedLinks["make"];
}): BlobStore {
  const { folder } = options;
  const at = (key: string) => join(folder, checkedKey(key));
  const gone = async (path: string, key: string) => {
    if (options.overwritten !== undefined && key.startsWith(options.overwritten)) await shredAll(path);
    await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  };

  const isHurried = (key: string) => options.hurried !== undefined && key.startsWith(options.hurried);

  /** Entries of a folder whose name begins so, by name. */
  async function below(key: string, begin: string): Promise<Dirent[]> {
    const entries: Dirent[] = await readdir(join(folder, key), { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw worded(error);
    });
    return entries.filter(({ name }) => name.startsWith(begin)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function* walk(key: string, begin: string): AsyncGenerator<ListedBlob, void, undefined> {
    const found: { readonly key: string; readonly isFolder: boolean }[] = [];
    for (const entry of await below(key, begin)) {
      const path = key === "" ? entry.name : `${key}/${entry.name}`;
      if (entry.isDirectory()) found.push({ key: path, isFolder: true });
      else if (entry.isFile() && !entry.name.endsWith(HALF)) found.push({ key: path, isFolder: false });
    }
    // As S3 orders them: by the whole key, in which a folder's name goes on with a slash.
    const order = (one: { readonly key: string; readonly isFolder: boolean }) =>
      one.isFolder ? `${one.key}/` : one.key;
    for (const one of found.sort((a, b) => (order(a) < order(b) ? -1 : 1))) {
      if (one.isFolder) {
        yield* walk(one.key, "");
        continue;
      }
      const info = await infoOf(join(folder, one.key));
      if (info !== undefined) yield { key: one.key, bytes: info.size, modifiedAt: info.mtime };
    }
  }

  const split = (prefix: string) => {
    const slash = checkedPrefix(prefix).lastIndexOf("/");
    return { parent: slash < 0 ? "" : prefix.slice(0, slash), begin: prefix.slice(slash + 1) };
  };

  /** Every half-written file below the folder. */
  async function* halves(key: string): AsyncGenerator<string, void, undefined> {
    for (const entry of await below(key, "")) {
      const path = `${key}/${entry.name}`;
      if (entry.isDirectory()) yield* halves(path);
      else if (entry.name.endsWith(HALF)) yield path;
    }
  }

  const store: BlobStore = {
    kind: "fs",
    async put(key, content, { signal } = {}) {
      const path = at(key);
      const draft = `${path}.${randomBytes(6).toString("hex")}${HALF}`;
      let bytes = 0;
      try {
        makeFolder(dirname(path), 0o700);
        const file = await open(draft, "wx", 0o600);
        try {
          for await (const chunk of chunksOf(content)) {
            signal?.throwIfAborted();
            await file.writev([chunk]).catch(rethrowWorded);
            bytes += chunk.length;
          }
          signal?.throwIfAborted();
          if (!isHurried(key)) await file.sync();
        } finally {
          await file.close();
        }
        await rename(draft, path);
        if (!isHurried(key)) await syncFolder(dirname(path));
        return { bytes };
      } catch (error) {
        await gone(draft, key).catch(() => {});
        throw worded(error);
      }
    },
    async get(key, { range, signal } = {}) {
      const info = await infoOf(at(key));
      if (info?.isFile() !== true) return undefined;
      return { bytes: info.size, content: contentOf(at(key), rangeIn(range, info.size), signal) };
    },
    async head(key) {
      const info = await infoOf(at(key));
      return info?.isFile() ? { bytes: info.size, modifiedAt: info.mtime } : undefined;
    },
    async delete(key) {
      await gone(at(key), key).catch(rethrowWorded);
    },
    async deletePrefix(prefix) {
      const { parent, begin } = split(prefix);
      let count = 0;
      for await (const _ of walk(parent, begin)) count += 1;
      for (const { name } of await below(parent, begin)) {
        await gone(join(folder, parent, name), parent === "" ? name : `${parent}/${name}`).catch(rethrowWorded);
      }
      // A folder that was asked for whole goes itself.
      if (begin === "" && parent !== "") await gone(join(folder, parent), parent).catch(rethrowWorded);
      if ((await below(parent, begin)).length > 0) throw stillThere();
      return count;
    },
    list(prefix) {
      const { parent, begin } = split(prefix);
      return walk(parent, begin);
    },
    async names(key) {
      const entries = await below(checkedKey(key), "");
      return entries.filter((one) => one.isDirectory() || !one.name.endsWith(HALF)).map(({ name }) => name);
    },
    async signedGet(key, forMs, fileName) {
      const seconds = linkLasts(forMs);
      if (options.link === undefined) throw new Error("This storage gives no addresses.");
      return options.link({ key: checkedKey(key), fileName, mimeType: "application/octet-stream" }, seconds);
    },
    async dropUnfinished(below, before) {
      let count = 0;
      for await (const half of halves(checkedKey(below))) {
        const info = await infoOf(join(folder, half));
        if (info === undefined || info.mtime >= before) continue;
        await gone(join(folder, half), half).catch(rethrowWorded);
        count += 1;
      }
      return count;
    },
    async check() {
      const key = `check-${randomBytes(6).toString("hex")}`;
      await store.put(key, Buffer.from("perch"));
      await store.delete(key);
    },
  };
  return store;
}

/** Opened with the first piece that is asked for. */
function contentOf(
  path: string,
  { from, bytes }: { readonly from: number; readonly bytes: number },
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  let file: FileHandle | undefined;
  let at = from;
  const close = async () => {
    const open = file;
    file = undefined;
    await open?.close();
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        signal?.throwIfAborted();
        file ??= await open(path, "r");
        const buffer = new Uint8Array(Math.min(READ_BYTES, from + bytes - at));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
        if (bytesRead < buffer.length) throw brokeOff();
        at += bytesRead;
        if (bytesRead > 0) controller.enqueue(buffer);
        if (at >= from + bytes) {
          await close();
          controller.close();
        }
      } catch (error) {
        await close().catch(() => {});
        throw isMissing(error) ? brokeOff() : worded(error);
      }
    },
    cancel: close,
  });
}

async function infoOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw worded(error);
  }
}

async function shredAll(path: string): Promise<void> {
  const info = await lstat(path).catch(() => undefined);
  if (info?.isFile() === true) await shred(path);
  if (info?.isDirectory() !== true) return;
  for (const name of await readdir(path)) await shredAll(join(path, basename(name)));
}

/** A name that was given to a file is safe once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function rethrowWorded(error: unknown): never {
  throw worded(error);
}

/** What a disk says, for people; anything else stays as it is. */
function worded(error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof PerchError || typeof code !== "string") return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new PerchError("limit_reached", "The server's disk is full. Ask who runs it.", { cause: error });
  }
  if (["EROFS", "EACCES", "EPERM", "EIO", "EMFILE", "ENFILE"].includes(code)) {
    return new PerchError("unavailable", "The server's disk cannot be used. Ask who runs it.", { cause: error });
  }
  return error;
}
