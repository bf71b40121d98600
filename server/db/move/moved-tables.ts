/**
 * What is moved, and in which form: every value as text both engines give alike, so that rows of one can be written to the
 * other and compared with it. Sealed values stay as they are stored; nothing is opened.
 */
import { createHash } from "node:crypto";
import { getTableName } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import { getTableConfig } from "drizzle-orm/pg-core";
import { canonicalJson } from "../../limits/idempotency.ts";
import { type AnyTable, isSealedJson, taggedColumns } from "../dialect.ts";
import { primaryKeyOf } from "../table-keys.ts";
import { tablesFor } from "../tables.ts";

/** `null`, or: text as it is, numbers in digits, moments in milliseconds, `1` and `0`, bytes in hex, JSON with sorted keys. */
export type Cell = string | null;
export type Row = readonly Cell[];
export type Kind = "text" | "int" | "bool" | "instant" | "json" | "sealed json" | "bytes";

export interface MovedColumn {
  readonly name: string;
  readonly kind: Kind;
}
export interface MovedTable {
  readonly name: string;
  readonly columns: readonly MovedColumn[];
  /** Places of the primary key's columns. */
  readonly key: readonly number[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  text: "text",
  bigint: "int",
  boolean: "bool",
  "timestamp (3) with time zone": "instant",
  jsonb: "json",
  bytea: "bytes",
};

/** Every table, in the order of the schema. */
export function movedTables(): readonly MovedTable[] {
  return Object.values(tablesFor.postgres as unknown as Record<string, AnyTable>).map(movedTable);
}

function movedTable(table: AnyTable): MovedTable {
  const types = new Map(
    getTableConfig(table as never).columns.map((column) => [column as unknown, column.getSQLType()]),
  );
  const tagged = taggedColumns(table);
  const columns = tagged.map(({ name, column }) => {
    const kind = KINDS[types.get(column) ?? ""];
    if (kind === undefined) throw new Error(`${getTableName(table)}.${name} has a type that is not moved.`);
    return { name, kind: kind === "json" && isSealedJson(column) ? ("sealed json" as const) : kind };
  });
  const names = primaryKeyOf(table).map(({ name }) => toSnakeCase(name));
  return {
    name: getTableName(table),
    columns,
    key: names.map((name) => columns.findIndex((one) => one.name === name)),
  };
}

/** Of one row, in the order of the primary key. */
export function keyOf(table: MovedTable, row: Row): Row {
  return table.key.map((at) => row[at] ?? null);
}

/** JSON as both engines give it: `jsonb` sorts keys and keeps the last of two alike. */
export function canonical(text: string): string {
  return canonicalJson(JSON.parse(text));
}

/** What PostgreSQL takes in no text: U+0000, and half a pair of surrogates in JSON. */
export function isStorable(kind: Kind, cell: Cell): boolean {
  return cell === null || cell === storable(kind, cell);
}

/** The same with U+FFFD where PostgreSQL takes no character. */
export function storable(kind: Kind, cell: string): string {
  if (kind !== "json") return cell.replaceAll("\0", "\uFFFD");
  return /\\u(0000|d[89a-f])/i.test(cell) ? canonicalJson(withoutUnstorable(JSON.parse(cell))) : cell;
}

function withoutUnstorable(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("\0", "\uFFFD").toWellFormed();
  if (Array.isArray(value)) return value.map(withoutUnstorable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [withoutUnstorable(name), withoutUnstorable(one)]),
  );
}

const BITS = 256n;

/** Count and checksum of rows in any order: SHA-256 of each, added up. The engines sort text differently. */
export class Tally {
  rows = 0;
  #sum = 0n;

  add(row: Row): void {
    this.rows += 1;
    const hash = createHash("sha256");
    for (const cell of row) hash.update(cell === null ? "-" : `${Buffer.byteLength(cell)}:`).update(cell ?? "");
    this.#sum = BigInt.asUintN(Number(BITS), this.#sum + BigInt(`0x${hash.digest("hex")}`));
  }

  get checksum(): string {
    return this.#sum.toString(16).padStart(64, "0");
  }

  equals(other: Tally): boolean {
    return this.rows === other.rows && this.checksum === other.checksum;
  }
}
