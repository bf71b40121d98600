/**
 * What retention asks of each table, derived from the data map: rows that go, columns that are forgotten, and the tables
 * whose rule needs more than a clock, each with the name of the sweep that knows it. A table with days that is neither
 * stops the start.
 */
import { primaryKeyOf } from "../../db/table-keys.ts";
import type { Tables } from "../../db/tables.ts";
import { tablesFor } from "../../db/tables.ts";
import { dataMap, type MappedColumn, type MappedTable } from "../map/data-map.ts";
import { RETENTION } from "../tags.ts";

type TableName = keyof Tables;

/** Rules of their own. `what`: all of the table, or only columns that go before their row does. */
export interface NamedRule {
  readonly what: "all" | "columns";
  /** The sweep that does it. */
  readonly sweep: string;
  readonly why: string;
}
const RUN_DETAILS = {
  what: "all",
  sweep: "run details",
  why: "They go together, once their run is over: what still runs needs them.",
} as const;
export const NAMED_RULES: { readonly [T in TableName]?: NamedRule } = {
  auditLog: {
    what: "all",
    sweep: "activity",
    why: "Entries become counts, and their chain has to be sealed anew where it begins.",
  },
  runs: { ...RUN_DETAILS, what: "columns" },
  runSteps: RUN_DETAILS,
  runEvents: RUN_DETAILS,
  runArtifacts: RUN_DETAILS,
  runFiles: RUN_DETAILS,
  apiTokens: {
    what: "all",
    sweep: "API tokens",
    why: "A token lives with its team until it is revoked or runs out, and 90 days more.",
  },
  rateLimits: {
    what: "all",
    sweep: "rate limits",
    why: "Written with every call: an index on its clock would cost each of them.",
  },
};

/** Parts of another row, which take no clock of their own: they go with it. */
export const GO_WITH: { readonly [T in TableName]?: TableName } = {
  runPool: "runs",
  ruleStarts: "runs",
  recordingSteps: "recordings",
  erasureSteps: "erasures",
};

/** Clocks that are the end itself: the row goes when they have passed, whatever its days allow. */
const ENDS: ReadonlySet<string> = new Set(["expiresAt", "legalUntil"]);

export interface PlannedSweep {
  readonly table: TableName;
  readonly clock: string;
  /** Days after the clock; 0 for a clock that is the end itself. */
  readonly days: number;
  readonly key: readonly string[];
  /** Columns that are forgotten; empty: the row goes. */
  readonly forget: readonly string[];
}

export interface RetentionPlan {
  readonly sweeps: readonly PlannedSweep[];
  /** Names of the sweeps that features bring. */
  readonly named: ReadonlySet<string>;
}

/** @throws Error for a table that has days and no way to keep them. */
export function retentionPlan(map: readonly MappedTable[] = dataMap(tablesFor.sqlite)): RetentionPlan {
  const sweeps: PlannedSweep[] = [];
  const named = new Set<string>();
  for (const table of map) {
    const rule = NAMED_RULES[table.property];
    if (rule !== undefined) named.add(rule.sweep);
    if (rule?.what === "all" || GO_WITH[table.property] !== undefined) continue;
    sweeps.push(...sweepsOf(table, rule?.what === "columns"));
  }
  return { sweeps, named };
}

function sweepsOf(table: MappedTable, columnsAreNamed: boolean): PlannedSweep[] {
  const key = keyOf(table);
  const rowDays = daysOfRow(key);
  const shorter = table.columns.filter(({ tag }) => {
    const days = daysOf(tag.retain);
    return days !== undefined && days < (rowDays ?? Number.POSITIVE_INFINITY);
  });
  if (rowDays === undefined && shorter.length === 0) return [];
  const { clock } = table.about;
  const common = { table: table.property, clock, key: key.map(({ property }) => property) };
  const rows = rowDays === undefined ? [] : [{ ...common, days: ENDS.has(clock) ? 0 : rowDays, forget: [] }];
  if (columnsAreNamed || ENDS.has(clock)) return rows;
  const byDays = Map.groupBy(shorter, ({ tag }) => daysOf(tag.retain) ?? 0);
  return [...rows, ...[...byDays].map(([days, columns]) => ({ ...common, days, forget: forgettable(table, columns) }))];
}

function forgettable(table: MappedTable, columns: readonly MappedColumn[]): string[] {
  return columns.map(({ property, column }) => {
    if (column.notNull) {
      throw new Error(
        `${table.name}.${property} has to go before its row does and cannot be empty. Let it be null, or name a sweep that knows what to do (NAMED_RULES).`,
      );
    }
    return property;
  });
}

/** A row lives as long as what identifies it: the longest rule of its key, or none when part of that has no days. */
function daysOfRow(key: readonly MappedColumn[]): number | undefined {
  const days = key.map(({ tag }) => daysOf(tag.retain));
  return days.some((one) => one === undefined) ? undefined : Math.max(...days.map((one) => one ?? 0));
}

function keyOf({ table, columns }: MappedTable): MappedColumn[] {
  const names = new Set(primaryKeyOf(table).map(({ name }) => name));
  return columns.filter(({ column }) => names.has(column.name));
}

/** Days of a rule that counts them. */
export function daysOf(rule: keyof typeof RETENTION): number | undefined {
  const kept = RETENTION[rule];
  return "days" in kept ? kept.days : undefined;
}
