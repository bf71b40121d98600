/** Rows of any table, made from its columns: for tests that walk the data map. */
import { randomBytes } from "node:crypto";
import type { Database, Writer } from "../../db/database.ts";
import { sealedRow, valueKindOf } from "../../db/sealed-rows.fixture.ts";
import { dataMap, type MappedTable } from "../map/data-map.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Makes a row with a value in every column; `given` wins. Rows it points to have to be there. */
export function anyRow(table: MappedTable, given: Row = {}): Row {
  return Object.fromEntries(
    table.columns.map(({ property, column }) => [property, property in given ? given[property] : valueFor(column)]),
  );
}

function valueFor(column: MappedTable["columns"][number]["column"]): unknown {
  const [choice] = column.enumValues ?? [];
  if (choice !== undefined) return choice;
  switch (valueKindOf(column)) {
    case "date":
      return new Date(0);
    case "number":
    case "bigint":
      return 1;
    case "boolean":
      return false;
    case "json":
      return {};
    case "buffer":
    case "custom":
      return randomBytes(4);
    default:
      return randomBytes(12).toString("base64url");
  }
}

/** Inserts a row made of properties of the schema. The contract suite holds that both engines take the same values. */
export async function insertRow(db: Database, tx: Writer, table: MappedTable, row: Row): Promise<void> {
  await tx.insert(table.table).values(await sealedRow(db, tx, table, row));
}

/** Foreign keys of a table that may not be empty, as the schema declares them: column → table and key. */
export function mappedTables(db: Database): ReadonlyMap<string, MappedTable> {
  return new Map(dataMap(db.t).map((table) => [table.property, table]));
}
