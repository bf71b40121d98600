/**
 * Seals what rows from before subject keys hold in plain text. Runs while the database is opened, before anybody is
 * served; killed at any moment, the next opening goes on. A column that is through is noted and not looked at again.
 */
import { asc, eq, getTableColumns, getTableName, gt, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { UserId } from "../../shared/ids.ts";
import type { Database, Writer } from "./database.ts";
import { columnPrivacy, fingerprintOf, isSealedJson, privacyOf, sealedPlace } from "./dialect.ts";

const BATCH = 500;

interface SealedColumn {
  readonly property: string;
  readonly column: SQLiteColumn;
  readonly place: string;
  readonly isSubjects: boolean;
  readonly isJson: boolean;
  /** The property that holds the fingerprint of it. */
  readonly fingerprint: string | undefined;
}

/** Gives how many rows it changed. */
export async function sealEarlierRows(db: Database): Promise<number> {
  const done = await sealedBefore(db);
  let changed = 0;
  for (const table of Object.values<SQLiteTable>(db.t)) {
    const columns = sealedColumns(table).filter(({ place }) => !done.has(place));
    if (columns.length === 0) continue;
    for (let after: string | undefined = ""; after !== undefined; ) {
      const from: string = after;
      const batch = await db.tx((tx) => sealBatch(db, tx, table, columns, from));
      changed += batch.changed;
      after = batch.last;
    }
    for (const { place } of columns) done.add(place);
    await db.tx((tx) => noteSealed(db, tx, done));
  }
  return changed;
}

async function sealBatch(
  db: Database,
  tx: Writer,
  table: SQLiteTable,
  columns: readonly SealedColumn[],
  after: string,
): Promise<{ changed: number; last: string | undefined }> {
  const { key, subject } = keysOf(table);
  const stored = Object.fromEntries(columns.map(({ property, column }) => [property, sql<unknown>`${column}`]));
  const rows = await tx
    .select({ key: sql<string>`${key}`, subject: sql<string | null>`${subject ?? sql`null`}`, ...stored })
    .from(table)
    .where(gt(key, after))
    .orderBy(asc(key))
    .limit(BATCH);
  const isSubjects = columns.some((column) => column.isSubjects);
  const withKey = new Set<UserId>();
  let changed = 0;
  for (const row of rows as (Record<string, unknown> & { key: string })[]) {
    const plain: Record<string, unknown> = {};
    const userId = row["subject"] as UserId | null;
    for (const { property, place, isJson, fingerprint } of columns) {
      const value = row[property];
      if (value == null || (typeof value === "string" && db.keys.isSealed(place, value))) continue;
      plain[property] = isJson && typeof value === "string" ? JSON.parse(value) : value;
      if (fingerprint !== undefined) plain[fingerprint] = value;
    }
    if (Object.keys(plain).length === 0) continue;
    if (userId !== null && isSubjects && !withKey.has(userId)) {
      await db.keys.create(tx, userId);
      withKey.add(userId);
    }
    const sealed = userId === null ? plain : await db.keys.row(tx, table, plain, userId);
    await tx.update(table).set(sealed).where(eq(key, row.key));
    changed += 1;
  }
  return { changed, last: rows.length < BATCH ? undefined : rows.at(-1)?.key };
}

function sealedColumns(table: SQLiteTable): SealedColumn[] {
  const columns = Object.entries(getTableColumns(table)) as [string, SQLiteColumn][];
  return columns.flatMap(([property, column]) => {
    const place = sealedPlace(column);
    if (place === undefined) return [];
    const [fingerprint] = columns.find(([, other]) => fingerprintOf(other) === property) ?? [];
    return [
      {
        property,
        column,
        place,
        isSubjects: columnPrivacy(column).sealed === "subject",
        isJson: isSealedJson(column),
        fingerprint,
      },
    ];
  });
}

/** The primary key, which rows are walked by, and whose the row is. The data-map test holds that sealed tables have one. */
function keysOf(table: SQLiteTable): { key: SQLiteColumn; subject: SQLiteColumn | undefined } {
  const columns = getTableColumns(table) as Record<string, SQLiteColumn>;
  const key = Object.values(columns).find((column) => column.primary);
  if (key === undefined) throw new Error(`${getTableName(table)} is sealed and needs a primary key of one column.`);
  const about = privacyOf(table).subject;
  return { key, subject: "column" in about ? columns[about.column] : undefined };
}

async function sealedBefore(db: Database): Promise<Set<string>> {
  const { serverKeys } = db.t;
  const [row] = await db.read.select().from(serverKeys).where(eq(serverKeys.name, "sealed columns"));
  return new Set(row?.sealed.split(" "));
}

async function noteSealed(db: Database, tx: Writer, places: ReadonlySet<string>): Promise<void> {
  const { serverKeys } = db.t;
  const sealed = [...places].sort().join(" ");
  await tx
    .insert(serverKeys)
    .values({ name: "sealed columns", sealed })
    .onConflictDoUpdate({ target: serverKeys.name, set: { sealed } });
}
