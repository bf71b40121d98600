import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { migratePostgres, migrateSqlite } from "./migrate.ts";

const FIRST = `CREATE TABLE parents (id integer primary key, name text);
--> statement-breakpoint
CREATE TABLE children (id integer primary key, parent_id integer not null references parents(id) on delete cascade);`;
const ROWS = "insert into parents values (1, 'a'), (2, 'b'); insert into children values (10, 1), (11, 1), (12, 2);";
/** As drizzle-kit writes it when a column changes. */
const REBUILD = `PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE \`__new_parents\` (\`id\` integer primary key, \`name\` text not null);--> statement-breakpoint
INSERT INTO \`__new_parents\`("id", "name") SELECT "id", "name" FROM \`parents\`;--> statement-breakpoint
DROP TABLE \`parents\`;--> statement-breakpoint
ALTER TABLE \`__new_parents\` RENAME TO \`parents\`;--> statement-breakpoint
PRAGMA foreign_keys=ON;`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "perch-migrations-"));
  mkdirSync(join(folder, "meta"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a folder as drizzle-kit does. */
function write(dialect: string, ...migrations: string[]): void {
  const entries = migrations.map((text, idx) => {
    writeFileSync(join(folder, `000${idx}_m.sql`), text);
    return { idx, version: "6", when: 1_700_000_000_000 + idx, tag: `000${idx}_m`, breakpoints: true };
  });
  writeFileSync(join(folder, "meta/_journal.json"), JSON.stringify({ version: "7", dialect, entries }));
}

describe("migrations on SQLite", () => {
  let db: Sqlite.Database;
  beforeEach(() => {
    db = new Sqlite(":memory:");
    db.pragma("foreign_keys = ON");
  });
  afterEach(() => db.close());
  const tables = () =>
    db
      .prepare<[], { name: string }>("select name from sqlite_master where type = 'table' order by name")
      .all()
      .map(({ name }) => name);

  it("applies what is missing, once", () => {
    write("sqlite", FIRST);
    expect(migrateSqlite(db, folder)).toBe(1);
    expect(migrateSqlite(db, folder)).toBe(0);
    expect(tables()).toEqual(["children", "parents", "perch_migrations"]);
  });

  it("keeps child rows when a table is rebuilt, and references stay checked afterwards", () => {
    write("sqlite", FIRST);
    migrateSqlite(db, folder);
    db.exec(ROWS);
    write("sqlite", FIRST, REBUILD);
    expect(migrateSqlite(db, folder)).toBe(1);
    expect(db.prepare("select count(*) as n from children").get()).toEqual({ n: 3 });
    expect(db.prepare("select count(*) as n from parents").get()).toEqual({ n: 2 });
    expect(() => db.exec("insert into children values (99, 99)")).toThrow(/FOREIGN KEY/);
    db.exec("delete from parents where id = 1");
    expect(db.prepare("select id from children").all()).toEqual([{ id: 12 }]);
  });

  it("leaves nothing of a migration that fails in the middle", () => {
    write("sqlite", FIRST);
    migrateSqlite(db, folder);
    db.exec(ROWS);
    write(
      "sqlite",
      FIRST,
      `${REBUILD}\n--> statement-breakpoint\nCREATE TABLE extra (x);\n--> statement-breakpoint\nnot sql;`,
    );
    expect(() => migrateSqlite(db, folder)).toThrow(/syntax error/);
    expect(tables()).toEqual(["children", "parents", "perch_migrations"]);
    expect(db.prepare("select count(*) as n from children").get()).toEqual({ n: 3 });
    expect(db.pragma("foreign_keys", { simple: true })).toBe(1);
    write("sqlite", FIRST, REBUILD);
    expect(migrateSqlite(db, folder)).toBe(1);
  });

  it("refuses a migration that breaks references", () => {
    write("sqlite", FIRST);
    migrateSqlite(db, folder);
    db.exec(ROWS);
    write("sqlite", FIRST, "DELETE FROM parents WHERE id = 2;");
    expect(() => migrateSqlite(db, folder)).toThrow(/broke references/);
    expect(db.prepare("select count(*) as n from parents").get()).toEqual({ n: 2 });
  });

  it("refuses an edited migration and a database of a newer version", () => {
    write("sqlite", FIRST, "CREATE TABLE extra (x);");
    migrateSqlite(db, folder);
    write("sqlite", FIRST.replace("name text", "name blob"), "CREATE TABLE extra (x);");
    expect(() => migrateSqlite(db, folder)).toThrow(/Migration 0 .* is not the one/);
    write("sqlite", FIRST);
    expect(() => migrateSqlite(db, folder)).toThrow(/newer version/);
    expect(tables()).toContain("extra");
  });
});

describe("migrations on PostgreSQL", () => {
  it("applies once, refuses edits and newer databases, and leaves nothing of a failure", async () => {
    const client = new PGlite();
    const session = {
      run: async (text: string) => void (await client.exec(text)),
      rows: async (text: string) => (await client.query<Record<string, unknown>>(text)).rows,
    };
    const tables = async () =>
      (await session.rows("select tablename from pg_tables where schemaname = 'public' order by 1")).map(
        (row) => row["tablename"],
      );
    write("postgresql", FIRST);
    expect(await migratePostgres(session, folder)).toBe(1);
    expect(await migratePostgres(session, folder)).toBe(0);
    write("postgresql", FIRST, "CREATE TABLE extra (x int);\n--> statement-breakpoint\nnot sql;");
    await expect(migratePostgres(session, folder)).rejects.toThrow(/syntax error/);
    expect(await tables()).toEqual(["children", "parents", "perch_migrations"]);
    write("postgresql", FIRST, "CREATE TABLE extra (x int);");
    expect(await migratePostgres(session, folder)).toBe(1);
    write("postgresql", FIRST);
    await expect(migratePostgres(session, folder)).rejects.toThrow(/newer version/);
    write("postgresql", FIRST.replace("name text", "name int"), "CREATE TABLE extra (x int);");
    await expect(migratePostgres(session, folder)).rejects.toThrow(/is not the one/);
    await client.close();
  });
});
