/** Looks at the database of the settings from outside: nothing is migrated, written or kept open. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { z } from "zod";
import { JOURNAL } from "./migrate.ts";
import { postgresConfig } from "./postgres-url.ts";

export interface PostgresFacts {
  readonly version: string;
  /** As `server_version_num`: 150004. */
  readonly number: number;
  /** Of this connection; undefined without TLS. */
  readonly tls: string | undefined;
  /** A standby, or switched to reading only. */
  readonly readOnly: boolean;
  /** May make tables. */
  readonly mayCreate: boolean;
  /** How many there have been; undefined where there are no tables yet. */
  readonly migrations: number | undefined;
  /** Unix milliseconds at its clock, and at ours when the answer was under way. */
  readonly clock: { readonly theirs: number; readonly ours: number };
  readonly connections: { readonly used: number; readonly most: number };
}

const row = z.object({
  version: z.string(),
  number: z.coerce.number(),
  tls: z.string().nullable(),
  read_only: z.boolean(),
  may_create: z.boolean().nullable(),
  journal: z.string().nullable(),
  now_ms: z.coerce.number(),
  used: z.coerce.number(),
  most: z.coerce.number(),
});
const FACTS = `
  select current_setting('server_version') as version, current_setting('server_version_num') as number,
    (select s.version from pg_stat_ssl s where s.pid = pg_backend_pid() and s.ssl) as tls,
    pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as read_only,
    has_schema_privilege(current_schema(), 'create') as may_create,
    to_regclass('${JOURNAL}')::text as journal,
    extract(epoch from clock_timestamp()) * 1000 as now_ms,
    (select count(*) from pg_stat_activity) as used, current_setting('max_connections') as most`;
const CONNECT_MS = 8_000;

export async function lookAtPostgres(url: string, now: () => number): Promise<PostgresFacts> {
  const client = new pg.Client({
    ...postgresConfig(url),
    ...{ connectionTimeoutMillis: CONNECT_MS, query_timeout: CONNECT_MS, application_name: "perch doctor" },
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("begin read only");
    const asked = now();
    const found = row.parse((await client.query(FACTS)).rows[0]);
    const answered = now();
    const migrations =
      found.journal === null
        ? undefined
        : z.coerce.number().parse((await client.query(`select count(*) as n from ${JOURNAL}`)).rows[0]?.n);
    await client.query("rollback");
    return {
      ...{ version: found.version, number: found.number, tls: found.tls ?? undefined, readOnly: found.read_only },
      ...{ mayCreate: found.may_create ?? false, migrations },
      clock: { theirs: found.now_ms, ours: (asked + answered) / 2 },
      connections: { used: found.used, most: found.most },
    };
  } finally {
    await client.end().catch(() => {});
  }
}

const journal = z.object({ entries: z.array(z.unknown()) });

/** Migrations this version ships. */
export function shippedMigrations(folder: string): number {
  const file = join(folder, "meta", "_journal.json");
  return existsSync(file) ? journal.parse(JSON.parse(readFileSync(file, "utf8"))).entries.length : 0;
}
