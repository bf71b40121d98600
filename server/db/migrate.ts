/**
 * Own migration runner over drizzle-kit's files. drizzle's own one deletes child rows when SQLite rebuilds a table
 * (foreign keys cannot be switched off inside a transaction; drizzle-orm #5782) and races when several nodes start.
 * An edited migration, one merged out of order and a database written by a newer version are refused.
 */
import type Sqlite from "better-sqlite3";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { PerchError } from "../errors.ts";
import { unfencePostgres, unfenceSqlite } from "./write-fence.ts";

export const JOURNAL = "perch_migrations";
/** One at a time migrates, or changes where the tables are. */
export const MIGRATION_LOCK = 7_724_263;
/** One at a time makes the backup before an update, and then updates. */
export const UPDATE_LOCK = 7_724_265;

interface Applied {
  readonly ordinal: number;
  readonly hash: string;
}

/** Applies what is missing, as far as `most` migrations in all. Returns how many ran. */
export function migrateSqlite(db: Sqlite.Database, folder: string, most = Number.POSITIVE_INFINITY): number {
  const held = holdSqlite(db);
  try {
    return held.done(applyMissing(db, folder, most));
  } finally {
    held.letGo();
  }
}

/**
 * The same, and calls `beforeUpdate` before migrations change a database that was there already. From before it until the
 * end nobody else writes or migrates: of several processes that start at once one does it, and the others find it done.
 */
export async function updateSqlite(
  db: Sqlite.Database,
  folder: string,
  beforeUpdate: () => Promise<void>,
): Promise<number> {
  const held = holdSqlite(db);
  try {
    if (needsUpdate(db, folder)) await beforeUpdate();
    return held.done(applyMissing(db, folder));
  } finally {
    held.letGo();
  }
}

/** Begins a transaction in which tables can be rebuilt; it is undone unless it came to `done`. */
function holdSqlite(db: Sqlite.Database) {
  const foreignKeys = db.pragma("foreign_keys", { simple: true });
  db.pragma("foreign_keys = OFF");
  db.exec("BEGIN IMMEDIATE");
  return {
    done(ran: number): number {
      db.exec("COMMIT");
      return ran;
    },
    letGo(): void {
      if (db.inTransaction) db.exec("ROLLBACK");
      db.pragma(`foreign_keys = ${foreignKeys === 0 ? "OFF" : "ON"}`);
    },
  };
}

/** Whether a database that was there already lacks migrations. @throws as `migrateSqlite`, for one this version cannot take */
function needsUpdate(db: Sqlite.Database, folder: string): boolean {
  const journal = db.prepare("select 1 from sqlite_master where name = ?").get(JOURNAL);
  if (journal === undefined) return false;
  const applied = db.prepare<[], Applied>(`select ordinal, hash from ${JOURNAL} order by ordinal`).all();
  return applied.length > 0 && pendingMigrations(folder, applied).length > 0;
}

/** As far as `most` migrations in all. */
function applyMissing(db: Sqlite.Database, folder: string, most = Number.POSITIVE_INFINITY): number {
  db.exec(`create table if not exists ${JOURNAL} (ordinal integer primary key, hash text not null)`);
  const applied = db.prepare<[], Applied>(`select ordinal, hash from ${JOURNAL} order by ordinal`).all();
  const pending = pendingMigrations(folder, applied).filter(({ ordinal }) => ordinal < most);
  if (pending.length > 0) unfenceSqlite(db);
  for (const migration of pending) {
    for (const statement of migration.statements) db.exec(statement);
    db.prepare(`insert into ${JOURNAL} (ordinal, hash) values (?, ?)`).run(migration.ordinal, migration.hash);
  }
  const broken = db.pragma("foreign_key_check");
  if (Array.isArray(broken) && broken.length > 0) throw new Error("A migration broke references between tables.");
  return pending.length;
}

/** Where an earlier version keeps its tables, if they were there already and this one has to change or move them. */
export async function postgresToUpdate(
  session: PostgresSession,
  folder: string,
  { schema, earlier }: { readonly schema: string; readonly earlier: string },
): Promise<string | undefined> {
  const known = readMigrationFiles({ migrationsFolder: folder });
  for (const place of [schema, earlier]) {
    const [there] = await session.rows(`select to_regclass('"${place}".${JOURNAL}')::text as name`);
    if (there?.["name"] == null) continue;
    const rows = await session.rows(`select hash from "${place}".${JOURNAL} order by ordinal`);
    const isOurs = rows.length > 0 && rows.length <= known.length && rows[0]?.["hash"] === known[0]?.hash;
    return isOurs && (rows.length < known.length || place !== schema) ? place : undefined;
  }
  return undefined;
}

export interface PostgresSession {
  run(text: string): Promise<void>;
  rows(text: string): Promise<Record<string, unknown>[]>;
}

/** A busy table is not waited for longer: whoever comes after the waiting migration would wait, too. */
const TABLE_LOCK_MS = 10_000;

/**
 * As `migrateSqlite`, in one transaction under an advisory lock, in the schema the session's search path begins with.
 * drizzle-kit names `public` in references, wherever the tables are.
 */
export async function migratePostgres(session: PostgresSession, folder: string): Promise<number> {
  await session.run("begin");
  try {
    await session.run(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await session.run(`create table if not exists ${JOURNAL} (ordinal integer primary key, hash text not null)`);
    const rows = await session.rows(`select ordinal, hash from ${JOURNAL} order by ordinal`);
    const applied = rows.map((row) => ({ ordinal: Number(row["ordinal"]), hash: String(row["hash"]) }));
    const pending = pendingMigrations(folder, applied);
    if (pending.length > 0) {
      await session.run(`set local lock_timeout = ${TABLE_LOCK_MS}`);
      await unfencePostgres(session);
    }
    const [place] = await session.rows("select current_schema() as name");
    const schema = `"${String(place?.["name"])}".`;
    for (const migration of pending) {
      for (const statement of migration.statements) await session.run(statement.replaceAll('"public".', schema));
      await session.run(`insert into ${JOURNAL} (ordinal, hash) values (${migration.ordinal}, '${migration.hash}')`);
    }
    await session.run("commit");
    return pending.length;
  } catch (error) {
    await session.run("rollback");
    if (error instanceof Error && "code" in error && error.code === LOCK_NOT_AVAILABLE) {
      throw new PerchError(
        "unavailable",
        "Something else holds tables of the database, so they could not be brought up to date, and nothing was changed. End long queries and transactions on them, then start again.",
        { cause: error },
      );
    }
    throw error;
  }
}
const LOCK_NOT_AVAILABLE = "55P03";

function pendingMigrations(folder: string, applied: readonly Applied[]) {
  const known = readMigrationFiles({ migrationsFolder: folder });
  if (applied.length > known.length) {
    throw new PerchError(
      "unavailable",
      "This database was written by a newer version of Perch. Start that version, or restore a backup made by this one.",
    );
  }
  for (const { ordinal, hash } of applied) {
    if (known[ordinal]?.hash !== hash) {
      throw new PerchError(
        "unavailable",
        `Migration ${ordinal} of this database is not the one this version of Perch ships. Use the version that wrote it, or restore a backup.`,
      );
    }
  }
  return known.slice(applied.length).map((migration, index) => ({
    ordinal: applied.length + index,
    hash: migration.hash,
    statements: migration.sql.filter((statement) => statement.trim() !== ""),
  }));
}
