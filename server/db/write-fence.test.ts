import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import { dataMap, linksOf, type MappedColumn, type MappedTable } from "../privacy/map/data-map.ts";
import { leadsTo } from "../privacy/map/rows-of.repo.ts";
import { type CanaryPerson, canaryPerson, plant } from "../privacy/testing/plant.repo.ts";
import { type Database, isUniqueViolation } from "./database.ts";
import { preparePostgres } from "./postgres.ts";
import { sealedRow } from "./sealed-rows.fixture.ts";
import { openSqlite } from "./sqlite.ts";
import { tablesFor } from "./tables.ts";
import { EVERY_ENGINE, MIGRATIONS, preparedPglite, sessionOf, type TestDatabase } from "./testing.ts";
import { fencedTables } from "./write-fence.ts";

const at = new Date(Date.UTC(2026, 0, 1));

/** What happens to a person in every table that leads to people: each column, inserted and changed. */
async function attempts(db: Database, who: CanaryPerson, other: CanaryPerson): Promise<Map<string, unknown>> {
  const results = new Map<string, unknown>();
  const tried = async (name: string, work: Parameters<Database["tx"]>[0]) =>
    results.set(
      name,
      await db.tx(work).then(
        () => "written",
        (error: unknown) => error,
      ),
    );
  for (const table of dataMap(db.t)) {
    const links = linksOf(table, "user").filter(({ tag }) => tag.erase !== "legal");
    for (const link of links) {
      const [theirs] = await rowOf(db, table, link, other);
      if (theirs === undefined) throw new Error(`Nothing was planted in ${table.name}.`);
      const changed = { ...theirs, [link.property]: who.userId };
      await tried(`insert ${table.name}.${link.name}`, async (tx) =>
        tx.insert(table.table).values(await sealedRow(db, tx, table, changed)),
      );
      await tried(`update ${table.name}.${link.name}`, async (tx) => {
        await tx
          .update(table.table)
          .set({ [link.property]: who.userId })
          .where(leadsTo(link, other));
        throw new Error("Taken back.");
      });
    }
  }
  return results;
}

async function rowOf(db: Database, table: MappedTable, link: MappedColumn, who: CanaryPerson) {
  return (await db.read.select().from(table.table).where(leadsTo(link, who))) as Record<string, unknown>[];
}

const refused = (error: unknown) => error instanceof PerchError && error.code === "account_closing";
/** Names of the tables and columns that let a person in. */
const holes = (results: ReadonlyMap<string, unknown>) =>
  [...results].filter(([, outcome]) => !refused(outcome)).map(([name]) => name);

describe.each(EVERY_ENGINE)("the write fence on $name", (engine) => {
  let test: TestDatabase;
  const [anna, ben] = [canaryPerson(), canaryPerson()];
  beforeAll(async () => {
    test = await engine.open();
    for (const who of [anna, ben]) await plant(test.db, dataMap(test.db.t), who, { at });
  });
  afterAll(() => test.dispose());
  const fence = (...ids: string[]) =>
    test.db.tx(async (tx) => {
      await tx.delete(test.db.t.erasureFence);
      if (ids.length > 0)
        await tx.insert(test.db.t.erasureFence).values(ids.map((subject) => ({ subject, since: at })));
    });

  it("keeps a person out of every table, by every column, and everybody else in", async () => {
    await fence(anna.userId, newId("user"));
    const hers = await attempts(test.db, anna, ben);
    expect(hers.size).toBeGreaterThan(60);
    expect(holes(hers)).toEqual([]);
    const his = await attempts(test.db, ben, ben);
    expect(his.size).toBe(hers.size);
    for (const [name, outcome] of his) {
      const passed = isUniqueViolation(outcome) || (outcome instanceof Error && outcome.message === "Taken back.");
      expect([name, passed]).toEqual([name, true]);
    }
  });

  it("lets what is theirs change and go", async () => {
    await fence(anna.userId);
    const { phones, sessions } = test.db.t;
    await test.db.tx(async (tx) => {
      await tx.update(sessions).set({ ip: null, endedAt: at }).where(eq(sessions.userId, anna.userId));
      await tx.update(phones).set({ name: "Renamed by the team" }).where(eq(phones.createdBy, anna.userId));
      await tx.update(phones).set({ createdBy: null }).where(eq(phones.createdBy, anna.userId));
      await tx.delete(sessions).where(eq(sessions.userId, anna.userId));
    });
    expect(await test.db.read.select().from(sessions).where(eq(sessions.userId, anna.userId))).toEqual([]);
  });

  it("says so in words, and undoes the whole transaction", async () => {
    await fence(anna.userId);
    const { statements, topics } = test.db.t;
    const failed = await test.db
      .tx(async (tx) => {
        await tx.insert(topics).values({ topic: "half", seq: 1 });
        const row = { id: newId("statement"), userId: anna.userId, category: "user.name", text: "No.", at };
        await tx.insert(statements).values(await test.db.keys.row(tx, statements, row));
      })
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "account_closing", message: "This account is being deleted." });
    expect(await test.db.read.select().from(topics).where(eq(topics.topic, "half"))).toEqual([]);
  });
});

