/**
 * PostgreSQL as one end of a move. Everything goes over the wire as text and is cast by the server, so that nothing is
 * rounded or changed by a driver. Tables are named with their schema and nothing is kept in the session.
 */
import { keysTableOf } from "../subject-keys.postgres.ts";
import { MARK, MARKED_TABLE, parseMark, type TargetMark } from "./move-mark.repo.ts";
import { type Cell, canonical, type Kind, type MovedColumn, type MovedTable } from "./moved-tables.ts";
import type { MoveSource, MoveTarget, RowReader } from "./rows.ts";

/** One connection: node-postgres' client or PGlite. */
export interface RawPostgres {
  query(text: string, parameters?: unknown[]): Promise<{ rows: unknown[] }>;
}

export interface PostgresEnd {
  readonly client: RawPostgres;
  readonly schema: string;
  readonly keysSchema: string;
  close(): Promise<void>;
}

const quoted = (name: string) => `"${name}"`;
const isMoved = ({ name }: MovedTable) => (name === MARKED_TABLE ? `name <> '${MARK}'` : "true");

/** A column's value as text. */
function asText({ name, kind }: MovedColumn): string {
  const column = quoted(name);
  switch (kind) {
    case "text":
      return column;
    case "int":
    case "json":
      return `${column}::text`;
    case "bool":
      return `case ${column} when true then '1' when false then '0' end`;
    case "instant":
      return `(extract(epoch from ${column}) * 1000)::bigint::text`;
    case "sealed json":
      return `${column} #>> '{}'`;
    case "bytes":
      return `encode(${column}, 'hex')`;
  }
}

/** The value a text stands for. */
function fromText(kind: Kind, text: string): string {
  switch (kind) {
    case "text":
      return text;
    case "int":
      return `${text}::bigint`;
    case "json":
      return `${text}::jsonb`;
    case "bool":
      return `(${text} = '1')`;
    case "instant":
      return `(timestamptz 'epoch' + ${text}::bigint * interval '1 millisecond')`;
    case "sealed json":
      return `to_jsonb(${text})`;
    case "bytes":
      return `decode(${text}, 'hex')`;
  }
}

function readerOf({ client, schema, keysSchema, close }: PostgresEnd): RowReader {
  const place = (table: MovedTable) => `${quoted(schema)}.${quoted(table.name)}`;
  return {
    async count(table) {
      const { rows } = await client.query(`select count(*)::text as n from ${place(table)} where ${isMoved(table)}`);
      return Number((rows[0] as { n: string }).n);
    },
    async page(table, after, limit) {
      const key = table.key.flatMap((at) => table.columns[at] ?? []);
      const names = key.map(({ name }) => quoted(name)).join(", ");
      const values = key.map(({ kind }, at) => fromText(kind, `$${at + 1}::text`)).join(", ");
      const isAfter = after === undefined ? "true" : `(${names}) > (${values})`;
      const columns = table.columns.map((column, at) => `${asText(column)} as c${at}`).join(", ");
      const { rows } = await client.query(
        `select ${columns} from ${place(table)} where ${isMoved(table)} and ${isAfter} order by ${names} limit ${limit}`,
        [...(after ?? [])],
      );
      return (rows as Record<string, Cell>[]).map((row) =>
        table.columns.map(({ kind }, at) => {
          const cell = row[`c${at}`] ?? null;
          return kind === "json" && cell !== null ? canonical(cell) : cell;
        }),
      );
    },
    async keys(after, limit) {
      const { rows } = await client.query(
        `select subject, sealed from ${keysTableOf(keysSchema)} where subject > $1 order by subject limit ${limit}`,
        [after],
      );
      return (rows as { subject: string; sealed: string }[]).map(({ subject, sealed }) => [subject, sealed] as const);
    },
    close,
  };
}

