import { globSync, readFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { POLICY } from "../../../shared/policy/policy-v1.ts";
import { tablesFor } from "../../db/tables.ts";
import { testSqlite } from "../../db/testing.ts";
import { processorsOf } from "../processors/processors.ts";
import { CATEGORIES, FORBIDDEN_USE_PREFIXES, RETENTION, USES } from "../tags.ts";
import { chromeAnswers, dataCollection } from "./browser-declarations.ts";
import { dataMap } from "./data-map.ts";
import { EXTENSION_FLOWS, EXTENSION_STORES } from "./extension-stores.ts";
import { holdings, informationSheet, recordsOfProcessing } from "./records.ts";
import { STORES, type Store } from "./stores.ts";

const stores: readonly (readonly [string, Store])[] = Object.entries(STORES);
const clauses = new Set(POLICY.clauses.map(({ id }) => id));

describe("stores beside the tables", () => {
  it.each(stores)("says everything about %s", (_id, store) => {
    for (const words of [store.name, store.subject, store.erase, store.export, store.readBy, store.encrypted]) {
      expect(words.length).toBeGreaterThan(6);
    }
    expect(clauses).toContain(store.clause);
    expect(store.use.length).toBeGreaterThan(0);
    if (store.people.length === 0) expect(store.holds).toEqual(["system.operations"]);
    if (store.kind === "log") expect(store.holds).toEqual(["system.operations"]);
  });

  it("keep nothing for a forbidden use, whatever they are", () => {
    const used = holdings().flatMap(({ uses }) => uses);
    for (const use of used) expect(FORBIDDEN_USE_PREFIXES.some((prefix) => use.startsWith(prefix))).toBe(false);
    const allowed = Object.keys(USES);
    for (const use of EXTENSION_FLOWS.map((flow) => flow.use)) expect(allowed).toContain(use);
  });

  it("has SQLite sort in memory, where the cipher does not reach files", async () => {
    const { db, dispose } = await testSqlite.open();
    const inMemory = 2;
    const setting = () => db.read.select({ store: sql<number>`temp_store` }).from(sql`pragma_temp_store`);
    expect(await setting()).toEqual([{ store: inMemory }]);
    await dispose();
  });
});

/** Every place the extension's code stores something, as `area key`; keys made at run time end in `*`. */
function storedByCode(): string[] {
  const found: string[] = [];
  const calls: string[] = [];
  for (const file of globSync("extension/**/*.{ts,tsx}")) {
    if (/\.test\.tsx?$|\/testing\/|__tests__/.test(file)) continue;
    const text = readFileSync(file, "utf8");
    const keyed = (literal: string) => literal.replace(/\$\{.*$/, "*");
    if (!file.endsWith("state/stored.ts")) {
      calls.push(...(text.match(/\bstored(<[^(]+>)?\(/g) ?? []));
      for (const [, area = "", keys = ""] of text.matchAll(/area: "(\w+)",\s*key: ([^\n]+),\n/g)) {
        for (const [, key = ""] of keys.matchAll(/["`]([^"`]+)["`]/g)) found.push(`${area} ${keyed(key)}`);
      }
      for (const [, area = ""] of text.matchAll(/writeItem\("(\w+)", KEY/g)) {
        found.push(`${area} ${/const KEY = "([^"]+)"/.exec(text)?.[1]}`);
      }
      for (const [, area = "", constant = ""] of text.matchAll(/browser\.storage\.(\w+)\.set\(\{ \[(\w+)/g)) {
        found.push(`${area} ${new RegExp(`const ${constant} = "([^"]+)"`).exec(text)?.[1]}*`);
      }
    }
    for (const [, database, store] of text.matchAll(/indexedStore\(\{ database: "([^"]+)", store: "([^"]+)"/g)) {
      found.push(`indexedDb ${database}/${store}`);
    }
    const own = /const DATABASE = "([^"]+)";\s*const STORE = "([^"]+)"/.exec(text);
    if (own !== null) found.push(`indexedDb ${own[1]}/${own[2]}`);
    const opened = text.match(/indexedDB\.open\(/g)?.length ?? 0;
    if (opened > 0 && own === null) expect(file).toBe("extension/state/indexed-db.ts");
    expect([file, /localStorage|sessionStorage|\bcaches\.open|document\.cookie/.test(text)]).toEqual([file, false]);
  }
  expect(calls.length).toBeGreaterThan(4);
  return [...new Set(found)].sort();
}

describe("what the extension keeps and sends", () => {
  it("is listed, all of it and nothing else", () => {
    const listed = EXTENSION_STORES.map(({ area, key }) => `${area} ${key}`);
    const covers = (one: string) =>
      listed.some((entry) => entry === one || (entry.endsWith("*") && one.startsWith(entry.slice(0, -1))));
    const stored = storedByCode();
    expect(stored.filter((one) => !covers(one))).toEqual([]);
    const isUsed = (entry: string) => stored.some((one) => one === entry || one.startsWith(entry.replace(/\*$/, "")));
    expect(listed.filter((entry) => !isUsed(entry))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
    for (const { clause } of EXTENSION_STORES) expect(clauses).toContain(clause);
  });

  it("may not be everything: addresses of devices and the like never leave through the extension", () => {
    const sending = [
      { sends: "All of it", data: ["user.device.ip_address"], when: "always", use: "essential.service.operations" },
    ] as const;
    expect(() => dataCollection(sending)).toThrow("The extension may not send user.device.ip_address.");
    expect(() => chromeAnswers(sending)).toThrow("may not send");
  });
});

describe("records of processing", () => {
  const processors = processorsOf({
    SMTP_URL: "smtps://u:p@mail.example",
    DATABASE_URL: "postgres://u:p@db.example/p",
  });

  it("name every use, category, clause and rule of the data map", () => {
    const { activities } = recordsOfProcessing(processors);
    const personal = dataMap(tablesFor.sqlite).flatMap(({ columns }) =>
      columns.flatMap(({ tag }) => (tag.category === "system.operations" ? [] : [tag])),
    );
    for (const { category, holds = [], use, clause, retain } of personal) {
      for (const one of use) {
        const activity = activities.find((found) => found.use === one);
        expect(activity?.clauses).toContain(clause);
        const entry = activity?.categories.find((found) => found.category === category);
        expect(entry?.leaves).toContain(RETENTION[retain].words);
        const named = activity?.categories.map((found) => found.category);
        for (const held of holds) expect(named).toContain(held);
      }
    }
    expect(new Set(activities.map(({ use }) => use)).size).toBe(activities.length);
  });

  it("name recipients only once they are configured, and mail's for mail alone", () => {
    const recipients = (use: string, of: typeof processors) =>
      recordsOfProcessing(of).activities.find((activity) => activity.use === use)?.recipients;
    expect(recipients("essential.service.notifications.email", processors)).toEqual([
      "PostgreSQL at db.example",
      "Mail server mail.example",
    ]);
    expect(recipients("essential.service.authentication", processors)).toEqual(["PostgreSQL at db.example"]);
    expect(recipients("essential.service.notifications.email", [])).toEqual([]);
    expect(JSON.stringify([recordsOfProcessing(processors), informationSheet(processors)])).not.toContain("u:p");
  });

  it("give a sheet with everything Art. 15(1) asks for", () => {
    const sheet = informationSheet(processors);
    const held = holdings().flatMap(({ categories }) => categories);
    expect(sheet.categories.map(({ category }) => category).sort()).toEqual(
      [...new Set(held)].filter((category) => category !== "system.operations").sort(),
    );
    for (const { label, leaves } of sheet.categories) {
      expect(Object.values(CATEGORIES)).toContain(label);
      expect(leaves.length).toBeGreaterThan(0);
    }
    expect(sheet.rights).toHaveLength(5);
    expect(sheet.recipients.map(({ retentionDays }) => retentionDays)).toEqual([14, 14]);
  });
});
