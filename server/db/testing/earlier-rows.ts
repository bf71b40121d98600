/**
 * Databases as an earlier version made them, with rows in every table it had, and what is left of those rows afterwards. For
 * tests of upgrades: `../upgrade.test.ts` takes each version, `../upgrade-drill.test.ts` starts servers on the last.
 */
import Sqlite from "better-sqlite3";
import { type AnyTable, sealedPlace, tableName, taggedColumns } from "../dialect.ts";
import { type Cell, canonical, type Kind, keyOf, type MovedTable, movedTables } from "../move/moved-tables.ts";
import type { MoveTarget, RowReader } from "../move/rows.ts";
import { createKeyring } from "../sealed-fields.ts";
import { tablesFor } from "../tables.ts";

/** From here on personal fields are sealed when they are written. */
export const SEALS_FROM = 7;
/** What a migration means to change: `table.column`. */
const CHANGED: ReadonlySet<string> = new Set(["sessions.scopes", "connect_codes.scopes"]);

/** Far more than a test has. */
const MOST_ROWS = 1_000;

/** What both PGlite and a client of a real server are. */
export interface Queries {
  query<T>(text: string, values?: unknown[]): Promise<{ rows: T[] }>;
}

export interface EarlierTable extends MovedTable {
  readonly rows: readonly Cell[][];
}

const KIND_OF: Readonly<Record<string, Kind>> = {
  text: "text",
  bigint: "int",
  boolean: "bool",
  "timestamp with time zone": "instant",
  jsonb: "json",
  bytea: "bytes",
};
const now = new Map(Object.values<AnyTable>(tablesFor.sqlite).map((table) => [tableName(table), table]));
const movedNow = new Map(movedTables().map((table) => [table.name, table]));

/** Two rows of each table there was, the second with nothing where nothing may stand. Read from PostgreSQL's catalogue. */
export async function earlierRows(
  client: Queries,
  schema: string,
  seal: (place: string, text: string) => string,
  instant = 1_790_000_000_000,
) {
  const { rows: columns } = await client.query<{ table: string; name: string; type: string; nullable: boolean }>(
    `select table_name as "table", column_name as name, data_type as type, is_nullable = 'YES' as nullable
     from information_schema.columns where table_schema = $1 and table_name <> 'perch_migrations' order by 1, ordinal_position`,
    [schema],
  );
  const { rows: references } = await client.query<{ table: string; name: string; to: string }>(
    `select c.conrelid::regclass::text as "table", a.attname as name, c.confrelid::regclass::text as "to"
     from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'f' and c.connamespace = $1::regnamespace`,
    [schema],
  );
  const parents = new Map(references.map(({ table, name, to }) => [`${table}.${name}`.replaceAll('"', ""), to]));
  const cellOf = (table: string, name: string, kind: Kind, n: number): Cell => {
    const parent = parents.get(`${table}.${name}`)?.replaceAll('"', "");
    if (parent !== undefined) return cellOf(parent, "id", "text", n);
    const found = taggedColumns(now.get(table) ?? (now.get("users") as AnyTable)).find(
      (one) => now.has(table) && one.name === name,
    );
    const place = found && sealedPlace(found.column);
    const [value] = found?.column.enumValues ?? [];
    switch (kind) {
      case "text":
        return place === undefined ? (value ?? `${table}-${name}-${n}`) : seal(place, `${name}${n}@x.example`);
      case "int":
        return String(n + 1);
      case "bool":
        return String(n);
      case "instant":
        return String(instant + n);
      case "bytes":
        return `00ff0${n}`;
      case "json":
      case "sealed json":
        return place === undefined ? `{"n":${n}}` : seal(place, `{"n":${n}}`);
    }
  };
  const tables = new Map<string, EarlierTable>();
  for (const name of new Set(columns.map(({ table }) => table))) {
    const own = columns.filter(({ table }) => table === name);
    const moved = movedNow.get(name);
    const made = own.map((column) => ({
      name: column.name,
      kind: moved?.columns.find((one) => one.name === column.name)?.kind ?? KIND_OF[column.type] ?? "text",
    }));
    const rows = [0, 1].map((n) =>
      own.map((column, at) =>
        n === 1 && column.nullable ? null : cellOf(name, column.name, made[at]?.kind ?? "text", n),
      ),
    );
    const key = (moved?.key ?? []).flatMap((at) => made.findIndex((one) => one.name === moved?.columns[at]?.name));
    tables.set(name, { name, columns: made, key, rows });
  }
  return tables;
}

