import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  generateDrizzleJson,
  generateMigration,
  generateSQLiteDrizzleJson,
  generateSQLiteMigration,
} from "drizzle-kit/api";
import { getTableColumns, getTableName, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { kits, privacyOf, taggedColumns } from "../db/dialect.ts";
import * as postgresSchema from "../db/schema.postgres.ts";
import * as sqliteSchema from "../db/schema.sqlite.ts";
import { tablesFor } from "../db/tables.ts";
import { MIGRATIONS, testSqlite } from "../db/testing.ts";
import { columnNamed, dataMap } from "./map/data-map.ts";
import { FORBIDDEN_USE_PREFIXES, operational, personal } from "./tags.ts";

const tables = Object.values(tablesFor.sqlite);
const tableNamed = (name: string) => {
  const found = Object.entries(tablesFor.sqlite).find(([key]) => key === name);
  if (found === undefined) throw new Error(`There is no table ${name}.`);
  return found[1];
};

describe("the data map", () => {
  it("does not compile without a privacy tag on a column", () => {
    // @ts-expect-error a column maker demands its privacy tag
    const untagged = () => kits.sqlite.text();
    // @ts-expect-error so does a moment
    const untaggedMoment = () => kits.sqlite.instant();
    // @ts-expect-error personal data needs a clause, a use and a retention rule
    const unreasoned = () => personal("user.contact.email", { use: ["essential.service.security"] });
    // @ts-expect-error marketing is not a use this product knows
    const marketing = () => personal("user.contact.email", { use: ["marketing"], clause: "P1.2", retain: "account" });
    expect([untagged, untaggedMoment, unreasoned, marketing]).toHaveLength(4);
  });

  it.each(tables.map((table) => [getTableName(table), table] as const))("knows everything about %s", (_name, table) => {
    const about = privacyOf(table);
    const columns = getTableColumns(table);
    expect(Object.keys(columns)).toContain(about.clock);
    if ("column" in about.subject) {
      const { column, also = [] } = about.subject;
      const mapped = dataMap(tablesFor.sqlite).find((one) => one.table === table);
      if (mapped === undefined) throw new Error("The map leaves a table out.");
      for (const name of [column, ...also]) {
        expect(["user", "email"], `${name} leads to somebody`).toContain(columnNamed(mapped, name).tag.link);
      }
    }
    if ("via" in about.subject) {
      const { via, table: parent, key } = about.subject;
      expect(Object.keys(columns)).toContain(via);
      expect(Object.keys(getTableColumns(tableNamed(parent)))).toContain(key);
    }
    if ("none" in about.subject) expect(about.subject.none.length).toBeGreaterThan(10);
    for (const { tag } of taggedColumns(table)) {
      expect(tag.use.length).toBeGreaterThan(0);
      expect(tag.clause).toMatch(/^P\d\.\d$/);
      if (tag.link === "user") expect(["delete", "null", "reattribute", "legal"]).toContain(tag.erase);
      if (tag.thirdParty === "address") expect(tag.category).toBe("user.contact.email");
      // What a person can take along is found from them.
      if (tag.category !== "system.operations" && tag.export === "self")
        expect(about.subject).not.toHaveProperty("none");
      if (tag.export !== "self") expect(tag.export.never.length).toBeGreaterThan(10);
      for (const use of tag.use) expect(FORBIDDEN_USE_PREFIXES.some((prefix) => use.startsWith(prefix))).toBe(false);
      if (tag.category !== "system.operations") expect(tag.log).toBe("never");
    }
  });

  it("tells the person's own category from the service's", () => {
    expect(operational().erase).toBe("keep_not_personal");
    expect(
      personal("user.name", { use: ["essential.service.operations"], clause: "P1.2", retain: "account" }).erase,
    ).toBe("delete");
  });

  it("has no column in the live database that the map does not know", async () => {
    const { db, dispose } = await testSqlite.open();
    const live = async () => {
      const rows = await db.read
        .select({ name: sql<string>`m.name || '.' || c.name` })
        .from(sql`sqlite_master m join pragma_table_xinfo(m.name) c`)
        .where(sql`m.type = 'table' and m.name not like 'sqlite_%' and m.name <> 'perch_migrations'`);
      return rows.map((row) => row.name).sort();
    };
    const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const known = tables
      .flatMap((table) =>
        Object.keys(getTableColumns(table)).map((column) => `${getTableName(table)}.${snake(column)}`),
      )
      .sort();
    expect(await live()).toEqual(known);
    await dispose();
  });

  it("has migrations that match the schema on both engines", async () => {
    const lastSnapshot = (folder: string) => {
      const journal = JSON.parse(readFileSync(join(MIGRATIONS, folder, "meta/_journal.json"), "utf8")) as {
        entries: { idx: number }[];
      };
      const index = String(journal.entries.at(-1)?.idx ?? 0).padStart(4, "0");
      return JSON.parse(readFileSync(join(MIGRATIONS, folder, `meta/${index}_snapshot.json`), "utf8"));
    };
    const lite = await generateSQLiteDrizzleJson({ ...sqliteSchema }, undefined, "snake_case");
    expect(await generateSQLiteMigration(lastSnapshot("sqlite"), lite)).toEqual([]);
    const pg = generateDrizzleJson({ ...postgresSchema }, undefined, undefined, "snake_case");
    expect(await generateMigration(lastSnapshot("postgres"), pg)).toEqual([]);
  });
});
