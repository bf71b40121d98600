/** Around a run of the server's tests: what its processes make and use again, databases and files, goes at its end. */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

const RUN = "PERCH_TEST_RUN";

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

export default function setup(): () => Promise<void> {
  // Processes of tests are started after this, with this environment.
  const folder = runFolder();
  return async () => {
    rmSync(folder, { recursive: true, force: true });
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
