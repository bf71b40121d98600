/** Rows in plain text for tests that walk the data map, sealed as their table wants them. */
import type { UserId } from "../../shared/ids.ts";
import type { MappedTable } from "../privacy/map/data-map.ts";
import type { Database, Writer } from "./database.ts";
import { fingerprintOf, isSealedJson, sealedPlace } from "./dialect.ts";

/** A row of `users` brings its key. */
export async function sealedRow<V extends Readonly<Record<string, unknown>>>(
  db: Database,
  tx: Writer,
  { property, table }: Pick<MappedTable, "property" | "table">,
  row: V,
): Promise<V> {
  if (property === "users") await db.keys.create(tx, row["id"] as UserId);
  return db.keys.row(tx, table, row);
}

/** The kind of value a column takes: a sealed column's own is how it is stored. */
export function valueKindOf(column: MappedTable["columns"][number]["column"]): string {
  if (isSealedJson(column)) return "json";
  return sealedPlace(column) === undefined && fingerprintOf(column) === undefined ? column.dataType : "string";
}
