/** A disk of a few megabytes, for tests of what happens when it is full or only reads. Needs root; `undefined` without. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  readonly folder: string;
  fill(): void;
  makeRoom(): void;
  readOnly(): void;
  remove(): void;
}

const run = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;

export function smallDisk(megabytes: number): SmallDisk | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "perch-small-disk-"));
  if (!run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=755`, "tmpfs", folder)) {
    rmdirSync(folder);
    return undefined;
  }
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill() {
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize));
    },
    makeRoom: () => rmSync(ballast, { force: true }),
    readOnly() {
      if (!run("mount", "-o", "remount,ro", folder)) throw new Error("The disk cannot be made read-only.");
    },
    remove() {
      run("umount", "-l", folder);
      rmdirSync(folder);
    },
  };
}
