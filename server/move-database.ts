/** `db move`: both databases opened, checked, moved between and compared; see `db/move/move.ts` for the rows. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Audit, createAudit } from "./audit/audit.repo.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { databaseFile } from "./db/database-file.ts";
import { JOURNAL } from "./db/migrate.ts";
import { connectPostgres, connectSqlite, demandNoServer, inUse } from "./db/move/ends.ts";
import { type MovedCount, moveRows } from "./db/move/move.ts";
import { demandNotMoved, readMark, removeMark, type SourceMark, writeMark } from "./db/move/move-mark.repo.ts";
import { movedTables } from "./db/move/moved-tables.ts";
import { isEmptyPostgres, type PostgresEnd, postgresSource, postgresTarget } from "./db/move/rows.postgres.ts";
import { isEmptySqlite, sqliteSource, sqliteTarget } from "./db/move/rows.sqlite.ts";
import type { MoveSource, MoveTarget } from "./db/move/rows.ts";
import { openSealedFields } from "./db/move/sealed-fields.repo.ts";
import { openPostgres } from "./db/postgres-open.ts";
import { openSqlite } from "./db/sqlite.ts";
import { demandAlone, holdAlone } from "./db/sqlite-rekey.ts";
import { keysFileKey, keysFileOf } from "./db/subject-keys.sqlite.ts";
import { PerchError } from "./errors.ts";
import { deriveKey, readFileKey } from "./keys.ts";
import { makeFolder } from "./make-folder.ts";
import { openDatabase } from "./open-database.ts";
import { projectRoot } from "./paths.ts";

export interface MoveRequest {
  readonly config: Config;
  readonly clock: Clock;
  /** `postgres://…` or `sqlite:PATH`. */
  readonly to: string;
  /** Kept in the audit log. */
  readonly detail: Readonly<Record<string, string>>;
  readonly out: (line: string) => void;
}

const PROGRESS_EVERY_MS = 1_000;

/** Moves everything to an empty database. Run again after a kill, it goes on. @throws PerchError with what to do */
export async function moveDatabase(request: MoveRequest): Promise<void> {
  const { config, clock, out } = request;
  const there = targetConfigOf(config, request.to);
  const key = deriveKey(readFileKey({ keyFile: config.keyFile, databaseExists: true }), "database");
  await demandUnused(config, key);
  const opened = await openDatabase(config, { isMoving: true, clock });
  let mark: SourceMark;
  let before: Chains;
  let target: End<MoveTarget> | undefined;
  try {
    mark = await sourceMark(opened.db, clock, engineOf(there));
    target = await openTarget(there, key, mark.id);
    const audit = createAudit(opened.db, clock, deriveKey(opened.master, "audit heads"));
    if ((await readMark(opened.db)) === undefined) {
      await opened.db.tx((tx) =>
        audit.record(tx, {
          chain: "server",
          actor: "operator",
          action: "admin.database_moved",
          detail: { ...request.detail, to: mark.to },
        }),
      );
      await writeMark(opened.db, mark);
    }
    before = await chainsOf(audit);
  } catch (error) {
    await target?.close();
    throw error;
  } finally {
    await opened.db.close();
  }
  let source: End<MoveSource> | undefined;
  try {
    source = await openSource(config, key);
    const { counts, replaced } = await moveRows({
      ...{ id: mark.id, source: source.end, target: target.end, tables: movedTables() },
      onProgress: progressTo(out),
    });
    await target.close();
    await verify(there, clock, before, out);
    await source.end.finish(JSON.stringify({ ...mark, state: "moved" } satisfies SourceMark));
    tell(counts, replaced, out);
    out(
      mark.to === "postgres"
        ? "Everything is there. Set DATABASE_URL to the new database before you start the server; files stay in DATA_DIR."
        : `Everything is there. Take DATABASE_URL away and set DATA_DIR to ${there.DATA_DIR} before you start the server; other files stay where they are.`,
    );
  } finally {
    await Promise.allSettled([target.close(), source?.close()]);
  }
}

