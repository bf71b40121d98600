/** SQLite as one end of a move. Integers come as BigInt, so that none is rounded. */
import type Sqlite from "better-sqlite3";
import { JOURNAL } from "../migrate.ts";
import { unfenceSqlite } from "../write-fence.ts";
import { MARK, MARKED_TABLE, parseMark, type TargetMark } from "./move-mark.repo.ts";
import { type Cell, canonical, type Kind, type MovedTable, type Row } from "./moved-tables.ts";
import type { KeyRow, MoveSource, MoveTarget, RowReader } from "./rows.ts";

type Value = string | bigint | number | Buffer | null;

const quoted = (name: string) => `"${name}"`;
const listed = (table: MovedTable) => table.columns.map(({ name }) => quoted(name)).join(", ");
/** The mark is each end's own. */
const isMoved = ({ name }: MovedTable) => (name === MARKED_TABLE ? `name <> '${MARK}'` : "true");

function toCell(kind: Kind, value: Value): Cell {
  if (value === null) return null;
  if (kind === "json") return canonical(String(value));
  return Buffer.isBuffer(value) ? value.toString("hex") : String(value);
}

function fromCell(kind: Kind, cell: Cell): Value {
  if (cell === null) return null;
  if (kind === "int" || kind === "bool" || kind === "instant") return BigInt(cell);
  return kind === "bytes" ? Buffer.from(cell, "hex") : cell;
}

/** Reads over connections somebody else closes, or `close` does. */
export function sqliteReader(db: Sqlite.Database, keys: Sqlite.Database): RowReader {
  const kinds = (table: MovedTable) => table.key.map((at) => table.columns[at]?.kind ?? "text");
  return {
    async count(table) {
      const row = db.prepare<[], { n: number }>(
        `select count(*) as n from ${quoted(table.name)} where ${isMoved(table)}`,
      );
      return row.get()?.n ?? 0;
    },
    async page(table, after, limit) {
      const key = table.key.map((at) => quoted(table.columns[at]?.name ?? "")).join(", ");
      const isAfter = after === undefined ? "true" : `(${key}) > (${after.map(() => "?").join(", ")})`;
      const rows = db
        .prepare<Value[], Value[]>(
          `select ${listed(table)} from ${quoted(table.name)} where ${isMoved(table)} and ${isAfter} order by ${key} limit ${limit}`,
        )
        .raw()
        .safeIntegers()
        .all(...(after ?? []).map((cell, at) => fromCell(kinds(table)[at] ?? "text", cell)));
      return rows.map((row) => table.columns.map(({ kind }, at) => toCell(kind, row[at] ?? null)));
    },
    async keys(after, limit) {
      return keys
        .prepare<[string], [string, string]>(
          `select subject, sealed from subject_keys where subject > ? order by subject limit ${limit}`,
        )
        .raw()
        .all(after);
    },
    async close() {
      if (db.inTransaction) db.exec("ROLLBACK");
      db.close();
      keys.close();
    },
  };
}

/** All of them or none. */
export function insertRows(db: Sqlite.Database, table: MovedTable, rows: readonly Row[]): void {
  const insert = db.prepare<Value[]>(
    `insert into ${quoted(table.name)} (${listed(table)}) values (${table.columns.map(() => "?").join(", ")})`,
  );
  db.transaction(() => {
    for (const row of rows) insert.run(...table.columns.map(({ kind }, at) => fromCell(kind, row[at] ?? null)));
  })();
}

function putMark(db: Sqlite.Database, text: string): void {
  db.prepare(
    `insert into ${MARKED_TABLE} (name, sealed) values (?, ?) on conflict (name) do update set sealed = ?`,
  ).run(MARK, text, text);
}

/** Over connections that have both files for themselves. */
export function sqliteSource(db: Sqlite.Database, keys: Sqlite.Database): MoveSource {
  return {
    ...sqliteReader(db, keys),
    async finish(mark) {
      putMark(db, mark);
      db.exec("COMMIT");
    },
  };
}

/** Over connections to files `openSqlite` made; their foreign keys are not looked at meanwhile. */
export function sqliteTarget(db: Sqlite.Database, keys: Sqlite.Database): MoveTarget {
  db.pragma("foreign_keys = OFF");
  return {
    ...sqliteReader(db, keys),
    async mark() {
      const row = db
        .prepare<[string], { sealed: string }>(`select sealed from ${MARKED_TABLE} where name = ?`)
        .get(MARK);
      const found = parseMark(row?.sealed);
      return found?.role === "target" ? found : undefined;
    },
    async prepare(id) {
      const mark: TargetMark = { role: "target", id, state: "copying", constraints: [] };
      db.transaction(() => {
        unfenceSqlite(db);
        putMark(db, JSON.stringify(mark));
      })();
      return mark;
    },
    async write(table, rows, mark) {
      db.transaction(() => {
        insertRows(db, table, rows);
        putMark(db, JSON.stringify(mark));
      })();
    },
    async clear(table) {
      db.prepare(`delete from ${quoted(table.name)} where ${isMoved(table)}`).run();
    },
    async writeKeys(rows: readonly KeyRow[]) {
      const insert = keys.prepare<[string, string]>("insert or replace into subject_keys values (?, ?)");
      keys.transaction(() => {
        for (const row of rows) insert.run(...row);
      })();
    },
    async clearKeys() {
      keys.prepare("delete from subject_keys").run();
    },
    async finish(mark) {
      const broken = db.pragma("foreign_key_check");
      if (Array.isArray(broken) && broken.length > 0) throw new Error("Rows refer to rows that are not there.");
      putMark(db, JSON.stringify(mark));
    },
  };
}

/** Whether anything was ever kept here. */
export function isEmptySqlite(db: Sqlite.Database): boolean {
  const tables = db
    .prepare<[], { name: string }>(
      "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'",
    )
    .all();
  return tables.every(
    ({ name }) => name === JOURNAL || db.prepare(`select 1 from ${quoted(name)} limit 1`).get() === undefined,
  );
}
