/** Archives of exports: one encrypted blob each, with a key of its own. A half one is never opened. */
import type { Readable } from "node:stream";
import type { DataExportId, UserId } from "../../../shared/ids.ts";
import type { Shelf } from "../../files/blob-shelves.ts";
import { sealed, unsealedSize, unsealing } from "../../sealed-file.ts";

/** What says where an archive is. */
export interface ArchiveHome {
  readonly id: DataExportId;
  readonly userId: UserId;
}
export type ArchiveShelf = Shelf<UserId, DataExportId>;

export interface OpenArchive {
  /** Of the content. */
  readonly bytes: number;
  readonly content: AsyncGenerator<Buffer, void, undefined>;
}

export interface ArchiveStore {
  /** Whole or not at all; gives the size of the content. */
  write(archive: ArchiveHome, key: Buffer, content: Readable, signal: AbortSignal): Promise<number>;
  /** Undefined where there is none. */
  read(archive: ArchiveHome, key: Buffer): Promise<OpenArchive | undefined>;
  /** In the data folder it is written over first; half ones too. */
  remove(archive: ArchiveHome): Promise<void>;
  readonly shelf: ArchiveShelf;
}

export function createArchiveStore(shelf: ArchiveShelf): ArchiveStore {
  const at = ({ userId, id }: ArchiveHome) => shelf.prefix(userId, id);
  const { blobs } = shelf;
  return {
    shelf,
    async write(archive, key, content, signal) {
      // What an earlier attempt left.
      await shelf.remove([{ prefix: at(archive) }]);
      const stop = () => content.destroy(signal.reason instanceof Error ? signal.reason : undefined);
      signal.addEventListener("abort", stop, { once: true });
      try {
        const { bytes } = await blobs.put(at(archive), sealed(content, key, archive.id), { signal });
        return unsealedSize(bytes);
      } finally {
        signal.removeEventListener("abort", stop);
        content.destroy();
      }
    },
    async read(archive, key) {
      const stored = await blobs.get(at(archive));
      if (stored === undefined) return undefined;
      return { bytes: unsealedSize(stored.bytes), content: unsealing(stored.content, key, archive.id) };
    },
    async remove(archive) {
      await shelf.remove([{ prefix: at(archive) }]);
    },
  };
}
