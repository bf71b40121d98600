/**
 * The live database against the data map: a table or column nobody tagged stops the start. Types catch what developers
 * forget; this catches what a migration, a console or another program brought in.
 */
import type Sqlite from "better-sqlite3";
import { PerchError } from "../errors.ts";
import { dataMap } from "../privacy/map/data-map.ts";
import { JOURNAL, type PostgresSession } from "./migrate.ts";
import type { Tables } from "./tables.ts";

export interface LiveColumn {
  readonly table: string;
  readonly column: string;
}

export function sqliteColumns(db: Sqlite.Database): LiveColumn[] {
  return db
    .prepare<[], LiveColumn>(
      `select m.name as "table", c.name as "column" from sqlite_master m join pragma_table_xinfo(m.name) c
       where m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\'`,
    )
    .all();
}

/** Of the schema the tables are in, and of no other. */
export async function postgresColumns(session: PostgresSession): Promise<LiveColumn[]> {
  const rows = await session.rows(
    `select c.table_name as "table", c.column_name as "column" from information_schema.columns c
     join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
     where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'`,
  );
  return rows.map((row) => ({ table: String(row["table"]), column: String(row["column"]) }));
}

/** @throws PerchError that names what the map does not know, or what the database lacks. */
export function demandKnown(live: readonly LiveColumn[], tables: Tables): void {
  const words = ({ table, column }: LiveColumn) => `${table}.${column}`;
  const known = new Set(dataMap(tables).flatMap(({ name, columns }) => columns.map((one) => `${name}.${one.name}`)));
  const found = new Set(live.filter(({ table }) => table !== JOURNAL).map(words));
  const unknown = [...found].filter((one) => !known.has(one));
  if (unknown.length > 0) {
    throw new PerchError(
      "unavailable",
      `The database holds ${listed(unknown)}, which the data map of this version does not know, so nobody could export or erase it. Remove it, or move it to another database or schema.`,
    );
  }
  const missing = [...known].filter((one) => !found.has(one));
  if (missing.length > 0) {
    throw new PerchError(
      "unavailable",
      `The database lacks ${listed(missing)}. Somebody changed it by hand; restore a backup.`,
    );
  }
}

const LISTED = 5;
function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
