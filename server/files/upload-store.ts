/**
 * The bytes of uploads: one sealed blob a piece, named by where in the upload it begins. A piece counts once it is whole in
 * the storage, so what was told to be received is there after a crash, and for another node.
 */
import type { TeamId, UploadId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import { sealed, unsealedSize, unsealing } from "../sealed-file.ts";
import type { Shelf } from "./blob-shelves.ts";

/** What says where an upload's bytes are. */
export interface UploadHome {
  readonly id: UploadId;
  readonly teamId: TeamId;
}
export type UploadShelf = Shelf<TeamId, UploadId>;

export interface UploadStore {
  /**
   * Keeps what the content gives behind `from`, also when it breaks off. Resolves with the bytes that are safe.
   * @throws PerchError `too_large` when there are more than `most`; `limit_reached` when the pieces are too many
   */
  add(upload: UploadHome, from: number, content: AsyncIterable<Uint8Array>, most: number): Promise<number>;
  /** Bytes that are there without a gap. */
  held(upload: UploadHome): Promise<number>;
  /** The first `bytes`. Throws the signal's reason when it is aborted. */
  read(upload: UploadHome, bytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>;
  remove(uploads: readonly UploadHome[]): Promise<void>;
  readonly shelf: UploadShelf;
}

/** Pieces an upload may come in: 1 GB has 256 whole ones, and many may break off. */
const MAX_PIECES = 2_048;
const SEALED = ".sealed";

export function createUploadStore(options: { shelf: UploadShelf; key: Buffer }): UploadStore {
  const { shelf, key } = options;
  const { blobs } = shelf;
  const of = (upload: UploadHome) => shelf.prefix(upload.teamId, upload.id);
  const piece = (upload: UploadHome, from: number) => `${of(upload)}/${from}${SEALED}`;
  const place = ({ id }: UploadHome, from: number) => `upload ${id} ${from}`;

  /** Sizes of the pieces by where they begin. */
  async function pieces(upload: UploadHome): Promise<Map<number, number>> {
    const found = new Map<number, number>();
    for await (const { key: name, bytes } of blobs.list(`${of(upload)}/`)) {
      const from = /\/(\d{1,12})\.sealed$/.exec(name)?.[1];
      if (from !== undefined) found.set(Number(from), unsealedSize(bytes));
    }
    return found;
  }

  return {
    shelf,
    async add(upload, from, content, most) {
      if ((await pieces(upload)).size >= MAX_PIECES) {
        throw new PerchError("limit_reached", "This file came in too many small pieces. Cancel it and send it again.");
      }
      const coming = kept(content);
      const first = await coming.next();
      if (first.done === true) return 0;
      let bytes = 0;
      async function* taken(start: Uint8Array) {
        for (let part = start; ; ) {
          bytes += part.length;
          if (bytes > most) throw new PerchError("too_large", "This piece is larger than what is left of the file.");
          yield part;
          const next = await coming.next();
          if (next.done === true) return;
          part = next.value;
        }
      }
      try {
        await blobs.put(piece(upload, from), sealed(taken(first.value), key, place(upload, from)));
      } finally {
        await coming.return();
      }
      return bytes;
    },
    async held(upload) {
      const found = await pieces(upload);
      for (let from = 0; ; ) {
        const length = found.get(from);
        if (length === undefined || length <= 0) return from;
        from += length;
      }
    },
    async *read(upload, bytes, signal) {
      for (let from = 0; from < bytes; ) {
        const start = from;
        const stored = await blobs.get(piece(upload, start), { signal });
        if (stored === undefined) throw new Error("A piece of an upload is missing.");
        for await (const part of unsealing(stored.content, key, place(upload, start))) {
          signal.throwIfAborted();
          const wanted = part.subarray(0, bytes - from);
          from += wanted.length;
          if (wanted.length > 0) yield wanted;
        }
        if (from === start) throw new Error("A piece of an upload is empty.");
      }
    },
    async remove(uploads) {
      await shelf.remove(uploads.map((upload) => ({ prefix: of(upload) })));
    },
  };
}

/** What came until the sender was gone. */
async function* kept(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const part of content) if (part.length > 0) yield part;
  } catch {
    // The sender is gone; what came until then is kept.
  }
}
