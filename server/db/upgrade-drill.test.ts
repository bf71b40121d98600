/**
 * The upgrade drill: what the release before left, with rows in every table it had, under the real program of this one. Two of
 * them start at the same moment, as nodes do, and as a supervisor does that lost sight of the first.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Config, parseConfig } from "../config.ts";
import { deriveKey, readFileKey } from "../keys.ts";
import { postgresPlace } from "../privacy/testing/gate-stores.ts";
import { migratePostgres, migrateSqlite } from "./migrate.ts";
import { postgresTarget } from "./move/rows.postgres.ts";
import { sqliteReader, sqliteTarget } from "./move/rows.sqlite.ts";
import type { MoveTarget } from "./move/rows.ts";
import { DEFAULT_SCHEMA, enterSchema } from "./own-schema.postgres.ts";
import { openPostgres } from "./postgres-open.ts";
import { openSqlite, rememberKey } from "./sqlite.ts";
import { keysSchemaOf, prepareKeyStore } from "./subject-keys.postgres.ts";
import { keysFileKey, keysFileOf, openKeyStore } from "./subject-keys.sqlite.ts";
import { earlierMigrations, migrationCount } from "./testing/earlier.ts";
import { type EarlierTable, earlierRows, fill, lost, rawSqlite, sealingFor } from "./testing/earlier-rows.ts";
import { preparedPglite, sessionOf } from "./testing.ts";

/** Migrations of the release before. */
const BEFORE = migrationCount() - 1;
/** When the rows are from: nothing of them is due. */
const LATER_MS = 24 * 3_600_000;
/** What a start does to them, whatever the version: what was going on is put in order, what lapses with a restart goes. */
const STARTED: ReadonlySet<string> = new Set([
  ...["recordings.state", "recordings.note", "recordings.event_seq", "recordings.state_seq", "recordings.updated_at"],
  ...["runs.state", "runs.error", "runs.holder", "runs.fence", "runs.event_seq", "runs.finished_at"],
  ...["runs.phone_id", "runs.shard", "rules.revision", "rules.failures", "users.last_seen_at"],
  ...["uploads.received", "uploads.updated_at", "usage_intervals.ended_at", "usage_intervals.end_reason"],
  ...["rate_limits", "usage_holds"],
]);

interface Place {
  readonly env: Readonly<Record<string, string>>;
  /** To write rows and to read them. */
  at<T>(work: (target: MoveTarget) => Promise<T>): Promise<T>;
  /** Makes the tables of the release before. */
  prepare(): Promise<void>;
  /** Opens it as that release does. */
  openAsBefore(): Promise<unknown>;
  drop(): Promise<void>;
}

const migrations = {
  sqlite: earlierMigrations("sqlite", BEFORE),
  postgres: earlierMigrations("postgres", BEFORE),
};
afterAll(() => {
  for (const folder of Object.values(migrations)) rmSync(folder, { recursive: true, force: true });
});

function onSqlite(config: Config, fileKey: Buffer): Place {
  const file = join(config.DATA_DIR, "perch.db");
  const key = deriveKey(fileKey, "database");
  return {
    env: {},
    async at(work) {
      const [rows, keys] = [rawSqlite(file, key), rawSqlite(keysFileOf(file), keysFileKey(key))];
      openKeyStore(keys);
      return work(sqliteTarget(rows, keys)).finally(() => {
        rows.close();
        keys.close();
      });
    },
    async prepare() {
      mkdirSync(config.DATA_DIR, { recursive: true });
      const db = rawSqlite(file, key);
      migrateSqlite(db, migrations.sqlite);
      db.close();
      rememberKey(file, key);
    },
    openAsBefore: () => openSqlite({ file, key, migrationsFolder: migrations.sqlite }),
    drop: async () => {},
  };
}

async function onPostgres(server: string): Promise<Place> {
  const place = await postgresPlace(server, `perch_upgrade_${process.pid}`);
  const [schema, keysSchema] = [DEFAULT_SCHEMA, keysSchemaOf(DEFAULT_SCHEMA)];
  const connected = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: place.url });
    await client.connect();
    return work(client).finally(() => client.end());
  };
  return {
    env: { DATABASE_URL: place.url },
    at: (work) =>
      connected(async (client) => {
        await client.query("set session_replication_role = replica");
        return work(postgresTarget({ client, schema, keysSchema, close: async () => {} }));
      }),
    prepare: () =>
      connected(async (client) => {
        const session = {
          run: async (text: string) => void (await client.query(text)),
          rows: async (text: string) => (await client.query<Record<string, unknown>>(text)).rows,
        };
        await enterSchema(session, schema, migrations.postgres);
        await migratePostgres(session, migrations.postgres);
        await prepareKeyStore(session, keysSchema);
      }),
    openAsBefore: () => openPostgres({ url: place.url, migrationsFolder: migrations.postgres }),
    drop: () => place.drop(),
  };
}

