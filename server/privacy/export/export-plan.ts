/** What an export holds and what it leaves out, read off the data map: no table is listed by hand. */
import { tablesFor } from "../../db/tables.ts";
import { dataMap, type MappedColumn, type MappedTable, tableNamed } from "../map/data-map.ts";

export type ColumnKind = "text" | "number" | "boolean" | "moment" | "json" | "bytes";

export interface ExportColumn extends MappedColumn {
  readonly kind: ColumnKind;
  readonly nullable: boolean;
  /** The texts it takes, where they are few. */
  readonly choices?: readonly string[];
}

export interface Omission {
  readonly table: string;
  readonly column: string;
  readonly reason: string;
}

export interface ExportTable {
  readonly mapped: MappedTable;
  /** Its name in the archive, which is that in the database. */
  readonly name: string;
  /** "Run events". */
  readonly label: string;
  readonly columns: readonly ExportColumn[];
  /** Columns whose values are files of the archive, in this folder. */
  readonly asFiles: readonly { readonly column: string; readonly folder: string }[];
}

export interface ExportPlan {
  readonly tables: readonly ExportTable[];
  readonly omissions: readonly Omission[];
}

/** `asFiles`: columns that `export-files.repo.ts` puts into a folder instead, as `table.column` in the words of the schema. */
export function exportPlan(map: readonly MappedTable[], asFiles: Readonly<Record<string, string>> = {}): ExportPlan {
  const lite = dataMap(tablesFor.sqlite);
  const tables: ExportTable[] = [];
  const omissions: Omission[] = [];
  for (const mapped of map) {
    const { subject } = mapped.about;
    const exported: ExportColumn[] = [];
    const files: { column: string; folder: string }[] = [];
    const canonical = tableNamed(lite, mapped.property);
    for (const column of mapped.columns) {
      const { tag, property } = column;
      const folder = asFiles[`${mapped.property}.${property}`];
      const reason = tag.export === "self" ? ("none" in subject ? subject.none : undefined) : tag.export.never;
      if (reason !== undefined) omissions.push({ table: mapped.name, column: property, reason });
      else if (folder !== undefined) files.push({ column: property, folder });
      else exported.push({ ...column, ...shapeOf(canonical, property) });
    }
    if ("none" in subject || exported.length === 0) continue;
    tables.push({ mapped, name: mapped.name, label: labelOf(mapped.name), columns: exported, asFiles: files });
  }
  return { tables, omissions };
}

/** From SQLite's definition, which alone knows the texts a column takes; both engines hold the same values. */
function shapeOf(table: MappedTable, property: string): Pick<ExportColumn, "kind" | "nullable" | "choices"> {
  const found = table.columns.find((column) => column.property === property);
  if (found === undefined) throw new Error(`${table.name} has no column ${property}.`);
  const { dataType, notNull, enumValues } = found.column;
  return {
    kind: KINDS[dataType] ?? "text",
    nullable: !notNull,
    ...(enumValues !== undefined && enumValues.length > 0 && { choices: enumValues }),
  };
}

const KINDS: Readonly<Record<string, ColumnKind>> = {
  string: "text",
  number: "number",
  boolean: "boolean",
  date: "moment",
  json: "json",
  buffer: "bytes",
};

export function labelOf(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
