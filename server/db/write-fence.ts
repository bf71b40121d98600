/**
 * The write fence: once a person stands in `erasure_fence`, the database itself refuses every row that leads to them, so
 * no late worker, webhook or session can bring them back while and after they are erased. A row is refused when it is
 * inserted with the person, or when a change brings the person in; other changes of rows they still have pass, so that
 * sweeps, and what a team does with its things, go on. The triggers are derived from the data map at every start.
 */
import { createHash } from "node:crypto";
import type Sqlite from "better-sqlite3";
import { dataMap, linksOf } from "../privacy/map/data-map.ts";
import { FENCE_MESSAGE, FENCE_SQLSTATE } from "./database.ts";
import type { PostgresSession } from "./migrate.ts";
import type { Tables } from "./tables.ts";

const PREFIX = "perch_fence_";
const LOCK = 7_724_264;

/** What the triggers call. */
export const FENCE_FUNCTIONS = [`${PREFIX}holds(text)`, `${PREFIX}refuse()`] as const;

interface Fenced {
  readonly table: string;
  readonly columns: readonly string[];
}

/** Every table with a column that leads to a person, but for what the law keeps. */
export function fencedTables(tables: Tables): readonly Fenced[] {
  return dataMap(tables).flatMap((table) => {
    const columns = linksOf(table, "user").filter(({ tag }) => tag.erase !== "legal");
    return columns.length === 0 ? [] : [{ table: table.name, columns: columns.map(({ name }) => name) }];
  });
}

interface Trigger {
  readonly name: string;
  readonly sql: string;
}

function sqliteTriggers(tables: Tables): Trigger[] {
  return fencedTables(tables).flatMap(({ table, columns }) => {
    const refuse = `BEGIN SELECT RAISE(ABORT, '${FENCE_MESSAGE}'); END`;
    const isFenced = (column: string) => `EXISTS (SELECT 1 FROM "erasure_fence" WHERE "subject" = NEW."${column}")`;
    const trigger = (when: string, on: string, condition: string): Trigger => {
      const name = `${PREFIX}${table}_${when}`;
      return { name, sql: `CREATE TRIGGER "${name}" BEFORE ${on} ON "${table}" WHEN ${condition} ${refuse}` };
    };
    const changed = columns.map((column) => `(NEW."${column}" IS NOT OLD."${column}" AND ${isFenced(column)})`);
    return [
      trigger("insert", "INSERT", columns.map(isFenced).join(" OR ")),
      trigger("update", `UPDATE OF ${columns.map((column) => `"${column}"`).join(", ")}`, changed.join(" OR ")),
    ];
  });
}

/** Makes the database's triggers those of the map; does nothing when they are. */
export function fenceSqlite(db: Sqlite.Database, tables: Tables): void {
  const wanted = sqliteTriggers(tables);
  const present = new Map(fenceOfSqlite(db).map(({ name, sql }) => [name, sql]));
  if (present.size === wanted.length && wanted.every(({ name, sql }) => present.get(name) === sql)) return;
  db.transaction(() => {
    unfenceSqlite(db);
    for (const { sql } of wanted) db.exec(sql);
  }).immediate();
}

/** Before a migration: a table cannot be rebuilt under a trigger that names it. */
export function unfenceSqlite(db: Sqlite.Database): void {
  for (const { name } of fenceOfSqlite(db)) db.exec(`DROP TRIGGER "${name}"`);
}

function fenceOfSqlite(db: Sqlite.Database): Trigger[] {
  return db
    .prepare<[], Trigger>(`select name, sql from sqlite_master where type = 'trigger' and name glob '${PREFIX}*'`)
    .all();
}

function postgresStatements(tables: Tables, schema: string): string[] {
  const fence = `"${schema}"."erasure_fence"`;
  return [
    // Called from the triggers' conditions, which may hold no query of their own; a search path set on a function is slow.
    `create or replace function ${PREFIX}holds(who text) returns boolean language plpgsql stable as $$
     begin return exists (select 1 from ${fence} where subject = who); end $$`,
    `create or replace function ${PREFIX}refuse() returns trigger language plpgsql as $$
     begin raise exception '${FENCE_MESSAGE}' using errcode = '${FENCE_SQLSTATE}'; end $$`,
    ...fencedTables(tables).flatMap(({ table, columns }) => {
      const isFenced = (column: string) => `${PREFIX}holds(new."${column}")`;
      const changed = (column: string) => `(new."${column}" is distinct from old."${column}" and ${isFenced(column)})`;
      const trigger = (when: string, on: string, condition: string) =>
        `create trigger ${PREFIX}${table}_${when} before ${on} on "${table}" for each row when (${condition}) execute function ${PREFIX}refuse()`;
      return [
        trigger("insert", "insert", columns.map(isFenced).join(" or ")),
        trigger(
          "update",
          `update of ${columns.map((column) => `"${column}"`).join(", ")}`,
          columns.map(changed).join(" or "),
        ),
      ];
    }),
  ];
}

/** As `fenceSqlite`, in one transaction that only one node runs at a time. */
export async function fencePostgres(session: PostgresSession, tables: Tables): Promise<void> {
  await session.run("begin");
  try {
    await session.run(`select pg_advisory_xact_lock(${LOCK})`);
    const [place] = await session.rows("select current_schema() as name");
    const statements = postgresStatements(tables, String(place?.["name"]));
    const hash = createHash("sha256").update(statements.join("\0")).digest("hex");
    const present = await fenceOfPostgres(session);
    const [made] = await session.rows(`select obj_description(to_regproc('${PREFIX}refuse')::oid, 'pg_proc') as hash`);
    if (present.length !== statements.length - 2 || made?.["hash"] !== hash) {
      await unfencePostgres(session);
      for (const statement of statements) await session.run(statement);
      await session.run(`comment on function ${PREFIX}refuse() is '${hash}'`);
    }
    await session.run("commit");
  } catch (error) {
    await session.run("rollback");
    throw error;
  }
}

/** Before a migration: a column cannot go while a trigger names it. */
export async function unfencePostgres(session: PostgresSession): Promise<void> {
  for (const { name, table } of await fenceOfPostgres(session))
    await session.run(`drop trigger "${name}" on "${table}"`);
}

async function fenceOfPostgres(session: PostgresSession): Promise<{ name: string; table: string }[]> {
  const rows = await session.rows(
    `select t.tgname as name, c.relname as "table" from pg_trigger t join pg_class c on c.oid = t.tgrelid
     join pg_namespace n on n.oid = c.relnamespace where n.nspname = current_schema() and starts_with(t.tgname, '${PREFIX}')`,
  );
  return rows.map((row) => ({ name: String(row["name"]), table: String(row["table"]) }));
}
