/** Around a run of the server's tests: the PostgreSQL databases that its processes made, and used again, go at its end. */
import { randomBytes } from "node:crypto";
import pg from "pg";

const RUN = "TEST_DATABASE_RUN";

/** How the names of this run's databases begin. */
export function databasePrefix(): string {
  process.env[RUN] ??= randomBytes(4).toString("hex");
  return `perch_test_${process.env[RUN]}_`;
}

export default function setup(): (() => Promise<void>) | undefined {
  const url = process.env["TEST_DATABASE_URL"];
  if (url === undefined) return undefined;
  // Processes of tests are started after this, with this environment.
  const prefix = databasePrefix();
  return async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ datname: string }>(
      "select datname from pg_database where starts_with(datname, $1)",
      [prefix],
    );
    for (const { datname } of rows) await client.query(`drop database ${datname} with (force)`);
    await client.end();
  };
}
