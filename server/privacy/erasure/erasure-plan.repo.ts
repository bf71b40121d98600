/**
 * What becomes of every row that leads to a person who goes, or to a team that is closed with them; derived from the data
 * map and the foreign keys, so a new table is in it the day it exists. No table is named here.
 */
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { foreignKeysOf } from "../../db/table-keys.ts";
import type { Tables } from "../../db/tables.ts";
import { dataMap, type MappedColumn, type MappedTable } from "../map/data-map.ts";
import type { ColumnPrivacy, Link, Retention } from "../tags.ts";

/** How rows are found: by a column that leads to somebody who goes, or as children of rows that go. */
export type Way =
  | { readonly by: "link"; readonly link: Link; readonly column: SQLiteColumn }
  | { readonly by: "parent"; readonly column: SQLiteColumn; readonly parent: TablePlan; readonly key: SQLiteColumn };

/**
 * `delete`: the rows go. `cut`: they stay with a team, and a column that leads to the person is emptied. `forget`: what
 * is about the person in them is emptied. `keep`: the same, where the law asks for the rest.
 */
export type ActKind = "delete" | "cut" | "forget" | "keep";

export interface Act {
  /** Unique; what a step of the purge is called. */
  readonly id: string;
  readonly kind: ActKind;
  readonly table: TablePlan;
  readonly ways: readonly Way[];
  /** Property names of the columns that are emptied. */
  readonly columns: readonly string[];
  /** For what the law keeps: the rule that says how long. */
  readonly retain: Retention | undefined;
}

export interface TablePlan extends MappedTable {
  /** How rows of it that go are found; empty when none ever do. */
  readonly goes: readonly Way[];
}

export interface ErasurePlan {
  /** In an order in which each may be done: children before their parents. */
  readonly acts: readonly Act[];
  readonly tables: readonly TablePlan[];
}

export function erasurePlan(tables: Tables): ErasurePlan {
  const plans: TablePlan[] = [];
  const acts: Act[] = [];
  for (const mapped of parentsFirst(dataMap(tables))) {
    const goes: Way[] = [];
    const cuts = new Map<string, Way[]>();
    const forgets: { way: Way; tag: ColumnPrivacy; property: string }[] = [];
    const cut = (property: string, way: Way) => cuts.set(property, [...(cuts.get(property) ?? []), way]);
    const keys = foreignKeysOf(mapped.table);
    for (const { property, column, tag } of mapped.columns) {
      if (tag.link === undefined || (tag.link === "email" && isAccount(mapped))) continue;
      const way: Way = { by: "link", link: tag.link, column };
      const emptiesItself = keys.some((key) => key.column === column && key.onDelete === "set null");
      if (tag.erase === "null" || tag.erase === "legal") forgets.push({ way, tag, property });
      else if (tag.erase === "reattribute" || (tag.link === "team" && emptiesItself)) cut(property, way);
      else goes.push(way);
    }
    for (const { column, to, onDelete } of keys) {
      const own = mapped.columns.find((one) => one.column === column);
      const above = plans.find((plan) => plan.table === to.table);
      if (own === undefined || own.tag.link !== undefined || above === undefined || above.goes.length === 0) continue;
      const way: Way = { by: "parent", column, parent: above, key: to.column };
      if (onDelete === "set null" || (onDelete !== "cascade" && !column.notNull)) cut(own.property, way);
      else goes.push(way);
    }
    const table: TablePlan = { ...mapped, goes };
    plans.push(table);
    acts.push(...actsOf(table, cuts, forgets));
  }
  return { acts: acts.reverse(), tables: plans };
}

/** In reverse: rows that go are deleted before what stays is emptied. */
function actsOf(
  table: TablePlan,
  cuts: ReadonlyMap<string, readonly Way[]>,
  forgets: readonly { readonly way: Way; readonly tag: ColumnPrivacy; readonly property: string }[],
): Act[] {
  const made: Act[] = [];
  const ways = forgets.map(({ way }) => way);
  if (ways.length > 0) {
    const links = forgets.filter(({ tag }) => tag.erase === "legal").map(({ property }) => property);
    const about = table.columns.filter(isForgotten).map(({ property }) => property);
    const kept = forgets.find(({ tag }) => tag.erase === "legal" || tag.basis === "legal_obligation");
    made.push({
      ...{ id: `${kept === undefined ? "forget" : "keep"}:${table.property}`, table, ways },
      kind: kept === undefined ? "forget" : "keep",
      columns: [...new Set([...links, ...about])],
      retain: kept?.tag.retain,
    });
  }
  for (const [column, found] of cuts) {
    const id = `cut:${table.property}.${column}`;
    made.push({ id, kind: "cut", table, ways: found, columns: [column], retain: undefined });
  }
  if (table.goes.length > 0) {
    const id = `delete:${table.property}`;
    made.push({ id, kind: "delete", table, ways: table.goes, columns: [], retain: undefined });
  }
  return made;
}

/** Its rows are people: who they are is said by their id, and looking at every address would only cost. */
function isAccount({ columns }: MappedTable): boolean {
  return columns.some(({ column, tag }) => tag.link === "user" && tag.erase === "delete" && column.primary);
}

/** What must not be empty cannot be forgotten; a chain's name is of that kind. */
function isForgotten({ column, tag }: MappedColumn): boolean {
  return tag.erase === "null" && !column.notNull;
}

function parentsFirst(map: readonly MappedTable[]): MappedTable[] {
  const sorted: MappedTable[] = [];
  const open = new Set<MappedTable>();
  const visit = (mapped: MappedTable) => {
    if (sorted.includes(mapped)) return;
    if (open.has(mapped)) throw new Error(`Foreign keys of ${mapped.name} lead in a circle.`);
    open.add(mapped);
    for (const { to } of foreignKeysOf(mapped.table)) {
      const above = map.find(({ table }) => table === to.table);
      if (above !== undefined && above !== mapped) visit(above);
    }
    sorted.push(mapped);
  };
  map.forEach(visit);
  return sorted;
}
