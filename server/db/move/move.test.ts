/** Rows moved from SQLite to PostgreSQL and back: PGlite always, a real server where `TEST_DATABASE_URL` names one. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataMap } from "../../privacy/map/data-map.ts";
import { canaryPerson, plant } from "../../privacy/testing/plant.repo.ts";
import { tableName } from "../dialect.ts";
import { DEFAULT_SCHEMA } from "../own-schema.postgres.ts";
import { preparePostgres } from "../postgres.ts";
import { openSqlite } from "../sqlite.ts";
import { keysSchemaOf } from "../subject-keys.postgres.ts";
import { keysFileKey, keysFileOf } from "../subject-keys.sqlite.ts";
import { foreignKeysOf } from "../table-keys.ts";
import { tablesFor } from "../tables.ts";
import { MIGRATIONS, preparedPglite } from "../testing.ts";
import { moveRows } from "./move.ts";
import { type Cell, type Kind, keyOf, type MovedTable, movedTables, type Row, Tally } from "./moved-tables.ts";
import { type PostgresEnd, postgresSource, postgresTarget } from "./rows.postgres.ts";
import { isEmptySqlite, sqliteSource, sqliteTarget } from "./rows.sqlite.ts";
import type { MoveSource, MoveTarget, RowReader } from "./rows.ts";

const at = new Date(Date.UTC(2026, 0, 1));
const TABLES = movedTables();
const folder = mkdtempSync(join(tmpdir(), "perch-move-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const quiet = { id: "move", tables: TABLES, onProgress() {} };

/** A migrated database with its keys, and raw connections to it. */
async function sqliteFile(name: string) {
  const [file, key] = [join(folder, name, "perch.db"), Buffer.alloc(32, 5)];
  const open = () => openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") });
  await (await open()).close();
  const raw = (path: string, with_: Buffer) => {
    const db = new Sqlite(path);
    db.pragma(`key = "x'${with_.toString("hex")}'"`);
    return db;
  };
  return { open, raw: () => [raw(file, key), raw(keysFileOf(file), keysFileKey(key))] as const };
}

const PLACES = [
  {
    name: "PGlite",
    async open() {
      const client = await preparedPglite();
      return { client, dispose: () => client.close() };
    },
  },
  ...(process.env["TEST_DATABASE_URL"] === undefined
    ? []
    : [
        {
          name: "PostgreSQL",
          async open() {
            const url = new URL(process.env["TEST_DATABASE_URL"] ?? "");
            const admin = new pg.Client({ connectionString: url.href });
            await admin.connect();
            const name = `perch_move_${randomBytes(6).toString("hex")}`;
            await admin.query(`create database ${name}`);
            url.pathname = `/${name}`;
            const client = new pg.Client({ connectionString: url.href });
            await client.connect();
            const session = {
              run: async (text: string) => void (await client.query(text)),
              rows: async (text: string) => (await client.query<Record<string, unknown>>(text)).rows,
            };
            await preparePostgres(session, join(MIGRATIONS, "postgres"), DEFAULT_SCHEMA);
            await client.query("reset search_path");
            return {
              client,
              async dispose() {
                await client.end();
                await admin.query(`drop database ${name} with (force)`);
                await admin.end();
              },
            };
          },
        },
      ]),
];
const endOf = (client: PostgresEnd["client"]): PostgresEnd => ({
  client,
  schema: DEFAULT_SCHEMA,
  keysSchema: keysSchemaOf(DEFAULT_SCHEMA),
  close: async () => {},
});

async function contents(reader: RowReader): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const table of TABLES) {
    const tally = new Tally();
    for (let after: Row | undefined; ; ) {
      const rows = await reader.page(table, after, 7);
      for (const row of rows) tally.add(row);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = keyOf(table, last);
    }
    found.set(table.name, `${tally.rows} ${tally.checksum}`);
  }
  return found;
}

/** Throws when something is written for the nth time, before or after it is there. */
function breaking(target: MoveTarget, at: number): MoveTarget {
  let count = 0;
  const broken =
    <A extends unknown[], R>(work: (...parameters: A) => Promise<R>) =>
    async (...parameters: A): Promise<R> => {
      count += 1;
      if (count === at) throw new Error("killed before");
      const result = await work(...parameters);
      count += 1;
      if (count === at) throw new Error("killed after");
      return result;
    };
  return {
    ...target,
    prepare: broken(target.prepare),
    write: broken(target.write),
    clear: broken(target.clear),
    clearKeys: broken(target.clearKeys),
    writeKeys: broken(target.writeKeys),
    finish: broken(target.finish),
  };
}

