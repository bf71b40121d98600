/** Reads every row with a sealed field through the tables themselves, which throw for a value that does not open. */
import { asc, getTableColumns, gt } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Database } from "../database.ts";
import { type AnyTable, sealedPlace } from "../dialect.ts";
import { primaryKeyOf } from "../table-keys.ts";

const BATCH = 500;

/** How many fields opened. @throws PerchError for the first that does not */
export async function openSealedFields(db: Database): Promise<number> {
  let opened = 0;
  for (const table of Object.values<AnyTable>(db.t)) {
    const columns = Object.entries(getTableColumns(table)).filter(([, column]) => sealedPlace(column) !== undefined);
    const [key, second] = primaryKeyOf(table);
    // The data-map test holds that sealed tables have a key of one column.
    if (columns.length === 0 || key === undefined || second !== undefined) continue;
    const property = propertyOf(table, key);
    for (let after: unknown; ; ) {
      const rows: Record<string, unknown>[] = await db.read
        .select()
        .from(table)
        .where(after === undefined ? undefined : gt(key, after))
        .orderBy(asc(key))
        .limit(BATCH);
      for (const row of rows) opened += columns.filter(([name]) => row[name] !== null).length;
      if (rows.length < BATCH) break;
      after = rows.at(-1)?.[property];
    }
  }
  return opened;
}

function propertyOf(table: AnyTable, key: SQLiteColumn): string {
  const [property] = Object.entries(getTableColumns(table)).find(([, column]) => column === key) ?? [];
  if (property === undefined) throw new Error("A key is not among the columns of its table.");
  return property;
}
