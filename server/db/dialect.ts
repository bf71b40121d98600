/**
 * The dialect kit: tables are declared once and exist on SQLite and PostgreSQL. SQLite's builder types are canonical;
 * the PostgreSQL record is cast to them once, which the contract suite (`contract.test.ts`) justifies by running every
 * query on both engines. Every column maker demands a privacy tag. A kit is made with the codec of its database: what a
 * sealed column gives is open, what it takes is sealed (`docs/decisions/subject-keys.md`).
 */
import { type Column, getTableColumns, getTableName, type NotNull, type Table } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import type { ColumnPrivacy, TablePrivacy } from "../privacy/tags.ts";
import { type FieldCodec, NO_KEYS } from "./sealed-fields.ts";

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

/** What makes a column sealed, kept in its config as the tag is. */
interface SealedConfig {
  /** `table.column`, bound into every value. */
  readonly place?: string;
  readonly isJson?: boolean;
  /** On a fingerprint: the property of the column it is of. */
  readonly addressOf?: string;
}
type SealedWith = NonNullable<ColumnPrivacy["sealed"]>;

function withSealing<B extends object>(builder: B, sealing: SealedConfig): B {
  Object.assign((builder as unknown as { config: object }).config, sealing);
  return builder;
}

/** Where a sealed column says it is; `undefined` for other columns. */
export function sealedPlace(column: Column): string | undefined {
  return (column as unknown as { config: SealedConfig }).config.place;
}

/** Whether a sealed column gives values, not text. */
export function isSealedJson(column: Column): boolean {
  return (column as unknown as { config: SealedConfig }).config.isJson === true;
}

/** The property a fingerprint is of; `undefined` for other columns. */
export function fingerprintOf(column: Column): string | undefined {
  return (column as unknown as { config: SealedConfig }).config.addressOf;
}

/** What a sealed column does on the way in and out, on both engines. */
function sealing(codec: FieldCodec, place: string, sealed: SealedWith) {
  return {
    dataType: () => "text",
    fromDriver: (stored: string) => codec.open(place, stored),
    toDriver: (value: string) =>
      sealed === "server" ? codec.sealForServer(place, value) : codec.demandSealed(place, value),
  };
}

/** Values sealed with the server's key; on PostgreSQL the sealed text is a JSON string, so that the column stays one. */
function sealingJson<T>(codec: FieldCodec, place: string, engine: EngineName) {
  return {
    dataType: () => (engine === "postgres" ? "jsonb" : "text"),
    fromDriver: (stored: string): T => JSON.parse(codec.open(place, stored)),
    toDriver: (value: T): string => {
      const sealed = codec.sealForServer(place, JSON.stringify(value));
      return engine === "postgres" ? JSON.stringify(sealed) : sealed;
    },
  };
}

function fingerprinting(codec: FieldCodec) {
  return { dataType: () => "text", toDriver: (address: string) => codec.fingerprint(address) };
}

/**
 * Sealing one text twice gives two values, so comparing a sealed column finds nothing, silently. As written in queries
 * these columns refuse values; inserts and updates take theirs from the table itself.
 */
function refuseComparing(table: Table): void {
  for (const [property, column] of Object.entries(getTableColumns(table))) {
    const place = sealedPlace(column);
    if (place === undefined) continue;
    const mapToDriverValue = () => {
      throw new Error(`${place} is sealed and cannot be compared. Look it up by its fingerprint.`);
    };
    Object.assign(table, { [property]: Object.create(column, { mapToDriverValue: { value: mapToDriverValue } }) });
  }
}

/** Type only: a builder whose value has to be given, though the column may be empty in rows of before. */
function alwaysGiven<B extends lite.SQLiteColumnBuilderBase>(builder: B): NotNull<B> {
  return builder as unknown as NotNull<B>;
}

type LiteColumns = Record<string, lite.SQLiteColumnBuilderBase>;

