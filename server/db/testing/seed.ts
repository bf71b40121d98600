/**
 * Many rows in a database, made by the database itself: `insert … select` with values that follow from the row's number.
 * What a running server would act on is rare, as it is in one that has run for long.
 */
import type { AnyTable } from "../dialect.ts";
import { isSealedJson, sealedPlace, tableName, taggedColumns } from "../dialect.ts";
import { type Kind, type MovedTable, movedTables } from "../move/moved-tables.ts";
import { foreignKeysOf } from "../table-keys.ts";
import { tablesFor } from "../tables.ts";

export type SeedEngine = "sqlite" | "postgres";

/** Tables that grow with use. */
export const BIG_TABLES = [
  ...["users", "teams", "team_members", "sessions", "api_tokens", "phones", "flows", "runs", "run_steps", "run_events"],
  ...[
    "run_artifacts",
    "audit_log",
    "usage_intervals",
    "grants",
    "ledger_entries",
    "payg_days",
    "events",
    "topics",
    "jobs",
  ],
  ...[
    "idempotency_keys",
    "mail_outbox",
    "rules",
    "rule_starts",
    "webhooks",
    "webhook_calls",
    "uploads",
    "stream_tickets",
  ],
] as const;

/** Values in terms of `n` where a plain one would not be what a long-running server has. */
const VALUES: Readonly<Record<string, string>> = {
  "jobs.state": "case when n % 200 = 0 then 'ready' else 'done' end",
  "jobs.kind": "'mail.send'",
  "jobs.lock_key": "null",
  "jobs.dedupe_key": "null",
  "runs.state": "case when n % 200 = 0 then 'waiting' else 'passed' end",
  "runs.lane": "null",
  "phones.state": "case when n % 100 = 0 then 'running' else 'parked' end",
  "mail_outbox.state": "case when n % 500 = 0 then 'waiting' else 'sent' end",
  "team_members.role": "'owner'",
  "uploads.state": "case when n % 500 = 0 then 'putting' else 'done' end",
};
/** Rows are past their end but for these, where that is what makes them live. */
const EMPTY = /^(deleted_at|removed_at|erased_at|revoked_at|unreachable_since|cancel_asked_at)$/;
const BASE_MS = 1_780_000_000_000;

/** One statement that fills a table. `rowsOf` says how many rows each table gets, those it refers to included. */
export function seedStatement(
  engine: SeedEngine,
  place: (table: string) => string,
  name: string,
  rowsOf: (table: string) => number,
  sealedJson: (place: string) => string,
): string {
  const table = movedTables().find((one) => one.name === name);
  const definition = Object.values<AnyTable>(tablesFor.sqlite).find((one) => tableName(one) === name);
  if (table === undefined || definition === undefined) throw new Error(`There is no table ${name}.`);
  const parents = new Map(foreignKeysOf(definition).map(({ column, to }) => [column, tableName(to.table)] as const));
  const columns = taggedColumns(definition).map(({ name: column, column: made }, at) => {
    const kind = table.columns[at]?.kind ?? "text";
    const parent = parents.get(made);
    if (parent !== undefined) return `'${parent}_' || (1 + n % ${Math.max(1, rowsOf(parent))})`;
    const known = VALUES[`${name}.${column}`];
    if (known !== undefined) return known;
    if (EMPTY.test(column) && !made.notNull) return "null";
    const where = sealedPlace(made);
    if (where !== undefined && isSealedJson(made))
      return engine === "postgres" ? `to_jsonb('${sealedJson(where)}'::text)` : `'${sealedJson(where)}'`;
    if (where !== undefined) return `'v1.usr_nobody.${"A".repeat(40)}'`;
    const [value] = made.enumValues ?? [];
    if (kind === "text" && value !== undefined) return `'${value}'`;
    return valueOfKind(engine, kind, isChainOf(table, column) ? 100 : undefined, name, column);
  });
  const names = table.columns.map((column) => `"${column.name}"`).join(", ");
  const rows =
    engine === "postgres"
      ? `generate_series(1, ${rowsOf(name)}) as s(n)`
      : `(with recursive s(n) as (select 1 union all select n + 1 from s where n < ${rowsOf(name)}) select n from s)`;
  return `insert into ${place(name)} (${names}) select ${columns.join(", ")} from ${rows} where true on conflict do nothing`;
}

/** The first part of a key of several: many rows share it. */
function isChainOf(table: MovedTable, column: string): boolean {
  return table.key.length > 1 && table.columns[table.key[0] ?? 0]?.name === column;
}

function valueOfKind(
  engine: SeedEngine,
  kind: Kind,
  groups: number | undefined,
  table: string,
  column: string,
): string {
  const isPostgres = engine === "postgres";
  switch (kind) {
    case "text":
      if (groups !== undefined) return `'group_' || (n % ${groups})`;
      return column === "id" || column === "name" ? `'${table}_' || n` : `'${table}_${column}_' || n`;
    case "int":
      return "n";
    case "bool":
      return isPostgres ? "false" : "0";
    case "instant":
      return isPostgres
        ? `timestamptz 'epoch' + (${BASE_MS} + n * 1000::bigint) * interval '1 millisecond'`
        : `${BASE_MS} + n * 1000`;
    case "json":
    case "sealed json":
      return isPostgres ? `'{}'::jsonb` : `'{}'`;
    case "bytes":
      return isPostgres ? `decode('00', 'hex')` : `x'00'`;
  }
}