/** Sealed as the versions did that sealed: with the key of a person, or the server's; those before kept plain text. */
export function sealingFor(version: number, master: Buffer) {
  const keyring = createKeyring();
  keyring.unlock(master);
  const key = Buffer.alloc(32, 9);
  keyring.add("usr_anna", key);
  const isSubjects = new Map(
    [...now.values()].flatMap((table) =>
      taggedColumns(table).flatMap(({ column, tag }) => {
        const place = sealedPlace(column);
        return place === undefined ? [] : [[place, tag.sealed === "subject"] as const];
      }),
    ),
  );
  const sealed = (place: string, text: string) =>
    isSubjects.get(place) === true ? keyring.sealFor("usr_anna", place, text) : keyring.sealForServer(place, text);
  return {
    seal: version < SEALS_FROM ? (_place: string, text: string) => text : sealed,
    key: ["usr_anna", keyring.wrap("usr_anna", key)] as const,
    places: [...isSubjects.keys()],
  };
}

const mark = { role: "target" as const, id: "x", state: "whole" as const, constraints: [] };

/** Writes them, then what the version noted about sealed columns. */
export async function fill(
  target: MoveTarget,
  tables: ReadonlyMap<string, EarlierTable>,
  version: number,
  { key, places }: Pick<ReturnType<typeof sealingFor>, "key" | "places">,
) {
  if (version >= SEALS_FROM) await target.writeKeys([key]);
  for (const table of tables.values()) {
    if (table.name !== "server_keys") await target.write(table, table.rows, mark);
  }
  const keys = tables.get("server_keys");
  if (keys !== undefined && version >= SEALS_FROM) {
    const known = places.filter((place) => {
      const [table = "", column = ""] = place.split(".");
      return tables.get(table)?.columns.some(({ name }) => name === column);
    });
    await target.write(keys, [["sealed columns", known.sort().join(" ")]], mark);
  }
}

/** JSON that was not sealed yet, in one form. */
function alike(cell: Cell | undefined): Cell | undefined {
  return cell?.startsWith("{") === true ? canonical(cell) : cell;
}

/**
 * What is not there any more as it was. `changed` names tables and columns that may differ, as `table` and `table.column`, and
 * then tables may have grown.
 */
export async function lost(
  reader: Pick<RowReader, "page">,
  tables: ReadonlyMap<string, EarlierTable>,
  changed?: ReadonlySet<string>,
): Promise<string[]> {
  const missing: string[] = [];
  for (const table of tables.values()) {
    const moved = movedNow.get(table.name);
    if (moved === undefined) {
      missing.push(table.name);
      continue;
    }
    if (table.name === "server_keys" || changed?.has(table.name)) continue;
    const rows = await reader.page(moved, undefined, MOST_ROWS);
    if (changed === undefined && rows.length !== table.rows.length) missing.push(`${table.name}: ${rows.length} rows`);
    for (const before of table.rows) {
      const after = rows.find((row) => String(keyOf(moved, row)) === String(keyOf(table, before)));
      for (const [at, { name }] of table.columns.entries()) {
        const place = moved.columns.findIndex((one) => one.name === name);
        if (CHANGED.has(`${table.name}.${name}`) || changed?.has(`${table.name}.${name}`)) continue;
        if (place < 0) missing.push(`${table.name}.${name}`);
        else if (alike(after?.[place]) !== alike(before[at]))
          missing.push(`${table.name}.${name}: ${before[at]} is ${after?.[place]}`);
      }
    }
  }
  return missing;
}

export function rawSqlite(file: string, key: Buffer): Sqlite.Database {
  const db = new Sqlite(file);
  db.pragma(`key = "x'${key.toString("hex")}'"`);
  db.pragma("foreign_keys = OFF");
  return db;
}

/** Before there was a place for a mark. */
export async function writePlain(client: Queries, schema: string, table: EarlierTable): Promise<void> {
  for (const row of table.rows) {
    const values = table.columns.map(({ kind }, at) =>
      kind === "instant"
        ? `to_timestamp($${at + 1}::float8 / 1000)`
        : kind === "bytes"
          ? `decode($${at + 1}, 'hex')`
          : `$${at + 1}`,
    );
    const cells = row.map((cell, at) => (table.columns[at]?.kind === "bool" && cell !== null ? cell === "1" : cell));
    await client.query(
      `insert into "${schema}"."${table.name}" (${table.columns.map(({ name }) => `"${name}"`).join(", ")}) values (${values.join(", ")})`,
      cells,
    );
  }
}

export function writePlainSqlite(db: Sqlite.Database, table: EarlierTable): void {
  for (const row of table.rows) {
    const cells = row.map((cell, at) => {
      const kind = table.columns[at]?.kind;
      if (cell === null) return null;
      return kind === "int" || kind === "bool" || kind === "instant"
        ? BigInt(cell)
        : kind === "bytes"
          ? Buffer.from(cell, "hex")
          : cell;
    });
    db.prepare(
      `insert into "${table.name}" (${table.columns.map(({ name }) => `"${name}"`).join(", ")}) values (${cells.map(() => "?").join(", ")})`,
    ).run(...cells);
  }
}
