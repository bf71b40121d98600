/**
 * Whom an incident concerns, and with which categories: the subject paths of the data map walked the other way, a few
 * queries a table for everybody at once instead of one a person.
 */
import {
  aliasedTable,
  and,
  count,
  eq,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lte,
  notExists,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { TeamId, UserId } from "../../../shared/ids.ts";
import type { IncidentScope } from "../../../shared/incidents.ts";
import type { Database } from "../../db/database.ts";
import { fingerprintOf } from "../../db/dialect.ts";
import { PerchError } from "../../errors.ts";
import { columnNamed, dataMap, linksOf, type MappedColumn, type MappedTable, tableNamed } from "../map/data-map.ts";
import type { Category } from "../tags.ts";

export interface Window {
  readonly from: Date | null;
  readonly to: Date | null;
}
export interface ScopeQuery extends Window {
  readonly columns: IncidentScope["columns"];
  readonly only?: IncidentScope["only"];
}
/** People of one slice of the accounts, with the categories of each. */
export type Affected = ReadonlyMap<UserId, ReadonlySet<Category>>;

export interface BreachScope {
  /** Slices in the order of account ids, bounded in memory. `records` counts the rows that were read for a slice. */
  slices(query: ScopeQuery): AsyncGenerator<{ readonly people: Affected; readonly records: number }>;
  addressesWithoutAccount(query: ScopeQuery): Promise<number>;
}

/** Accounts in one slice: what is held in memory at once, and how often a table without a fitting index is read. */
const SLICE = 50_000;

/** A way from rows to people: the columns that tell something of them. */
interface Branch {
  readonly table: MappedTable;
  readonly joins: readonly { readonly table: MappedTable; readonly on: SQL }[];
  readonly person: MappedColumn;
  readonly columns: readonly MappedColumn[];
  /** Counts rows: other ways from the same rows do not count them again. */
  readonly counts: boolean;
}

/** @throws PerchError with a sentence, for a table or a column that the data map does not know. */
export function checkScope(db: Database, columns: IncidentScope["columns"]): void {
  if (columns.length === 0) throw new PerchError("bad_input", "Name at least one table that was exposed.");
  const map = dataMap(db.t);
  for (const entry of columns) {
    const table = map.find(({ property }) => property === entry.table);
    if (table === undefined) {
      const names = map.map(({ property }) => property).join(", ");
      throw new PerchError("bad_input", `There is no table ${entry.table}. There are: ${names}.`);
    }
    if (entry.columns === "all") continue;
    const names = table.columns.map(({ property }) => property);
    const unknown = entry.columns.find((name) => !names.includes(name));
    if (unknown !== undefined || entry.columns.length === 0) {
      throw new PerchError(
        "bad_input",
        `${entry.table} has no column ${unknown ?? "“”"}. It has: ${names.join(", ")}.`,
      );
    }
  }
}

export function createBreachScope(db: Database): BreachScope {
  const map = dataMap(db.t);
  const { users, teamMembers } = db.t;
  const account = aliasedTable(users, "account");

  function branchesOf({ columns: exposed }: ScopeQuery): Branch[] {
    return exposed.flatMap((entry): Branch[] => {
      const table = tableNamed(map, entry.table);
      const personal = table.columns.filter(
        ({ property, tag }) =>
          tag.category !== "system.operations" && (entry.columns === "all" || entry.columns.includes(property)),
      );
      const links = linksOf(table, "user", "email");
      const subject = subjectOf(table, links);
      const others = links.filter((link) => link !== subject?.person);
      // An address beside the id of a person is that person's; an id beside it is somebody else's.
      const own = personal.filter((column) => column.tag.link !== "user" || column === subject?.person);
      const branches: Branch[] = [];
      if (subject !== undefined && own.length > 0) branches.push({ table, ...subject, columns: own, counts: true });
      if (entry.table === "users") return branches;
      // Whom a row names beside the one it belongs to: who invited, whose account was looked at, to whom a mail went.
      // A sealed address leads to its person by the fingerprint beside it.
      for (const link of others) {
        const address = fingerprintOf(link.column);
        const shown = personal.filter((column) => column === link || column.property === address);
        if (shown.length > 0) branches.push({ table, joins: [], person: link, columns: shown, counts: false });
      }
      return branches;
    });
  }

  function subjectOf(table: MappedTable, links: readonly MappedColumn[]): Pick<Branch, "joins" | "person"> | undefined {
    const joins: { table: MappedTable; on: SQL }[] = [];
    for (let at = table; ; ) {
      const { subject } = at.about;
      if ("column" in subject) return { joins, person: columnNamed(at, subject.column) };
      if ("none" in subject) {
        const [link] = at === table ? links : [];
        return link === undefined ? byTeam(at, joins) : { joins, person: link };
      }
      const parent = tableNamed(map, subject.table);
      const on = eq(columnNamed(at, subject.via).column, columnNamed(parent, subject.key).column);
      joins.push({ table: parent, on });
      at = parent;
    }
  }

  /** What is nobody's and yet a team's concerns its members. */
  function byTeam(at: MappedTable, joins: Branch["joins"]): Pick<Branch, "joins" | "person"> | undefined {
    const [team] = linksOf(at, "team");
    if (team === undefined) return undefined;
    const members = tableNamed(map, "teamMembers");
    const on = eq(team.column, columnNamed(members, "teamId").column);
    return { joins: [...joins, { table: members, on }], person: columnNamed(members, "userId") };
  }

  const holdsSomething = (branch: Branch) => or(...branch.columns.map(({ column }) => isNotNull(column)));

  /** Rows without a moment count: nobody is left out because of one. */
  function inWindow({ table }: Branch, { from, to }: Window): SQL | undefined {
    const clock: SQLiteColumn = columnNamed(table, table.about.clock).column;
    if (clock.dataType !== "date" || (from === null && to === null)) return undefined;
    return or(
      isNull(clock),
      and(from === null ? undefined : gte(clock, from), to === null ? undefined : lte(clock, to)),
    );
  }

  function amongThose(branch: Branch, only: ScopeQuery["only"]): SQL | undefined {
    if (only === undefined) return undefined;
    const team = [branch.table, ...branch.joins.map(({ table }) => table)]
      .flatMap((table) => linksOf(table, "team"))
      .at(0);
    const teams = only.teams ?? [];
    const members = db.read
      .select({ id: teamMembers.userId })
      .from(teamMembers)
      .where(inArray(teamMembers.teamId, asIds<TeamId>(teams)));
    return or(
      inArray(account.id, asIds<UserId>(only.users ?? [])),
      teams.length === 0
        ? undefined
        : team === undefined
          ? inArray(account.id, members)
          : inArray(team.column, [...teams]),
    );
  }

  async function read(branch: Branch, query: ScopeQuery, above: UserId | "", upTo: UserId) {
    const { person } = branch;
    const categories = [...new Set(branch.columns.map(({ tag }) => tag.category))];
    const flags = categories.map((category, index) => {
      const held = or(
        ...branch.columns.filter(({ tag }) => tag.category === category).map(({ column }) => isNotNull(column)),
      );
      return [`c${index}`, sql<number>`max(case when ${held} then 1 else 0 end)`.mapWith(Number)] as const;
    });
    const isEmail = person.tag.link === "email";
    // The range stands on the column that leads to people, so that its index is used.
    const ranged = isEmail ? account.id : person.column;
    let rows = db.read
      .select({ user: account.id, records: count(), ...Object.fromEntries(flags) })
      .from(branch.table.table)
      .$dynamic();
    for (const join of branch.joins) rows = rows.innerJoin(join.table.table, join.on);
    const found = await rows
      .innerJoin(account, eq(isEmail ? account.emailIndex : account.id, person.column))
      .where(
        and(
          // Addresses are indexed for accounts that live.
          isEmail ? isNull(account.deletedAt) : undefined,
          gt(ranged, above),
          lte(ranged, upTo),
          holdsSomething(branch),
          inWindow(branch, query),
          amongThose(branch, query.only),
        ),
      )
      .groupBy(account.id);
    return found.map((row) => ({
      user: row.user,
      records: branch.counts ? row.records : 0,
      categories: categories.filter((_, index) => flagOf(row, `c${index}`) === 1),
    }));
  }

  async function endOfSlice(above: UserId | ""): Promise<UserId | undefined> {
    const [end] = await db.read
      .select({ id: users.id })
      .from(users)
      .where(gt(users.id, asId<UserId>(above)))
      .orderBy(users.id)
      .limit(1)
      .offset(SLICE - 1);
    if (end !== undefined) return end.id;
    const [last] = await db.read
      .select({ id: sql<UserId | null>`max(${users.id})` })
      .from(users)
      .where(gt(users.id, asId<UserId>(above)));
    return last?.id ?? undefined;
  }

  return {
    async *slices(query) {
      const branches = branchesOf(query);
      for (let above: UserId | "" = ""; ; ) {
        const upTo = await endOfSlice(above);
        if (upTo === undefined) return;
        const people = new Map<UserId, Set<Category>>();
        let records = 0;
        for (const branch of branches) {
          for (const row of await read(branch, query, above, upTo)) {
            records += row.records;
            const known = people.get(row.user);
            if (known === undefined) people.set(row.user, new Set(row.categories));
            else for (const category of row.categories) known.add(category);
          }
        }
        yield { people, records };
        above = upTo;
      }
    },
    async addressesWithoutAccount(query) {
      if (query.only !== undefined) return 0;
      let addresses = 0;
      for (const branch of branchesOf(query)) {
        if (branch.person.tag.link !== "email" || branch.joins.length > 0) continue;
        const { column } = branch.person;
        const ofAccount = db.read
          .select({ id: account.id })
          .from(account)
          .where(and(eq(account.emailIndex, column), isNull(account.deletedAt)));
        const [row] = await db.read
          .select({ addresses: sql<number>`count(distinct ${column})`.mapWith(Number) })
          .from(branch.table.table)
          .where(and(isNotNull(column), holdsSomething(branch), inWindow(branch, query), notExists(ofAccount)));
        addresses += row?.addresses ?? 0;
      }
      return addresses;
    },
  };
}

/** Ids an operator typed, and the start of a range; compared as text, whatever they hold. */
function asIds<T extends string>(texts: readonly string[]): T[] {
  return texts as T[];
}
function asId<T extends string>(text: string): T {
  return text as T;
}

/** Columns of a query that was put together here carry no names in its type. */
function flagOf(row: object, name: string): unknown {
  return (row as Readonly<Record<string, unknown>>)[name];
}
