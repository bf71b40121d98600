/**
 * A person's rows, table by table, a page at a time by primary key: memory and single reads stay small however much there
 * is, and nothing is held open between pages.
 */
import { setImmediate as later } from "node:timers/promises";
import { and, asc, count, eq, gt, inArray, is, type SQL, sql } from "drizzle-orm";
import { type SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Database } from "../../db/database.ts";
import { primaryKeyOf } from "../../db/table-keys.ts";
import { columnNamed, type MappedTable, tableNamed } from "../map/data-map.ts";
import { leadsTo, type Person } from "../map/rows-of.repo.ts";

export type Row = Readonly<Record<string, unknown>>;

export interface RowPages {
  /** Rows of the table that are the person's. */
  count(person: Person, table: MappedTable): Promise<number>;
  /** All of them, with the named columns and the key; none twice. JSON comes as its text: to be written, not to be read. */
  pages(
    person: Person,
    table: MappedTable,
    columns: readonly string[],
    /** Asked before each page: how many rows to read at most. */
    pageRows: () => number,
  ): AsyncGenerator<readonly Row[], void, undefined>;
}

/** Parents whose rows are read, or counted, together. */
const MOST_PARENTS = 256;
const KEYS_A_PAGE = 500;

export function createRowPages(db: Database, map: readonly MappedTable[]): RowPages {
  /** One condition per column that leads to the person, none of which picks a row that an earlier one does. */
  function directly(table: MappedTable, person: Person): SQL[] {
    const { subject } = table.about;
    if (!("column" in subject)) return [];
    const conditions = [subject.column, ...(subject.also ?? [])].map((name) =>
      leadsTo(columnNamed(table, name), person),
    );
    return conditions.map((condition, place) => {
      const earlier = conditions.slice(0, place).map((one) => sql`(${one}) is not true`);
      return sql.join([sql`(${condition})`, ...earlier], sql` and `);
    });
  }

  /** By key, the rows that fit. `fixed`: a column of the key that is the same in all of them. */
  async function* byKey(
    table: MappedTable,
    where: SQL,
    columns: readonly string[],
    pageRows: () => number,
    fixed?: string,
  ): AsyncGenerator<readonly Row[], void, undefined> {
    const key = keyOf(table).filter((name) => name !== fixed);
    const keyColumns = key.map((name) => columnNamed(table, name).column);
    const fields = fieldsOf(table, columns);
    let last: Row | undefined;
    for (;;) {
      const limit = pageRows();
      const rows: Row[] = await db.read
        .select(fields)
        .from(table.table)
        .where(and(where, after(keyColumns, last && key.map((name) => last?.[name]))))
        .orderBy(...keyColumns.map((column) => asc(column)))
        .limit(limit);
      last = rows.at(-1);
      if (last === undefined) return;
      yield rows;
      if (rows.length < limit || key.length === 0) return;
      await later();
    }
  }

  /** Values of the parent's key that lead to the person's rows of `table`, in pages; none twice. */
  async function* parentKeys(person: Person, table: MappedTable): AsyncGenerator<readonly unknown[], void, undefined> {
    const { subject } = table.about;
    if (!("via" in subject)) return;
    const parent = tableNamed(map, subject.table);
    const isUnique = keyOf(parent).join() === subject.key;
    const seen = new Set<unknown>();
    for await (const rows of all(person, parent, [subject.key], () => KEYS_A_PAGE)) {
      const keys = rows.map((row) => row[subject.key]).filter((key) => key !== null && !seen.has(key));
      if (!isUnique) for (const key of keys) seen.add(key);
      if (keys.length > 0) yield isUnique ? keys : [...new Set(keys)];
    }
  }

  async function* ofParents(
    person: Person,
    table: MappedTable,
    via: string,
    columns: readonly string[],
    pageRows: () => number,
  ): AsyncGenerator<readonly Row[], void, undefined> {
    const { column } = columnNamed(table, via);
    const fields = fieldsOf(table, columns);
    let together = 16;
    for await (const keys of parentKeys(person, table)) {
      let at = 0;
      while (at < keys.length) {
        const some = keys.slice(at, at + together);
        const limit = pageRows();
        const rows: Row[] =
          some.length === 1
            ? []
            : await db.read
                .select(fields)
                .from(table.table)
                .where(inArray(column, some))
                .limit(limit + 1);
        if (some.length === 1) {
          yield* byKey(table, eq(column, some[0]), columns, pageRows, via);
          at += 1;
          together = 4;
        } else if (rows.length > limit) {
          // More than one page: fewer parents at once, so that a page is read by key.
          together = Math.max(1, Math.floor(some.length / 4));
        } else {
          if (rows.length > 0) yield rows;
          at += some.length;
          if (rows.length < limit / 4) together = Math.min(MOST_PARENTS, together * 2);
        }
        await later();
      }
    }
  }

  async function* all(
    person: Person,
    table: MappedTable,
    columns: readonly string[],
    pageRows: () => number,
  ): AsyncGenerator<readonly Row[], void, undefined> {
    const { subject } = table.about;
    if ("via" in subject) yield* ofParents(person, table, subject.via, columns, pageRows);
    else for (const where of directly(table, person)) yield* byKey(table, where, columns, pageRows);
  }

  return {
    async count(person, table) {
      const { subject } = table.about;
      let rows = 0;
      const add = async (where: SQL) => {
        const [found] = await db.read.select({ rows: count() }).from(table.table).where(where);
        rows += found?.rows ?? 0;
        await later();
      };
      if ("via" in subject) {
        const { column } = columnNamed(table, subject.via);
        for await (const keys of parentKeys(person, table)) {
          for (let at = 0; at < keys.length; at += MOST_PARENTS) {
            await add(inArray(column, keys.slice(at, at + MOST_PARENTS)));
          }
        }
      } else for (const where of directly(table, person)) await add(where);
      return rows;
    },
    pages: all,
  };
}

/** Names of the primary key's columns. */
function keyOf(table: MappedTable): readonly string[] {
  return primaryKeyOf(table.table).map((column) => {
    const found = table.columns.find((one) => one.column.name === column.name);
    if (found === undefined) throw new Error(`${table.name} has no column ${column.name}.`);
    return found.property;
  });
}

function fieldsOf(table: MappedTable, columns: readonly string[]): Record<string, SQLiteColumn | SQL> {
  const names = [...new Set([...columns, ...keyOf(table)])];
  return Object.fromEntries(
    names.map((name) => {
      const { column } = columnNamed(table, name);
      return [name, column.dataType === "json" ? asText(column) : column];
    }),
  );
}

/** Of the key, in its order; a comparison of rows, which both engines answer from the index. */
function after(columns: readonly SQLiteColumn[], values: readonly unknown[] | undefined): SQL | undefined {
  const [column] = columns;
  if (values === undefined || column === undefined) return undefined;
  if (columns.length === 1) return gt(column, values[0]);
  const list = (parts: readonly unknown[]) =>
    sql.join(
      parts.map((part) => sql`${part}`),
      sql`, `,
    );
  const given = columns.map((one, place) => sql.param(values[place], one));
  return sql`(${list(columns)}) > (${list(given)})`;
}

/** JSON as its text. SQLite stores it so, and a column is read several times faster than an expression. */
function asText(column: SQLiteColumn): SQLiteColumn | SQL {
  if (!is(column.table, SQLiteTable)) return sql`cast(${column} as text)`;
  return Object.create(column, { mapFromDriverValue: { value: (stored: unknown) => stored } }) as SQLiteColumn;
}
