/**
 * Makes PostgreSQL forget what was deleted. A plain `vacuum` frees the place of a dead row and leaves its bytes there until
 * something else is written over them, so tables are written anew, indexes included; only large ones are vacuumed alone,
 * because nobody can use a table while it is written anew (`docs/operators.md`).
 */
import type { PostgresSession } from "./migrate.ts";

export const REWRITTEN_UP_TO_BYTES = 64 * 1024 * 1024;
const LOCK_TIMEOUT_MS = 2_000;
const PAUSE_MS = 50;
const LOCK_NOT_AVAILABLE = "55P03";

/** `session` is a connection of its own, outside of any transaction; `keys` is the table of people's keys. False when somebody still sees the rows or uses a table: try again. */
export async function settlePostgres(
  session: PostgresSession,
  tables: readonly string[],
  keys: string,
): Promise<boolean> {
  if (!(await nobodySeesEarlier(session))) return false;
  await session.run(`set lock_timeout = ${LOCK_TIMEOUT_MS}`);
  try {
    // The keys of people and the samples of values that the planner keeps.
    for (const name of [...tables.map(quoted), keys]) await settleTable(session, name);
    await session.run("vacuum full pg_catalog.pg_statistic");
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  } finally {
    await session.run("reset lock_timeout");
  }
}

async function settleTable(session: PostgresSession, name: string): Promise<void> {
  const table = `'${name.replaceAll("'", "''")}'::regclass`;
  // An index has a second page as soon as anything ever stood in it.
  const [row] = await session.rows(
    `select pg_total_relation_size(${table}) as bytes, pg_relation_size(${table}) = 0 and pg_indexes_size(${table}) =
     current_setting('block_size')::bigint * (select count(*) from pg_index where indrelid = ${table}) as unused`,
  );
  if (row?.["unused"] === true) return;
  const isSmall = Number(row?.["bytes"]) <= REWRITTEN_UP_TO_BYTES;
  await session.run(`vacuum (${isSmall ? "full, " : ""}analyze) ${name}`);
}

/** A row is kept for whoever may still see it, also while its table is written anew: this waits for all who began before. */
async function nobodySeesEarlier(session: PostgresSession): Promise<boolean> {
  const [row] = await session.rows("select pg_snapshot_xmax(pg_current_snapshot())::xid::text as next");
  const next = `'${String(row?.["next"])}'::xid`;
  for (let waited = 0; waited <= LOCK_TIMEOUT_MS; waited += PAUSE_MS) {
    const earlier = await session.rows(
      `select 1 as one from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
       and greatest(age(backend_xmin), age(backend_xid)) > age(${next}) limit 1`,
    );
    if (earlier.length === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return false;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
