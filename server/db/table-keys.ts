/** Primary and foreign keys of a table, read from its definition; alike on both engines. */
import { getTableColumns, is } from "drizzle-orm";
import { PgTable, getTableConfig as pgConfig } from "drizzle-orm/pg-core";
import { getTableConfig as liteConfig, type SQLiteColumn, type SQLiteTable } from "drizzle-orm/sqlite-core";

export interface ForeignKey {
  readonly column: SQLiteColumn;
  readonly to: { readonly table: SQLiteTable; readonly column: SQLiteColumn };
  /** What becomes of the row when the other goes, in SQL's words. */
  readonly onDelete: string | undefined;
}

/** PostgreSQL's definitions stand behind SQLite's types (`dialect.ts`); their configs have the same shape. */
function configOf(table: SQLiteTable): ReturnType<typeof liteConfig> {
  return is(table, PgTable) ? (pgConfig(table) as unknown as ReturnType<typeof liteConfig>) : liteConfig(table);
}

/** In the order of the key. Every table has one. */
export function primaryKeyOf(table: SQLiteTable): readonly SQLiteColumn[] {
  const [composite] = configOf(table).primaryKeys;
  if (composite !== undefined) return composite.columns;
  return Object.values(getTableColumns(table)).filter(({ primary }) => primary);
}

/** Keys of one column, which are all there are. */
export function foreignKeysOf(table: SQLiteTable): readonly ForeignKey[] {
  return configOf(table).foreignKeys.flatMap((key) => {
    const { columns, foreignColumns, foreignTable } = key.reference();
    const [column] = columns;
    const [to] = foreignColumns;
    if (columns.length !== 1 || column === undefined || to === undefined) {
      throw new Error("A foreign key over several columns is not known here.");
    }
    return [{ column, to: { table: foreignTable, column: to }, onDelete: key.onDelete }];
  });
}
