/** Around a run of the server's tests: what its processes make and use again, databases and files, goes at its end. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

const RUN = "PERCH_TEST_RUN";
const IN_MEMORY = "PERCH_TEST_MEMORY";
/** Linux keeps what lies here in memory. */
const MEMORY = "/dev/shm";
/** Many times what tests hold at once; containers often have less. */
const ROOM_BYTES = 2 * 1024 ** 3;

/** How the run's databases on a PostgreSQL server, and its folder, are called. */
function runName(): string {
  process.env[RUN] ??= randomBytes(4).toString("hex");
  return `perch_test_${process.env[RUN]}_`;
}
export const databasePrefix = runName;

/** A folder that is there until the end of the run. */
export function runFolder(): string {
  const folder = join(tmpdir(), runName());
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  return folder;
}

/**
 * A new folder for the data of a test. During a run it is in memory, where there is room: each commit of SQLite waits for
 * the disk longer than it works, and a process that is killed loses no more here than there.
 */
export function dataFolder(name: string): string {
  return mkdtempSync(join(process.env[IN_MEMORY] ?? tmpdir(), name));
}

function memoryFolder(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize < ROOM_BYTES) return undefined;
    const folder = join(MEMORY, runName());
    mkdirSync(folder, { mode: 0o711 });
    return folder;
  } catch {
    return undefined;
  }
}

export default function setup(): () => Promise<void> {
  // Processes of tests are started after this, with this environment.
  const folder = runFolder();
  const memory = memoryFolder();
  if (memory !== undefined) process.env[IN_MEMORY] = memory;
  return async () => {
    rmSync(folder, { recursive: true, force: true });
    if (memory !== undefined) rmSync(memory, { recursive: true, force: true });
    const url = process.env["TEST_DATABASE_URL"];
    if (url === undefined) return;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const made = "select datname from pg_database where starts_with(datname, $1)";
    const { rows } = await client.query<{ datname: string }>(made, [runName()]);
    for (const { datname } of rows) await client.query(`drop database ${datname} with (force)`);
    await client.end();
  };
}
