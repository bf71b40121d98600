/** The data map as a value: every table with its columns and their tags, and what of it leads to people and teams. */
import { type AnyTable, privacyOf, type TaggedColumn, tableName, taggedColumns } from "../../db/dialect.ts";
import type { Tables } from "../../db/tables.ts";
import type { Link, TablePrivacy } from "../tags.ts";

export type MappedColumn = TaggedColumn;

export interface MappedTable {
  /** Its name in the schema, which `TablePrivacy.subject` uses. */
  readonly property: keyof Tables;
  /** Its name in the database. */
  readonly name: string;
  readonly table: AnyTable;
  readonly about: TablePrivacy;
  readonly columns: readonly MappedColumn[];
}

/** Every table, in the order of the schema. */
export function dataMap(tables: Tables): readonly MappedTable[] {
  return (Object.keys(tables) as (keyof Tables)[]).map((property) => {
    const table: AnyTable = tables[property];
    const columns = taggedColumns(table);
    return { property, name: tableName(table), table, about: privacyOf(table), columns };
  });
}

/** The columns of a table that lead to people, or to teams. */
export function linksOf(table: MappedTable, ...kinds: readonly Link[]): readonly MappedColumn[] {
  return table.columns.filter(({ tag }) => tag.link !== undefined && kinds.includes(tag.link));
}

/** @throws Error for a name the schema does not have; the data-map test holds that every declared name exists. */
export function columnNamed(table: MappedTable, property: string): MappedColumn {
  const found = table.columns.find((column) => column.property === property);
  if (found === undefined) throw new Error(`${table.name} has no column ${property}.`);
  return found;
}

/** @throws Error as `columnNamed`. */
export function tableNamed(map: readonly MappedTable[], property: string): MappedTable {
  const found = map.find((table) => table.property === property);
  if (found === undefined) throw new Error(`There is no table ${property}.`);
  return found;
}
