/** Tables of an earlier version as PostgreSQL's catalogue has them: the schema of this version knows nothing of those. */
import { z } from "zod";
import { JOURNAL } from "../migrate.ts";
import { type Kind, type MovedTable, movedTables } from "./moved-tables.ts";
import type { PostgresEnd } from "./rows.postgres.ts";

const KIND_OF: Readonly<Record<string, Kind>> = {
  text: "text",
  bigint: "int",
  integer: "int",
  boolean: "bool",
  "timestamp with time zone": "instant",
  jsonb: "json",
  bytea: "bytes",
};

const columnRow = z.object({ table: z.string(), name: z.string(), type: z.string() });
const keyRow = z.object({ table: z.string(), name: z.string() });

export async function earlierTables({ client, schema }: PostgresEnd): Promise<readonly MovedTable[]> {
  const { rows: columns } = await client.query(
    `select c.table_name as "table", c.column_name as name, c.data_type as type
     from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = $1 and t.table_type = 'BASE TABLE' and c.table_name <> '${JOURNAL}'
     order by 1, c.ordinal_position`,
    [schema],
  );
  const { rows: keys } = await client.query(
    `select t.relname as "table", a.attname as name
     from pg_constraint c join pg_class t on t.oid = c.conrelid
     cross join lateral unnest(c.conkey) with ordinality k(num, at)
     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.num
     where c.contype = 'p' and c.connamespace = to_regnamespace($1) order by 1, k.at`,
    [`"${schema}"`],
  );
  const now = new Map(movedTables().map((table) => [table.name, table]));
  const keyNames = Map.groupBy(z.array(keyRow).parse(keys), ({ table }) => table);
  const byTable = Map.groupBy(z.array(columnRow).parse(columns), ({ table }) => table);
  return [...byTable].map(([table, own]) => {
    const made = own.map(({ name, type }) => {
      const known = now.get(table)?.columns.find((one) => one.name === name)?.kind;
      const kind = KIND_OF[type];
      if (kind === undefined) throw new Error(`${table}.${name} has a type that is not copied.`);
      return { name, kind: known === "sealed json" ? known : kind };
    });
    const key = (keyNames.get(table) ?? []).map(({ name }) => made.findIndex((one) => one.name === name));
    if (key.length === 0) throw new Error(`${table} has no primary key.`);
    return { name: table, columns: made, key };
  });
}
