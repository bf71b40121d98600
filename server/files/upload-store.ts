/**
 * The bytes of uploads: one folder an upload, one sealed file a piece, named by where in the upload it begins. A piece counts
 * once it is whole on the disk under its name, so what was told to be received is there after a crash.
 */
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { idPattern, type UploadId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import { sealing, unsealed, unsealedSize } from "../sealed-file.ts";

/** Of the data folder. */
export const UPLOADS_FOLDER = "uploads";

export interface UploadStore {
  /**
   * Keeps what the content gives behind `from`, also when it breaks off. Resolves with the bytes that are safe on the disk.
   * @throws PerchError `too_large` when there are more than `most`; `limit_reached` when the pieces are too many
   */
  add(id: UploadId, from: number, content: AsyncIterable<Uint8Array>, most: number): Promise<number>;
  /** Bytes that are there without a gap. */
  held(id: UploadId): Promise<number>;
  /** The first `bytes`. Throws the signal's reason when it is aborted. */
  read(id: UploadId, bytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>;
  remove(ids: readonly UploadId[]): Promise<void>;
  /** Uploads that have a folder. */
  ids(): Promise<UploadId[]>;
}

/** Pieces an upload may come in: 1 GB has 256 whole ones, and many may break off. */
const MAX_PIECES = 2_048;
const SEALED = ".sealed";

export function createUploadStore(options: { folder: string; key: Buffer }): UploadStore {
  const { folder, key } = options;
  const of = (id: UploadId) => join(folder, id);
  const piece = (id: UploadId, from: number) => join(of(id), `${from}${SEALED}`);
  const place = (id: UploadId, from: number) => `upload ${id} ${from}`;

  async function lengthOf(id: UploadId, from: number): Promise<number | undefined> {
    try {
      return unsealedSize((await stat(piece(id, from))).size);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  return {
    async add(id, from, content, most) {
      await mkdir(of(id), { recursive: true, mode: 0o700 });
      const pieces = (await readdir(of(id))).filter((name) => name.endsWith(SEALED)).length;
      if (pieces >= MAX_PIECES) {
        throw new PerchError("limit_reached", "This file came in too many small pieces. Cancel it and send it again.");
      }
      const draft = join(of(id), `${from}.new`);
      const file = await open(draft, "w", 0o600);
      let bytes = 0;
      let refused = false;
      async function* taken() {
        try {
          for await (const part of content) {
            bytes += part.length;
            refused = bytes > most;
            if (refused) return;
            yield part;
          }
        } catch {
          // The sender is gone; what came until then is kept.
        }
      }
      try {
        await pipeline(Readable.from(taken()), sealing(key, place(id, from)), file.createWriteStream({ flush: true }));
        if (refused) throw new PerchError("too_large", "This piece is larger than what is left of the file.");
        if (bytes > 0) await rename(draft, piece(id, from));
      } finally {
        await file.close().catch(() => {});
        await rm(draft, { force: true });
      }
      await syncFolder(of(id));
      return bytes;
    },
    async held(id) {
      for (let from = 0; ; ) {
        const length = await lengthOf(id, from);
        if (length === undefined || length <= 0) return from;
        from += length;
      }
    },
    async *read(id, bytes, signal) {
      for (let from = 0; from < bytes; ) {
        const start = from;
        for await (const part of unsealed(piece(id, start), key, place(id, start))) {
          signal.throwIfAborted();
          const wanted = part.subarray(0, bytes - from);
          from += wanted.length;
          if (wanted.length > 0) yield wanted;
        }
        if (from === start) throw new Error("A piece of an upload is empty.");
      }
    },
    async remove(ids) {
      for (const id of ids) await rm(of(id), { recursive: true, force: true });
    },
    async ids() {
      const names: string[] = await readdir(folder).catch(() => []);
      return names.filter(isUploadId);
    },
  };
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
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function isUploadId(name: string): name is UploadId {
  return idPattern("upload").test(name);
}
