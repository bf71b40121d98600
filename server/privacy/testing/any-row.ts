/** Rows of any table, made from its columns: for tests that walk the data map. */
import { randomBytes } from "node:crypto";
import type { UserId } from "../../../shared/ids.ts";
import type { Database, Writer } from "../../db/database.ts";
import { fingerprintOf, isSealedJson, sealedPlace } from "../../db/dialect.ts";
import type { MappedTable } from "../map/data-map.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Makes a row with a value in every column; `given` wins. Rows it points to have to be there. */
export function anyRow(table: MappedTable, given: Row = {}): Row {
  return Object.fromEntries(
    table.columns.map(({ property, column }) => [property, property in given ? given[property] : valueFor(column)]),
  );
}

function valueFor(column: MappedTable["columns"][number]["column"]): unknown {
  if (isSealedJson(column)) return {};
  if (fingerprintOf(column) !== undefined) return `${randomBytes(6).toString("hex")}@x.example`;
  if (sealedPlace(column) !== undefined) return randomBytes(12).toString("base64url");
  const [choice] = column.enumValues ?? [];
  if (choice !== undefined) return choice;
  switch (column.dataType) {
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

/** Inserts a row made of properties of the schema, sealed with the key of `owner` where the table says so. */
export async function insertRow(
  db: Pick<Database, "keys">,
  tx: Writer,
  table: MappedTable,
  row: Row,
  owner: UserId,
): Promise<void> {
  if (table.property === "users") await db.keys.create(tx, owner);
  await tx.insert(table.table).values(await db.keys.row(tx, table.table, row, owner));
}
