/** Where the tests' databases and browsers write: in memory where there is plenty, for they wait for a disk at each commit. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";

const SHARED_MEMORY = "/dev/shm";
const ENOUGH_BYTES = 8 * 1024 ** 3;

/** A new folder that anybody may use, as `/tmp` is. */
export function quickFolder(): string {
  const folder = inMemory() ?? mkdtempSync(join(tmpdir(), "perch-tests-"));
  // Web phones run as another user and pass through.
  chmodSync(folder, 0o1777);
  return folder;
}

function inMemory(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(SHARED_MEMORY);
    if (Math.min(bavail * bsize, freemem()) < ENOUGH_BYTES) return undefined;
    const folder = mkdtempSync(join(SHARED_MEMORY, "perch-"));
    const program = join(folder, "program");
    writeFileSync(program, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    const { status } = spawnSync(program);
    rmSync(program);
    if (status === 0) return folder;
    // Containers mount it so that nothing may be run from it; tests put programs beside their data.
    rmSync(folder, { recursive: true });
  } catch {
    // Not there, or not ours to write.
  }
  return undefined;
}