async function inOneTransaction<T>(client: RawPostgres, work: () => Promise<T>): Promise<T> {
  await client.query("begin");
  try {
    const result = await work();
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

async function putMark({ client, schema }: PostgresEnd, text: string): Promise<void> {
  await client.query(
    `insert into ${quoted(schema)}.${MARKED_TABLE} (name, sealed) values ($1, $2)
     on conflict (name) do update set sealed = excluded.sealed`,
    [MARK, text],
  );
}

/** Takes every table for reading alone, until it is closed: a server that is still there cannot write any more. */
export async function postgresSource(end: PostgresEnd, tables: readonly MovedTable[]): Promise<MoveSource> {
  const { client, schema, keysSchema } = end;
  await client.query("begin isolation level repeatable read");
  const places = tables.map(({ name }) => `${quoted(schema)}.${quoted(name)}`);
  await client.query(`lock table ${[...places, keysTableOf(keysSchema)].join(", ")} in share mode`);
  return {
    ...readerOf(end),
    async finish(mark) {
      await putMark(end, mark);
      await client.query("commit");
    },
  };
}

/** What every table is at one moment; who writes meanwhile is not held up. */
export async function postgresSnapshot(end: PostgresEnd): Promise<RowReader> {
  await end.client.query("begin isolation level repeatable read read only");
  return readerOf(end);
}

export function postgresTarget(end: PostgresEnd): MoveTarget {
  const { client, schema, keysSchema } = end;
  return {
    ...readerOf(end),
    async mark() {
      const { rows } = await client.query(`select sealed from ${quoted(schema)}.${MARKED_TABLE} where name = $1`, [
        MARK,
      ]);
      const found = parseMark((rows[0] as { sealed: string } | undefined)?.sealed);
      return found?.role === "target" ? found : undefined;
    },
    prepare: (id) =>
      inOneTransaction(client, async () => {
        const triggers = await client.query(
          `select t.tgname as name, c.relname as "table" from pg_trigger t join pg_class c on c.oid = t.tgrelid
           where c.relnamespace = $1::regnamespace and not t.tgisinternal`,
          [quoted(schema)],
        );
        for (const { name, table } of triggers.rows as { name: string; table: string }[])
          await client.query(`drop trigger ${quoted(name)} on ${quoted(schema)}.${quoted(table)}`);
        const keys = await client.query(
          `select c.conname as name, t.relname as "table", pg_get_constraintdef(c.oid) as definition
           from pg_constraint c join pg_class t on t.oid = c.conrelid
           where c.contype = 'f' and t.relnamespace = $1::regnamespace order by 1`,
          [quoted(schema)],
        );
        const constraints = keys.rows as TargetMark["constraints"];
        for (const { name, table } of constraints)
          await client.query(`alter table ${quoted(schema)}.${quoted(table)} drop constraint ${quoted(name)}`);
        const mark: TargetMark = { role: "target", id, state: "copying", constraints };
        await putMark(end, JSON.stringify(mark));
        return mark;
      }),
    write: (table, rows, mark) =>
      inOneTransaction(client, async () => {
        const names = table.columns.map(({ name }) => quoted(name)).join(", ");
        const values = table.columns.map(({ kind }, at) => fromText(kind, `r.c${at}`)).join(", ");
        const arrays = table.columns.map((_, at) => `$${at + 1}::text[]`).join(", ");
        const aliases = table.columns.map((_, at) => `c${at}`).join(", ");
        await client.query(
          `insert into ${quoted(schema)}.${quoted(table.name)} (${names}) select ${values} from unnest(${arrays}) as r(${aliases})`,
          table.columns.map((_, at) => rows.map((row) => row[at] ?? null)),
        );
        await putMark(end, JSON.stringify(mark));
      }),
    async clear(table) {
      await client.query(`delete from ${quoted(schema)}.${quoted(table.name)} where ${isMoved(table)}`);
    },
    async writeKeys(rows) {
      await client.query(
        `insert into ${keysTableOf(keysSchema)} (subject, sealed) select * from unnest($1::text[], $2::text[])
         on conflict (subject) do update set sealed = excluded.sealed`,
        [rows.map(([subject]) => subject), rows.map(([, sealed]) => sealed)],
      );
    },
    async clearKeys() {
      await client.query(`delete from ${keysTableOf(keysSchema)}`);
    },
    finish: (mark) =>
      inOneTransaction(client, async () => {
        for (const { table, name, definition } of mark.constraints)
          await client.query(
            `alter table ${quoted(schema)}.${quoted(table)} add constraint ${quoted(name)} ${definition}`,
          );
        await putMark(end, JSON.stringify({ ...mark, constraints: [] }));
      }),
  };
}

/** Whether the schema holds a row of anything. */
export async function isEmptyPostgres({ client, schema }: PostgresEnd, journal: string): Promise<boolean> {
  const { rows } = await client.query(
    `select relname as name from pg_class where relnamespace = to_regnamespace($1) and relkind = 'r' and relname <> $2`,
    [quoted(schema), journal],
  );
  for (const { name } of rows as { name: string }[]) {
    const found = await client.query(`select 1 from ${quoted(schema)}.${quoted(name)} limit 1`);
    if (found.rows.length > 0) return false;
  }
  return true;
}
