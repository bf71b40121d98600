/**
 * Prepared databases are used again by one test after the other: migrating takes a hundred times as long as deleting the
 * few rows a test leaves. One whose catalogue changed meanwhile, or that holds a great many rows, is not.
 */
import { JOURNAL, type PostgresSession } from "./migrate.ts";
import { DEFAULT_SCHEMA } from "./own-schema.postgres.ts";

/** Beyond these the dead rows would slow down who comes next. */
const MOST_ROWS = 5_000;
const OURS = `n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'`;
/** Rows of a catalogue, with the transactions that wrote them: any change of the schema changes the number. */
const stamp = (table: string) => `(select count(*) || ':' || coalesce(sum(xmin::text::bigint), 0) from ${table})`;
const CATALOGUE = ["pg_class", "pg_attribute", "pg_constraint", "pg_index", "pg_namespace", "pg_proc", "pg_trigger"];

export interface Emptying {
  /** Deletes all rows of the tables. False when the database is not what it was once it was prepared. */
  empty(session: PostgresSession): Promise<boolean>;
}

/**
 * Has a PostgreSQL server leave the room of deleted rows alone: filled again, it would give the next test's rows in another
 * order than they came. For a database that was just prepared.
 */
export async function keepOrder(session: PostgresSession): Promise<void> {
  await session.run(`do $$ declare one regclass; begin
    for one in select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and ${OURS}
    loop execute format('alter table %s set (autovacuum_enabled = false)', one); end loop; end $$`);
}

/** For a database that was just prepared. */
export async function emptyingOf(session: PostgresSession): Promise<Emptying> {
  const look = `select ${[...CATALOGUE, `${DEFAULT_SCHEMA}.${JOURNAL}`].map(stamp).join(" || ' ' || ")} as stamp`;
  const prepared = (await session.rows(look))[0]?.["stamp"];
  const tables = await session.rows(
    `select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name from pg_class c
     join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and ${OURS} and c.relname <> '${JOURNAL}'`,
  );
  const count = tables
    .map(({ name }) => `select '${name}' as name, count(*) as n from ${name} having count(*) > 0`)
    .join(" union all ");
  return {
    async empty(session) {
      if ((await session.rows(look))[0]?.["stamp"] !== prepared) return false;
      const full = await session.rows(count);
      if (full.reduce((sum, { n }) => sum + Number(n), 0) > MOST_ROWS) return false;
      // Neither references nor triggers of the tables are asked.
      const deletes = full.map(({ name }) => `delete from ${name};`).join("");
      if (full.length > 0)
        await session.run(`set session_replication_role = replica; ${deletes} reset session_replication_role`);
      return true;
    },
  };
}