const server = process.env["TEST_DATABASE_URL"];
const ENGINES = [
  { name: "SQLite", shared: false, on: async (config: Config, key: Buffer) => onSqlite(config, key) },
  ...(server === undefined ? [] : [{ name: "PostgreSQL", shared: true, on: async () => onPostgres(server) }]),
];

describe.each(ENGINES)("the upgrade drill on $name", ({ shared, on }) => {
  const folder = mkdtempSync(join(tmpdir(), "perch-upgrade-drill-"));
  const config = parseConfig({ DATA_DIR: join(folder, "data"), KEY_FILE: join(folder, "key") });
  let client: PGlite;
  let place: Place;
  let tables: ReadonlyMap<string, EarlierTable>;
  beforeAll(async () => {
    client = await preparedPglite();
    const fileKey = readFileKey({ keyFile: config.keyFile, databaseExists: false });
    place = await on(config, fileKey);
    const sealing = sealingFor(BEFORE, fileKey);
    const session = sessionOf(client);
    await enterSchema(session, "before", migrations.postgres);
    await migratePostgres(session, migrations.postgres);
    tables = await earlierRows(client, "before", sealing.seal, Date.now() + LATER_MS);
    await place.prepare();
    await place.at((target) => fill(target, tables, BEFORE, sealing));
  });
  const started: ChildProcess[] = [];
  afterAll(async () => {
    for (const one of started) one.kill("SIGKILL");
    await client?.close();
    await place?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(node: string, dataDir: string) {
    const child = spawn(process.execPath, ["server/main.ts"], {
      env: {
        ...{ PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/" },
        ...{ PORT: "0", DATA_DIR: dataDir, KEY_FILE: config.keyFile, BILLING: "off", ADB_SERVER: "off" },
        ...{ NODE_NAME: node, NODE_COMPILE_CACHE: resolve("node_modules/.cache/perch-e2e-compiled"), ...place.env },
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    started.push(child);
    let said = "";
    const hear = (text: string) => {
      said += text;
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", hear);
    return { child, said: () => said, url: () => /Perch is ready at (\S+)/.exec(said)?.[1] };
  }

  it("brings it here once when two servers start at once, every row in its place, and leaves no way back by mistake", async () => {
    // Nodes have a folder each; a single server has one, and so would a second one.
    const two = [start("one", config.DATA_DIR), start("two", shared ? join(folder, "two") : config.DATA_DIR)];
    const ready = () => two.filter(({ url }) => url() !== undefined);
    const ended = () => two.filter(({ child }) => child.exitCode !== null);
    await expect.poll(() => ready().length + ended().length, { timeout: 50_000 }).toBe(2);
    expect(ended().map(({ said }) => said())).toEqual(
      shared ? [] : [expect.stringContaining("Another server runs on")],
    );
    expect(ready()).toHaveLength(shared ? 2 : 1);
    for (const { url } of ready()) {
      const answer = await fetch(`${url()}/readyz`);
      expect({ status: answer.status, body: await answer.text() }).toMatchObject({ status: 200 });
    }
    for (const { child } of ready()) {
      child.kill("SIGTERM");
      expect(await once(child, "exit")).toEqual([0, null]);
    }
    expect((await place.at((reader) => lost(reader, tables, STARTED))).join("\n")).toBe("");
    await expect(place.openAsBefore()).rejects.toThrow("written by a newer version");
  });

  it("made one backup first, whoever of the two it was", () => {
    const folders = [config.DATA_DIR, join(folder, "two")].map((DATA_DIR) => parseConfig({ DATA_DIR }).backupDir);
    const made = folders.flatMap((one) => (existsSync(one) ? readdirSync(one) : []));
    expect(made.filter((one) => one.startsWith("perch-"))).toEqual([
      expect.stringMatching(/^perch-\d{8}T\d{6}Z-before-update/),
    ]);
  });

  it.skipIf(shared)("made a backup which holds every row as it was and starts the release before again", async () => {
    const made = readdirSync(config.backupDir).filter((one) => one.startsWith("perch-"));
    expect(made).toEqual([expect.stringMatching(/^perch-\d{8}T\d{6}Z-before-update$/)]);
    // As `docs/operators.md` tells: what is in it in the place of what is there.
    for (const one of ["perch.db", "perch.db-wal", "perch.db-shm", "perch.db.keyid"]) {
      rmSync(join(config.DATA_DIR, one), { force: true });
      const kept = join(config.backupDir, made[0] ?? "", one);
      if (existsSync(kept)) copyFileSync(kept, join(config.DATA_DIR, one));
    }
    const fileKey = readFileKey({ keyFile: config.keyFile, databaseExists: true });
    const db = rawSqlite(join(config.DATA_DIR, "perch.db"), deriveKey(fileKey, "database"));
    expect(migrateSqlite(db, migrations.sqlite)).toBe(0);
    const reader = sqliteReader(db, db);
    for (const table of tables.values()) {
      const rows = await reader.page({ ...table, key: table.key.length > 0 ? table.key : [0] }, undefined, 10);
      if (table.name !== "server_keys") expect([...rows].sort()).toEqual([...table.rows].sort());
    }
    db.close();
  });
});