const liteKit = (codec: FieldCodec) => ({
  table: <N extends string, C extends LiteColumns>(
    name: N,
    about: TablePrivacy,
    columns: C,
    extra?: (self: lite.SQLiteTableWithColumns<TableConfigOf<N, C>>) => lite.SQLiteTableExtraConfigValue[],
  ): lite.SQLiteTableWithColumns<TableConfigOf<N, C>> => {
    const table = lite.sqliteTable(name, columns, extra as never) as lite.SQLiteTableWithColumns<TableConfigOf<N, C>>;
    tablePrivacy.set(table, about);
    refuseComparing(table);
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
  /**
   * Text about a person, sealed; `place` is `table.column` and bound into every value. `subject`: takes only what
   * `keys.row` sealed for this column, refuses plain text, and reads as `ERASED` once the person's key is gone.
   * `server`: seals what it is given.
   */
  sealed: (place: string, sealed: SealedWith, tag: ColumnPrivacy) =>
    tagged(
      withSealing(lite.customType<{ data: string; driverData: string }>(sealing(codec, place, sealed))(), { place }),
      { ...tag, sealed },
    ),
  /** As `json`, sealed with the server's key. */
  sealedJson: <T>(place: string, tag: ColumnPrivacy) =>
    tagged(
      withSealing(lite.customType<{ data: T; driverData: string }>(sealingJson<T>(codec, place, "sqlite"))(), {
        place,
        isJson: true,
      }),
      { ...tag, sealed: "server" },
    ),
  /**
   * A keyed fingerprint of the address in the sealed column `of`. It is written and looked up with the address itself:
   * `eq(users.emailIndex, "a@b.example")`. Upper and lower case are one address.
   */
  fingerprint: (of: string, tag: ColumnPrivacy) =>
    alwaysGiven(
      tagged(
        withSealing(lite.customType<{ data: string; driverData: string }>(fingerprinting(codec))(), { addressOf: of }),
        tag,
      ).$type<string | null>(),
    ),
});

export type Kit = ReturnType<typeof liteKit>;
type TableConfigOf<N extends string, C extends LiteColumns> = {
  name: N;
  schema: undefined;
  columns: ReturnType<typeof lite.sqliteTable<N, C>>["_"]["columns"];
  dialect: "sqlite";
};

const bytea = pg.customType<{ data: Uint8Array }>({ dataType: () => "bytea" });

const pgKit = (codec: FieldCodec, schema: string | undefined) => ({
  table: (name: string, about: TablePrivacy, columns: Record<string, pg.PgColumnBuilderBase>, extra?: never) => {
    const table =
      schema === undefined ? pg.pgTable(name, columns, extra) : pg.pgSchema(schema).table(name, columns, extra);
    tablePrivacy.set(table, about);
    refuseComparing(table);
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
  sealed: (place: string, sealed: SealedWith, tag: ColumnPrivacy) =>
    tagged(
      withSealing(pg.customType<{ data: string; driverData: string }>(sealing(codec, place, sealed))(), { place }),
      { ...tag, sealed },
    ),
  sealedJson: (place: string, tag: ColumnPrivacy) =>
    tagged(
      withSealing(pg.customType<{ data: unknown; driverData: string }>(sealingJson(codec, place, "postgres"))(), {
        place,
        isJson: true,
      }),
      { ...tag, sealed: "server" },
    ),
  fingerprint: (of: string, tag: ColumnPrivacy) =>
    tagged(
      withSealing(pg.customType<{ data: string; driverData: string }>(fingerprinting(codec))(), { addressOf: of }),
      tag,
    ),
});

/**
 * The one unsound cast of the data layer; the contract suite runs the same queries on both engines. With `schema`
 * PostgreSQL's tables are named with it in every query, so that no connection has to be told where they are.
 */
export const kitsWith = (codec: FieldCodec, schema?: string) => ({
  sqlite: liteKit(codec),
  postgres: pgKit(codec, schema) as unknown as Kit,
});
/** Without keys: for what only looks at the schema. */
export const kits = kitsWith(NO_KEYS);
export type EngineName = "sqlite" | "postgres";
