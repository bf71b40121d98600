/**
 * Plants markers about a person in every table that leads to them, walking the data map: no table is named that does not
 * need a value of its own kind. For tests of exports, erasure and scans.
 *
 * ```ts
 * const map = dataMap(db.t);
 * const anna = canaryPerson();
 * const planted = await plant(db, map, anna, { at: new Date(clock.now()) });
 * for (const { token } of planted) if (token !== undefined) expect(scan(file, token)).toBe(true);
 * ```
 *
 * Each entry says what was put into one column: `token`, 20 characters that occur nowhere else, in columns of text, JSON and
 * bytes; a moment or a number of its own elsewhere; the person's own id or address in columns that lead to them (the
 * address of `canaryPerson` is a token, too). `skipped` says why a column has nothing. Rows are in states in which a running
 * server leaves them alone, so a server may run on them. A person who is there already (`signIn`) keeps their row of
 * `users`, `teams` and the like, and gets the markers put into it. Rows that an append-only log must make itself are left to
 * it: pass `without: ["auditLog"]` and record entries through `createAudit`, else its chain cannot be verified.
 */
import { randomBytes } from "node:crypto";
import { and, eq, getTableName } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { newId, type TeamId, type UserId } from "../../../shared/ids.ts";
import { DEFAULT_PROFILE } from "../../../shared/phone-model.ts";
import type { Database, Writer } from "../../db/database.ts";
import { fingerprintOf } from "../../db/dialect.ts";
import { sealedRow, valueKindOf } from "../../db/sealed-rows.fixture.ts";
import { foreignKeysOf, primaryKeyOf } from "../../db/table-keys.ts";
import { tablesFor } from "../../db/tables.ts";
import { columnNamed, dataMap, linksOf, type MappedColumn, type MappedTable, tableNamed } from "../map/data-map.ts";
import type { ColumnPrivacy } from "../tags.ts";

export interface CanaryPerson {
  readonly userId: UserId;
  readonly email: string;
  readonly teamId: TeamId;
}

export interface Planted {
  readonly table: MappedTable["property"];
  readonly column: string;
  readonly tag: ColumnPrivacy;
  /** As it is in the row. */
  readonly value: unknown;
  /** The marker in it; the person's id or address where the column leads to them. */
  readonly token?: string;
  /** Whether the data map says that the row is the person's. */
  readonly theirs: boolean;
  /** Why nothing was planted. */
  readonly skipped?: string;
}

/** 20 characters, the first four always the same, so that a scan finds them at a glance. Lower-case: survives folding. */
export function canaryToken(): string {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  return `zq7k${[...randomBytes(16)].map((byte) => letters[byte % letters.length]).join("")}`;
}

export function canaryPerson(): CanaryPerson {
  return { userId: newId("user"), email: `${canaryToken()}@canary.example`, teamId: newId("team") };
}

/** States in which nothing is done with a row any more. */
const SETTLED: Readonly<Record<string, string>> = {
  "runs.state": "passed",
  "recordings.state": "saved",
  "phones.state": "parked",
  "phones.profile": DEFAULT_PROFILE,
  "mailOutbox.state": "sent",
  "dataRequests.state": "fulfilled",
  "dataExports.state": "revoked",
  "erasures.state": "undone",
  "decisions.state": "lifted",
  "incidents.state": "closed",
  "incidentPeople.told": "shown",
  "billingAccounts.timeZone": "UTC",
  "billingAccounts.currency": "usd",
  "teamMembers.role": "owner",
};
/** JSON that services read when they list rows. Everything else is `{"canary": token}`. */
const SHAPES: Readonly<Record<string, (token: string) => unknown>> = {
  "decisions.signals": (token) => [{ signal: token, weight: 1 }],
  "phones.tags": (token) => [token],
  "phones.settings": (token) => ({ locale: token }),
  "apiTokens.scopes": (token) => [token],
  "passkeys.transports": (token) => [token],
  "billingRecords.lines": (token) => [{ words: token, amount: 1 }],
  "incidentPeople.categories": (token) => [token],
};
/** Columns that would make the rest of the row, or the account, no longer count. */
const LEFT_EMPTY: Readonly<Record<string, string>> = {
  "users.deletedAt": "Set, it says that there is no such account.",
  "phones.removedAt": "Set, it says that the phone is gone.",
  "phones.nodeId": "Set, it says that another machine has the phone.",
  "privacyPreferences.restrictedAt": "Set, it keeps the person from everything else.",
};
const LATER = /^(expires|.*Expires|due|purge|legalUntil|leaseUntil|nextAt)/;
const WEEK_MS = 7 * 24 * 3_600_000;

type Row = Record<string, unknown>;

export async function plant(
  db: Database,
  map: readonly MappedTable[],
  person: CanaryPerson,
  options: { readonly at: Date; readonly without?: readonly MappedTable["property"][] },
): Promise<readonly Planted[]> {
  return db.tx(async (tx) => {
    const planter = planterOf(db, map, person, options.at);
    for (const table of map) {
      const leads =
        !("none" in table.about.subject) || linksOf(table, "user", "email", "team", "scope", "mention").length > 0;
      if (leads && !options.without?.includes(table.property)) await planter.ensure(tx, table);
    }
    return planter.planted;
  });
}