describe("putting the fence up", () => {
  let folder: string;
  let migrations: string;
  const key = randomBytes(32);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "perch-fence-"));
    migrations = join(folder, "migrations");
    cpSync(MIGRATIONS, migrations, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const addMigration = (engine: "sqlite" | "postgres", statements: string) => {
    const file = join(migrations, engine, "meta/_journal.json");
    const journal = JSON.parse(readFileSync(file, "utf8")) as { entries: Record<string, unknown>[] };
    journal.entries.push({
      ...journal.entries.at(-1),
      idx: journal.entries.length,
      when: Date.now(),
      tag: "9999_later",
    });
    writeFileSync(file, JSON.stringify(journal));
    writeFileSync(join(migrations, engine, "9999_later.sql"), statements);
  };

  it("happens at every opening on SQLite, and a trigger that is gone is noticed and put back", async () => {
    const file = join(folder, "perch.db");
    const open = async () => {
      const db = await openSqlite({ file, key, migrationsFolder: join(migrations, "sqlite") });
      db.keys.unlock(key);
      return db;
    };
    const raw = <T>(work: (db: Sqlite.Database) => T): T => {
      const db = new Sqlite(file);
      db.pragma(`key = "x'${key.toString("hex")}'"`);
      const result = work(db);
      db.close();
      return result;
    };
    const schema = () => raw((db) => db.pragma("schema_version", { simple: true }));
    const [anna, ben] = [canaryPerson(), canaryPerson()];
    const db = await open();
    for (const who of [anna, ben]) await plant(db, dataMap(db.t), who, { at });
    await db.tx((tx) => tx.insert(db.t.erasureFence).values({ subject: anna.userId, since: at }));
    const before = schema();
    await (await open()).close();
    expect(schema()).toBe(before);

    raw((one) => one.exec("drop trigger perch_fence_sessions_insert"));
    expect(holes(await attempts(db, anna, ben))).toEqual(["insert sessions.user_id"]);
    await db.close();
    const whole = await open();
    expect(holes(await attempts(whole, anna, ben))).toEqual([]);
    await whole.close();

    // A table that triggers name can still be rebuilt.
    addMigration(
      "sqlite",
      "ALTER TABLE `erasure_fence` RENAME TO `old`;--> statement-breakpoint\nALTER TABLE `old` RENAME TO `erasure_fence`;",
    );
    const migrated = await open();
    expect(holes(await attempts(migrated, anna, ben))).toEqual([]);
    await migrated.close();
  });

  it("refuses to start on SQLite with a column or table nobody tagged, naming it", async () => {
    const open = () =>
      openSqlite({ file: join(folder, "perch.db"), key, migrationsFolder: join(migrations, "sqlite") });
    addMigration(
      "sqlite",
      "ALTER TABLE `users` ADD `shoe_size` integer;--> statement-breakpoint\nCREATE TABLE `crm` (`note` text);",
    );
    await expect(open()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        /^The database holds (users\.shoe_size, crm\.note|crm\.note, users\.shoe_size), which/,
      ),
    });
  });

  it("does both on PostgreSQL", async () => {
    const client = await preparedPglite();
    const session = sessionOf(client);
    const prepare = () => preparePostgres(session, join(migrations, "postgres"), "perch");
    await client.exec("set search_path to perch");
    const triggers = async () =>
      await session.rows("select oid, tgname from pg_trigger where tgname like 'perch_fence_%' order by tgname");
    const first = await triggers();
    expect(first).toHaveLength(2 * fencedTables(tablesFor.postgres).length);
    await prepare();
    expect(await triggers()).toEqual(first);
    await client.exec("drop trigger perch_fence_sessions_insert on sessions");
    await prepare();
    expect((await triggers()).map(({ tgname }) => tgname)).toEqual(first.map(({ tgname }) => tgname));

    await client.exec("create schema elsewhere; create table elsewhere.anything (note text)");
    await prepare();
    addMigration("postgres", 'ALTER TABLE "users" DROP COLUMN "full_name";');
    await expect(prepare()).rejects.toThrow("The database lacks users.full_name.");
    await client.exec('alter table "users" add column "full_name" text; create table crm (note text)');
    await expect(prepare()).rejects.toThrow(/^The database holds crm\.note, which/);
    await client.exec("drop table crm");
    await prepare();
    await client.close();
  });
});