/** Takes the mark of a move away, so that a server starts on this database again. */
export async function undoMove(request: Omit<MoveRequest, "to">): Promise<void> {
  const { db, master } = await openDatabase(request.config, { isMoving: true, clock: request.clock });
  try {
    const found = await readMark(db);
    if (found?.role !== "source") throw new PerchError("conflict", "This database was not moved away.");
    await removeMark(db);
    const audit = createAudit(db, request.clock, deriveKey(master, "audit heads"));
    await db.tx((tx) =>
      audit.record(tx, {
        chain: "server",
        actor: "operator",
        action: "admin.database_move_undone",
        detail: request.detail,
      }),
    );
    request.out("This database is used again. Remove the other one: what happens from now on is not in it.");
  } finally {
    await db.close();
  }
}

function engineOf(config: Config): "sqlite" | "postgres" {
  return config.DATABASE_URL === undefined ? "sqlite" : "postgres";
}

/** The settings a server of the other database would have. */
function targetConfigOf(config: Config, to: string): Config {
  if (/^postgres(ql)?:\/\//.test(to) && URL.canParse(to)) {
    return { ...config, DATABASE_URL: to, DATABASE_DIRECT_URL: undefined };
  }
  const path = /^sqlite:(.+)$/.exec(to)?.[1];
  if (path === undefined || basename(path) !== "perch.db") {
    throw new PerchError(
      "bad_input",
      "--to: write postgres://user:password@host/database, or sqlite:FOLDER/perch.db in the folder that DATA_DIR will name.",
    );
  }
  if (config.DATABASE_URL === undefined) {
    throw new PerchError("bad_input", "--to: this database is SQLite already. To have it elsewhere, move its folder.");
  }
  return { ...config, DATABASE_URL: undefined, DATABASE_DIRECT_URL: undefined, DATA_DIR: dirname(resolve(path)) };
}

async function sourceMark(db: Database, clock: Clock, to: SourceMark["to"]): Promise<SourceMark> {
  const found = await readMark(db);
  if (found === undefined || (found.role === "target" && found.state === "whole")) {
    if (found !== undefined) await removeMark(db);
    return { role: "source", id: randomUUID(), state: "moving", to, at: new Date(clock.now()).toISOString() };
  }
  if (found.role === "target" || found.state === "moved") await demandNotMoved(db);
  if (found.role === "source" && found.to === to) return found;
  throw new PerchError(
    "conflict",
    "Another move of this database is not finished. Finish it, or take it back with: db move --undo.",
  );
}

interface End<E> {
  readonly end: E;
  close(): Promise<void>;
}

async function openSource(config: Config, key: Buffer): Promise<End<MoveSource>> {
  if (config.DATABASE_URL === undefined) {
    const file = databaseFile(config);
    const db = holdAlone(file, key);
    const end = sqliteSource(db, holdAlone(keysFileOf(file), keysFileKey(key)));
    return { end, close: end.close };
  }
  const end = await connectPostgres(config.DATABASE_DIRECT_URL ?? config.DATABASE_URL, config.DATABASE_SCHEMA);
  try {
    await demandNoServer(end);
    await end.client.query("set lock_timeout = 5000");
    const source = await postgresSource(end, movedTables()).catch((error: unknown) => {
      throw error instanceof Error && "code" in error && error.code === "55P03" ? inUse(error) : error;
    });
    return { end: source, close: end.close };
  } catch (error) {
    await end.close();
    throw error;
  }
}

/** Before anything is marked: a refusal leaves everything as it was. */
async function demandUnused(config: Config, key: Buffer): Promise<void> {
  if (config.DATABASE_URL === undefined) {
    const file = databaseFile(config);
    if (existsSync(file)) demandAlone(file, key);
    return;
  }
  const end = await connectPostgres(config.DATABASE_DIRECT_URL ?? config.DATABASE_URL, config.DATABASE_SCHEMA);
  await demandNoServer(end).finally(end.close);
}

