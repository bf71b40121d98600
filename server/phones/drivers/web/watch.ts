/** Watches what running phones use, so that one page cannot take the machine: memory every 2 s, disk every 10 s. */
import { memoryBytes, parents, tree } from "./proc.ts";
import { folderSize } from "./storage.ts";

const MEMORY_EVERY_MS = 2_000;
/** Disk is looked at on every fifth round. */
const DISK_EVERY_ROUNDS = 5;

export interface Watched {
  readonly pid: number;
  readonly folders: readonly string[];
  usedDisk(bytes: number): void;
  over(what: "out_of_memory" | "disk_full"): void;
}

/** @returns stops watching. */
export function watchUse(
  limits: { readonly memoryBytes: number; readonly diskBytes: number },
  phones: () => readonly Watched[],
): () => void {
  let round = 0;
  let busy = false;
  const look = async () => {
    const now = phones();
    if (now.length === 0) return;
    const parentOf = await parents();
    const withDisk = round++ % DISK_EVERY_ROUNDS === 0;
    for (const phone of now) {
      if ((await memoryBytes(tree(phone.pid, parentOf))) > limits.memoryBytes) {
        phone.over("out_of_memory");
        continue;
      }
      if (!withDisk) continue;
      const sizes = await Promise.all(phone.folders.map((folder) => folderSize(folder)));
      const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0);
      phone.usedDisk(bytes);
      if (bytes > limits.diskBytes) phone.over("disk_full");
    }
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    look()
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  }, MEMORY_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
