import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  generateDrizzleJson,
  generateMigration,
  generateSQLiteDrizzleJson,
  generateSQLiteMigration,
} from "drizzle-kit/api";
import { getTableColumns, getTableName } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import { kits, privacyOf, taggedColumns } from "../db/dialect.ts";
import * as postgresSchema from "../db/schema.postgres.ts";
import * as sqliteSchema from "../db/schema.sqlite.ts";
import { tablesFor } from "../db/tables.ts";
import { MIGRATIONS } from "../db/testing.ts";
import { columnNamed, dataMap } from "./map/data-map.ts";
import { FORBIDDEN_USE_PREFIXES, operational, personal, RETENTION, type Retention } from "./tags.ts";

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

  it("finds people and teams by index, in tables whose rows live longer than days", () => {
    const isLong = (rule: Retention) => {
      const kept: { readonly words: string; readonly days?: number } = RETENTION[rule];
      return kept.days === undefined || kept.days > 2;
    };
    const missing = dataMap(tablesFor.sqlite).flatMap(({ name, table, columns }) => {
      const { indexes, primaryKeys } = getTableConfig(table);
      const first = [
        ...indexes.flatMap(({ config }) => (config.where === undefined ? config.columns.slice(0, 1) : [])),
        ...primaryKeys.flatMap((key) => key.columns.slice(0, 1)),
        ...columns.flatMap(({ column }) => (column.primary ? [column] : [])),
      ];
      return columns.flatMap(({ property, column, tag }) => {
        const isFound = first.some((one) => one === column);
        const leads = tag.link === "user" || tag.link === "team";
        return leads && isLong(tag.retain) && !isFound ? [`${name}.${property}`] : [];
      });
    });
    expect(missing).toEqual([]);
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