async function openTarget(config: Config, key: Buffer, id: string): Promise<End<MoveTarget>> {
  if (config.DATABASE_URL === undefined) return openSqliteTarget(config, key, id);
  const end = await connectPostgres(config.DATABASE_URL, config.DATABASE_SCHEMA);
  try {
    const target = postgresTarget(end);
    if (!(await isOwn(end, target, id))) {
      if (!(await isEmptyPostgres(end, JOURNAL)))
        throw notEmpty(`The schema ${end.schema} of that database holds rows`);
      // As a server opens it: what would keep one from starting there is told before anything is copied.
      const url = config.DATABASE_URL;
      const migrationsFolder = join(projectRoot(), "migrations/postgres");
      await (await openPostgres({ url, schema: end.schema, migrationsFolder })).close();
    }
    return { end: target, close: end.close };
  } catch (error) {
    await end.close();
    throw error;
  }
}

async function isOwn(end: PostgresEnd, target: MoveTarget, id: string): Promise<boolean> {
  const { rows } = await end.client.query("select to_regclass($1) as name", [`"${end.schema}".server_keys`]);
  return (rows[0] as { name: string | null }).name !== null && (await target.mark())?.id === id;
}

function notEmpty(what: string): PerchError {
  return new PerchError(
    "conflict",
    `${what} already. A move needs an empty place: name another, or take away what is there.`,
  );
}

async function openSqliteTarget(config: Config, key: Buffer, id: string): Promise<End<MoveTarget>> {
  const file = databaseFile(config);
  const keysFile = keysFileOf(file);
  const isNew = !existsSync(file);
  if (isNew && existsSync(keysFile)) throw notEmpty(`The file ${keysFile} holds keys of people`);
  if (isNew) {
    makeFolder(config.DATA_DIR, 0o711);
    const made = await openSqlite({ file, key, migrationsFolder: join(projectRoot(), "migrations/sqlite") });
    await made.close();
  }
  const db = connectSqlite(file, key);
  try {
    const target = sqliteTarget(db, connectSqlite(keysFile, keysFileKey(key)));
    if (!isNew && (await target.mark())?.id !== id && !isEmptySqlite(db)) throw notEmpty(`The file ${file} holds rows`);
    return { end: target, close: async () => (db.open ? target.close() : undefined) };
  } catch (error) {
    db.close();
    throw error;
  }
}

type Chains = ReadonlyMap<string, string>;

/** How each chain of the audit log is. */
async function chainsOf(audit: Audit): Promise<Chains> {
  const chains = new Map([["", String(await audit.hasEveryChain())]]);
  for (const chain of await audit.chains()) {
    const { entries, brokenAt, how } = await audit.verify(chain);
    chains.set(chain, `${entries} ${how ?? "intact"} ${brokenAt ?? ""}`);
  }
  return chains;
}

/** Opens the new database as a server would: every sealed field has to open, every chain has to be what it was. */
async function verify(config: Config, clock: Clock, before: Chains, out: (line: string) => void): Promise<void> {
  const { db, master } = await openDatabase(config, { isMoving: true });
  try {
    const fields = await openSealedFields(db);
    const after = await chainsOf(createAudit(db, clock, deriveKey(master, "audit heads")));
    const changed = [...before].find(([chain, state]) => after.get(chain) !== state);
    if (changed !== undefined || after.size !== before.size) {
      throw new PerchError(
        "conflict",
        `The audit chain ${changed?.[0] ?? ""} is not what it was. Run: db move --undo.`,
      );
    }
    out(`${fields} sealed fields open, ${before.size - 1} audit chains are as they were.`);
  } finally {
    await db.close();
  }
}

function progressTo(out: (line: string) => void) {
  let last = 0;
  return ({ table, done, of, step }: { table: string; done: number; of: number; step: string }) => {
    const now = performance.now();
    if (now - last < PROGRESS_EVERY_MS && (done < of || of === 0 || step === "compared")) return;
    last = now;
    out(`${table}\t${step}\t${done} of ${of}`);
  };
}

function tell(counts: readonly MovedCount[], replaced: number, out: (line: string) => void): void {
  for (const { table, rows, checksum } of counts) out(`${table}\t${rows} rows\t${checksum.slice(0, 16)}`);
  if (replaced > 0)
    out(`In ${replaced} values a character PostgreSQL cannot keep (U+0000, or half a pair) became U+FFFD.`);
}
