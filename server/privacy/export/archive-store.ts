/** Archives on the disk: one encrypted file an export. A half one has another name, and is never opened. */
import { createWriteStream } from "node:fs";
import { chmod, open, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type DataExportId, idPattern } from "../../../shared/ids.ts";
import { syncFolder } from "../../keys.ts";
import { makeFolder } from "../../make-folder.ts";
import { sealing, shred, unsealed, unsealedSize } from "../../sealed-file.ts";

export interface ArchiveStore {
  /** Whole or not at all; gives the size of the content. */
  write(id: DataExportId, key: Buffer, content: Readable, signal: AbortSignal): Promise<number>;
  read(id: DataExportId, key: Buffer): { bytes: Promise<number>; content: AsyncGenerator<Buffer, void, undefined> };
  /** Writes over it, then removes it, half ones too. */
  remove(id: DataExportId): Promise<void>;
  /** Exports that have a file here. */
  list(): Promise<DataExportId[]>;
}

const HALF = ".part";

export function createArchiveStore(folder: string): ArchiveStore {
  const at = (id: DataExportId) => join(folder, id);
  return {
    async write(id, key, content, signal) {
      makeFolder(folder, 0o700);
      await chmod(folder, 0o700);
      const half = `${at(id)}${HALF}`;
      await shred(half);
      await pipeline(content, sealing(key, id), createWriteStream(half, { mode: 0o600 }), { signal });
      const file = await open(half, "r");
      await file.sync();
      await file.close();
      await rename(half, at(id));
      syncFolder(folder);
      return unsealedSize((await stat(at(id))).size);
    },
    read: (id, key) => ({
      bytes: stat(at(id)).then(({ size }) => unsealedSize(size)),
      content: unsealed(at(id), key, id),
    }),
    async remove(id) {
      await shred(`${at(id)}${HALF}`);
      await shred(at(id));
    },
    async list() {
      const names: string[] = await readdir(folder).catch(() => []);
      const ids = names.map((name) => (name.endsWith(HALF) ? name.slice(0, -HALF.length) : name)).filter(isExportId);
      return [...new Set(ids)];
    },
  };
}

function isExportId(name: string): name is DataExportId {
  return idPattern("dataExport").test(name);
}