describe.each(PLACES)("a database moved to $name", (place) => {
  let source: MoveSource;
  let client: PostgresEnd["client"];
  let dispose: () => Promise<void>;
  let wanted: Map<string, string>;
  const name = place.name;
  beforeAll(async () => {
    const file = await sqliteFile(`from-${name}`);
    const db = await file.open();
    db.keys.unlock(Buffer.alloc(32, 1));
    for (const who of [canaryPerson(), canaryPerson(), canaryPerson()]) await plant(db, dataMap(db.t), who, { at });
    await db.close();
    source = sqliteSource(...file.raw());
    wanted = await contents(source);
    ({ client, dispose } = await place.open());
  });
  afterAll(async () => {
    await source.close();
    await dispose();
  });

  it("and killed at random places goes on, and everything arrives once", async () => {
    let kills = 0;
    for (let step = 1; ; step += 1 + Math.floor(Math.random() * 60)) {
      const target = breaking(postgresTarget(endOf(client)), step);
      const outcome = await moveRows({ ...quiet, source, target, batch: 2 }).then(
        () => "done",
        (error: Error & { cause?: Error }) => `${error.message} ${error.cause?.message ?? ""}`,
      );
      if (outcome === "done") break;
      expect(outcome).toContain("killed");
      kills += 1;
    }
    expect(kills).toBeGreaterThan(3);
    expect(await contents(postgresTarget(endOf(client)))).toEqual(wanted);
    const { rows } = await client.query(
      "select count(*)::int as n from pg_constraint c join pg_namespace n on n.oid = c.connamespace where n.nspname = 'perch' and c.contype = 'f'",
    );
    const references = Object.values(tablesFor.postgres).reduce((sum, table) => sum + foreignKeysOf(table).length, 0);
    expect(rows).toEqual([{ n: references }]);
    const people = await client.query("select count(*)::int as n from perch_keys.subject_keys");
    expect(people.rows).toEqual([{ n: 3 }]);
    await expect(moveRows({ ...quiet, id: "another", source, target: postgresTarget(endOf(client)) })).rejects.toThrow(
      "Another move",
    );
  });

  it("gives the same rows back", async () => {
    const file = await sqliteFile(`back-${name}`);
    const back = await postgresSource(endOf(client), TABLES);
    const [db, keys] = file.raw();
    expect(isEmptySqlite(db)).toBe(true);
    const target = sqliteTarget(db, keys);
    const steps: string[] = [];
    const { counts, replaced } = await moveRows({
      ...{ id: "back", tables: TABLES, source: back, target, batch: 3 },
      onProgress: ({ table, step }) => steps.push(`${table} ${step}`),
    });
    expect(replaced).toBe(0);
    expect(await contents(target)).toEqual(wanted);
    expect(counts.find(({ table }) => table === "keys of people")?.rows).toBe(3);
    expect(steps).toContain("users copied");
    expect(isEmptySqlite(db)).toBe(false);
    await client.query("rollback");
    await target.close();
    // It opens as a server opens it, with references and the fence in place, and fields that open.
    const opened = await file.open();
    opened.keys.unlock(Buffer.alloc(32, 1));
    expect((await opened.read.select().from(opened.t.users)).map(({ email }) => email.split("@")[1])).toEqual(
      Array(3).fill("canary.example"),
    );
    await opened.close();
  });

  it("is compared at the end: what a server wrote meanwhile is copied, what cannot be put right is told", async () => {
    const [db, keys] = (await sqliteFile(`changed-${name}`)).raw();
    const [events] = TABLES.filter((table) => table.name === "topics");
    const changing: MoveSource = sqliteSource(db, keys);
    const put = db.prepare(
      "insert into topics (topic, seq) values (?, ?) on conflict do update set seq = excluded.seq",
    );
    put.run("a", 1);
    await client.query("truncate perch.topics cascade");
    const target = postgresTarget(endOf(client));
    // Only this table, in a move of its own.
    await client.query("delete from perch.server_keys where name = 'move'");
    let compares = 0;
    const one = { id: "one", tables: [events as MovedTable], source: changing };
    await moveRows({
      ...one,
      target,
      onProgress({ step }) {
        if (step === "copied" && compares === 0) put.run("a", 2);
        compares += 1;
      },
    });
    expect((await client.query("select seq::text from perch.topics")).rows).toEqual([{ seq: "2" }]);
    await client.query("update perch.topics set seq = 3");
    await expect(moveRows({ ...one, target, onProgress() {} })).rejects.toThrow("topics: 1 rows arrived of 1");
    await changing.close();
  });

  it("keeps every value PostgreSQL can keep, and replaces only what it cannot", async () => {
    const alone = new Set(
      Object.values(tablesFor.sqlite)
        .filter((table) => foreignKeysOf(table).length === 0)
        .map((table) => tableName(table)),
    );
    const chosen = TABLES.filter((table) => alone.has(table.name) && !/^(server_keys|audit_)/.test(table.name));
    expect(new Set(chosen.flatMap((table) => table.columns.map(({ kind }) => kind))).size).toBeGreaterThan(4);
    const values: Record<Kind, fc.Arbitrary<string>> = {
      text: fc.string({ unit: "grapheme", maxLength: 20 }),
      int: fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }).map(String),
      bool: fc.constantFrom("0", "1"),
      instant: fc.integer({ min: -1e12, max: 4e12 }).map(String),
      json: fc.jsonValue({ stringUnit: "binary" }).map((value) => JSON.stringify(value)),
      "sealed json": fc.string({ unit: "grapheme-ascii" }),
      bytes: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex")),
    };
    const rowOf = (table: MovedTable) =>
      fc.tuple(
        ...table.columns.map(
          ({ kind }, n): fc.Arbitrary<Cell> => (table.key.includes(n) && kind === "text" ? fc.uuid() : values[kind]),
        ),
      );
    const [db, keys] = (await sqliteFile(`random-${name}`)).raw();
    const from = sqliteTarget(db, keys);
    const mark = { role: "target" as const, id: "x", state: "whole" as const, constraints: [] };
    const written = new Map<string, number>();
    for (const table of chosen) {
      const rows = fc
        .sample(fc.uniqueArray(rowOf(table), { selector: (row) => String(keyOf(table, row)), maxLength: 6 }), 3)
        .flat();
      for (const row of rows) {
        // Some meet a unique index.
        await from.write(table, [row], mark).then(
          () => written.set(table.name, (written.get(table.name) ?? 0) + 1),
          () => undefined,
        );
      }
      await client.query(`truncate perch."${table.name}" cascade`);
    }
    expect([...written.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThan(50);
    db.prepare("insert into topics (topic, seq) values (?, 1)").run("nul\0");
    db.prepare("insert into events (topic, seq, data, at) values ('x', 1, ?, 1)").run('{"b":"\\u0000\\ud800","a":1}');
    await client.query("delete from perch.server_keys where name = 'move'");
    const target = postgresTarget(endOf(client));
    const { replaced } = await moveRows({
      id: "random",
      tables: chosen,
      source: from as never,
      target,
      onProgress() {},
    });
    expect(replaced).toBeGreaterThanOrEqual(2);
    expect((await client.query("select topic from perch.topics where topic like 'nul%'")).rows).toEqual([
      { topic: "nul\uFFFD" },
    ]);
    // A chain of hashes is not changed: it would not verify any more.
    db.prepare(
      "insert into audit_log (chain, seq, action, detail, commitment, prev, hash) values ('c', 1, 'a', ?, '', '', '')",
    ).run('{"a":"\\u0000"}');
    await client.query("delete from perch.server_keys where name = 'move'");
    const audit = TABLES.filter((table) => table.name === "audit_log");
    await expect(
      moveRows({ id: "audit", tables: audit, source: from as never, target, onProgress() {} }),
    ).rejects.toThrow("audit_log holds a character PostgreSQL cannot keep (row c, 1)");
    await from.close();
  });
});

describe("the checksum of a table", () => {
  const row = fc.array(fc.option(fc.string()), { minLength: 2, maxLength: 2 });
  it("does not depend on the order, and sees every change", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), fc.nat(), fc.string(), (rows, which, text) => {
        const of = (some: readonly Row[]) => {
          const tally = new Tally();
          for (const one of some) tally.add(one);
          return tally.checksum;
        };
        expect(of(rows.toReversed())).toBe(of(rows));
        const changed = rows.map((one, n) =>
          n === which % rows.length ? [`${one[0] ?? ""}x${text}`, ...one.slice(1)] : one,
        );
        expect(of(changed)).not.toBe(of(rows));
        expect(of([["a", "b"]])).not.toBe(of([["ab", ""]]));
        expect(of([[null, "a"]])).not.toBe(of([["-", "a"]]));
      }),
    );
  });
});
