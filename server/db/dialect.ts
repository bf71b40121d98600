/**
 * The dialect kit: tables are declared once and exist on SQLite and PostgreSQL. SQLite's builder types are canonical;
 * the PostgreSQL record is cast to them once, which the contract suite (`contract.test.ts`) justifies by running every
 * query on both engines. Every column maker demands a privacy tag.
 */
import { type Column, getTableColumns, getTableName, type Table } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import type { ColumnPrivacy, TablePrivacy } from "../privacy/tags.ts";

const tablePrivacy = new WeakMap<object, TablePrivacy>();

/** Keeps the tag in the builder's config, from where drizzle carries it into the column. */
function tagged<B extends object>(builder: B, tag: ColumnPrivacy): B {
  (builder as unknown as { config: { privacy?: ColumnPrivacy } }).config.privacy = tag;
  return builder;
}

/** The tag a column was declared with. Guaranteed by the kit: there is no other way to make a column. */
export function columnPrivacy(column: Column): ColumnPrivacy {
  const tag = (column as unknown as { config: { privacy?: ColumnPrivacy } }).config.privacy;
  if (tag === undefined) throw new Error(`Column ${column.name} carries no privacy tag.`);
  return tag;
}

/** The table's privacy declaration. */
export function privacyOf(table: Table): TablePrivacy {
  const about = tablePrivacy.get(table);
  if (about === undefined) throw new Error("A table was made without the dialect kit.");
  return about;
}

export type AnyTable = lite.SQLiteTable;
export type AnyColumn = lite.SQLiteColumn;

export interface TaggedColumn {
  /** Its name in the schema. */
  readonly property: string;
  /** Its name in the database. */
  readonly name: string;
  readonly column: AnyColumn;
  readonly tag: ColumnPrivacy;
}

/** Every column of a table with its names and its tag. */
export function taggedColumns(table: Table): TaggedColumn[] {
  return Object.entries(getTableColumns(table)).map(([property, column]) => ({
    property,
    name: toSnakeCase(property),
    column: column as AnyColumn,
    tag: columnPrivacy(column),
  }));
}

/** A table's name in the database. */
export function tableName(table: Table): string {
  return getTableName(table);
}

type LiteColumns = Record<string, lite.SQLiteColumnBuilderBase>;

const liteKit = {
  table: <N extends string, C extends LiteColumns>(
    name: N,
    about: TablePrivacy,
    columns: C,
    extra?: (self: lite.SQLiteTableWithColumns<TableConfigOf<N, C>>) => lite.SQLiteTableExtraConfigValue[],
  ): lite.SQLiteTableWithColumns<TableConfigOf<N, C>> => {
    const table = lite.sqliteTable(name, columns, extra as never) as lite.SQLiteTableWithColumns<TableConfigOf<N, C>>;
    tablePrivacy.set(table, about);
    return table;
  },
  index: lite.index,
  uniqueIndex: lite.uniqueIndex,
  primaryKey: lite.primaryKey,
  text: (tag: ColumnPrivacy) => tagged(lite.text(), tag),
  bool: (tag: ColumnPrivacy) => tagged(lite.integer({ mode: "boolean" }), tag),
  /** 64-bit, exact to 2^53 − 1. */
  int: (tag: ColumnPrivacy) => tagged(lite.integer(), tag),
  /** A moment, exact to the millisecond. */
  instant: (tag: ColumnPrivacy) => tagged(lite.integer({ mode: "timestamp_ms" }), tag),
  json: <T>(tag: ColumnPrivacy) => tagged(lite.text({ mode: "json" }).$type<T>(), tag),
  bytes: (tag: ColumnPrivacy) => tagged(lite.blob({ mode: "buffer" }).$type<Uint8Array>(), tag),
  oneOf: <const V extends readonly [string, ...string[]]>(values: V, tag: ColumnPrivacy) =>
    tagged(lite.text({ enum: [...values] as [V[number], ...V[number][]] }), tag),
};

export type Kit = typeof liteKit;
type TableConfigOf<N extends string, C extends LiteColumns> = {
  name: N;
  schema: undefined;
  columns: ReturnType<typeof lite.sqliteTable<N, C>>["_"]["columns"];
  dialect: "sqlite";
};

const bytea = pg.customType<{ data: Uint8Array }>({ dataType: () => "bytea" });

const pgKit = {
  table: (name: string, about: TablePrivacy, columns: Record<string, pg.PgColumnBuilderBase>, extra?: never) => {
    const table = pg.pgTable(name, columns, extra);
    tablePrivacy.set(table, about);
    return table;
  },
  index: pg.index,
  uniqueIndex: pg.uniqueIndex,
  primaryKey: pg.primaryKey,
  text: (tag: ColumnPrivacy) => tagged(pg.text(), tag),
  bool: (tag: ColumnPrivacy) => tagged(pg.boolean(), tag),
  int: (tag: ColumnPrivacy) => tagged(pg.bigint({ mode: "number" }), tag),
  instant: (tag: ColumnPrivacy) => tagged(pg.timestamp({ precision: 3, withTimezone: true }), tag),
  json: (tag: ColumnPrivacy) => tagged(pg.jsonb(), tag),
  bytes: (tag: ColumnPrivacy) => tagged(bytea(), tag),
  oneOf: (_values: readonly string[], tag: ColumnPrivacy) => tagged(pg.text(), tag),
};

/** The one unsound cast of the data layer; the contract suite runs the same queries on both engines. */
export const kits = { sqlite: liteKit, postgres: pgKit as unknown as Kit };
export type EngineName = keyof typeof kits;