function planterOf(db: Database, map: readonly MappedTable[], person: CanaryPerson, at: Date) {
  const rows = new Map<string, Row>();
  const planted: Planted[] = [];
  const lite = dataMap(tablesFor.sqlite);
  let count = 0;

  /** The person's row of the table, with all rows it needs. */
  async function ensure(tx: Writer, table: MappedTable): Promise<Row> {
    const known = rows.get(table.property);
    if (known !== undefined) return known;
    const needed = await references(tx, table);
    const written: Row = {};
    const entries: Planted[] = [];
    for (const column of table.columns) {
      const entry = planFor(table, column, needed.get(column.property));
      entries.push({
        ...entry,
        table: table.property,
        column: column.property,
        tag: column.tag,
        theirs: isTheirs(table),
      });
      written[column.property] = entry.value;
    }
    rows.set(table.property, written);
    planted.push(...entries);
    const key = primaryKeyOf(table.table);
    const same = and(...key.map((column) => eq(column, written[propertyOf(table, column)])));
    const [there] = await tx
      .select({ one: key[0] as SQLiteColumn })
      .from(table.table)
      .where(same);
    const sealed = await sealedRow(db, tx, table, written);
    if (there === undefined) await tx.insert(table.table).values(sealed);
    else await tx.update(table.table).set(sealed).where(same);
    return written;
  }

  /** Values of columns that must be those of another row. */
  async function references(tx: Writer, table: MappedTable): Promise<ReadonlyMap<string, unknown>> {
    const found = new Map<string, unknown>();
    for (const { column, to } of foreignKeysOf(table.table)) {
      const target = map.find((one) => one.name === getTableName(to.table));
      if (target === undefined) throw new Error(`${table.name} refers to a table that the map does not have.`);
      const property = propertyOf(table, column);
      if (`${table.property}.${property}` in LEFT_EMPTY) continue;
      if (target === table) found.set(property, null);
      else found.set(property, (await ensure(tx, target))[propertyOf(target, to.column)]);
    }
    const { subject } = table.about;
    if ("via" in subject && !found.has(subject.via)) {
      const parent = tableNamed(map, subject.table);
      const isParentOf = foreignKeysOf(parent.table).some(({ to }) => getTableName(to.table) === table.name);
      if (!isParentOf) found.set(subject.via, (await ensure(tx, parent))[subject.key]);
    }
    return found;
  }

  function planFor(
    table: MappedTable,
    { property, column, tag }: MappedColumn,
    reference: unknown,
  ): Pick<Planted, "value" | "token" | "skipped"> {
    const name = `${table.property}.${property}`;
    const empty = LEFT_EMPTY[name];
    if (empty !== undefined) return { value: null, skipped: empty };
    if (tag.link === "mention") {
      const mention = `canary:${person.userId}`;
      return { value: column.dataType === "json" ? { mention } : mention, token: mention };
    }
    const { userId, email, teamId } = person;
    if (fingerprintOf(column) !== undefined) return { value: email, skipped: "A keyed fingerprint of the address." };
    if (table.columns.some((one) => fingerprintOf(one.column) === property)) return { value: email, token: email };
    const own = tag.link && { user: userId, email, team: teamId, scope: `${teamId}/${userId}` }[tag.link];
    if (own !== undefined) return { value: own, token: own };
    if (tag.thirdParty === "address") return { value: person.email, token: person.email };
    if (reference !== undefined) return { value: reference, skipped: "The key of another row." };
    count += 1;
    const { enumValues = [] } = canonical(table, property).column;
    if (enumValues.length > 0) return { value: SETTLED[name] ?? enumValues[0] };
    if (SETTLED[name] !== undefined) return { value: SETTLED[name] };
    const token = canaryToken();
    switch (valueKindOf(canonical(table, property).column)) {
      case "json":
        return { value: SHAPES[name]?.(token) ?? { canary: token }, token };
      case "boolean":
        return { value: false };
      case "number":
      case "bigint":
        return { value: count };
      case "date":
        return { value: new Date(at.getTime() + (LATER.test(property) ? WEEK_MS : -WEEK_MS / 7) + count) };
      case "buffer":
        return { value: Buffer.from(token), token };
      default:
        return { value: token, token };
    }
  }

  /** SQLite's definition, which alone knows the texts a column takes; both engines hold the same values. */
  function canonical(table: MappedTable, property: string): MappedColumn {
    return columnNamed(tableNamed(lite, table.property), property);
  }

  return { planted, ensure };
}

function isTheirs({ about }: MappedTable): boolean {
  return !("none" in about.subject);
}

function propertyOf(table: MappedTable, column: SQLiteColumn): string {
  const found = table.columns.find((one) => one.column.name === column.name);
  if (found === undefined) throw new Error(`${table.name} has no column ${column.name}.`);
  return found.property;
}
