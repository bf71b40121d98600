import { randomBytes } from "node:crypto";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { createAudit } from "../../audit/audit.repo.ts";
import { activitySweep } from "../../audit/pruning.repo.ts";
import { ManualClock } from "../../clock.ts";
import { columnPrivacy, kits } from "../../db/dialect.ts";
import { migrateSqlite } from "../../db/migrate.ts";
import { tablesFor } from "../../db/tables.ts";
import { MIGRATIONS, TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { createLog } from "../../log.ts";
import { columnNamed, dataMap, type MappedTable, tableNamed } from "../map/data-map.ts";
import { operational } from "../tags.ts";
import { anyRow, insertRow, type Row } from "../testing/any-row.ts";
import { daysOf, GO_WITH, NAMED_RULES, retentionPlan } from "./plan.ts";
import { createRetention, type Retention } from "./retention.service.ts";

const DAY_MS = 24 * 3_600_000;
const map = dataMap(tablesFor.sqlite);
const withDays = map.filter(({ columns }) => columns.some(({ tag }) => daysOf(tag.retain) !== undefined));
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

describe("the plan of retention", () => {
  it("knows what to do with every table that has days", () => {
    const planned = new Set(retentionPlan().sweeps.map(({ table }) => table));
    const lost = withDays.filter(
      ({ property }) => !planned.has(property) && !(property in NAMED_RULES) && !(property in GO_WITH),
    );
    expect(lost.map(({ property }) => property)).toEqual([]);
    expect(withDays.length).toBeGreaterThan(25);
  });

  it("has no rule for a table without days, which would be a mistake nobody notices", () => {
    const names = new Set<string>(withDays.map(({ property }) => property));
    expect([...Object.keys(NAMED_RULES), ...Object.keys(GO_WITH)].filter((name) => !names.has(name))).toEqual([]);
  });

  it("stops when a column has to go before its row and cannot", () => {
    const table = kits.sqlite.table(
      "notes",
      { owner: "user", subject: { none: "A table of this test." }, clock: "at" },
      {
        id: kits.sqlite.text(operational("quarter")).primaryKey(),
        text: kits.sqlite.text(operational("week")).notNull(),
        at: kits.sqlite.instant(operational("quarter")).notNull(),
      },
    );
    const columns = Object.entries({ id: table.id, text: table.text, at: table.at }).map(([property, column]) => ({
      property,
      name: property,
      column: column as MappedTable["columns"][number]["column"],
      tag: columnPrivacy(column),
    }));
    const notes = {
      property: "statements",
      name: "notes",
      table,
      about: { owner: "user", subject: { none: "" }, clock: "at" },
      columns,
    } as const;
    expect(() => retentionPlan([notes])).toThrow("notes.text has to go before its row does");
  });

  it("finds what is due by an index, each time", () => {
    const db = new Sqlite(":memory:");
    migrateSqlite(db, join(MIGRATIONS, "sqlite"));
    for (const { table, clock, key, forget } of retentionPlan().sweeps) {
      const { name } = tableNamed(map, table);
      const columns = key.map((one) => `"${snake(one)}"`).join(", ");
      const also =
        forget.length === 0 ? "" : `and (${forget.map((one) => `"${snake(one)}" is not null`).join(" or ")})`;
      const due = `select ${columns} from "${name}" where "${snake(clock)}" < 1 ${also} order by "${snake(clock)}" limit 500`;
      const steps = db.prepare(`explain query plan delete from "${name}" where (${columns}) in (${due})`).all() as {
        detail: string;
      }[];
      const words = steps.map(({ detail }) => detail).join("; ");
      expect(words, name).toMatch(new RegExp(`SEARCH ${name} USING (COVERING )?INDEX \\w+ \\(${snake(clock)}<\\?\\)`));
      expect(words, name).not.toMatch(/SCAN|TEMP B-TREE FOR ORDER/);
    }
    db.close();
  });
});

describe.each(TEST_ENGINES)("no row outlives its rule on $name", (engine) => {
  let test: TestDatabase;
  let clock: ManualClock;
  let retention: Retention;
  const key = randomBytes(32);
  const kept = new Map<string, Row>();
  const owner = newId("user");
  const here = () => new Map(dataMap(test.db.t).map((table) => [table.property, table]));

  beforeAll(async () => {
    test = await engine.open();
    clock = new ManualClock(Date.UTC(2026, 5, 1));
    const log = createLog({ clock, write() {} });
    const own = [activitySweep(test.db, key, "local")];
    retention = createRetention({ db: test.db, clock, log, own, batch: 7 });
  });
  afterAll(() => test.dispose());

  /** What a row has to look like so that nothing but its age keeps it. */
  const over: Readonly<Record<string, Row>> = {
    runs: { state: "passed" },
    decisions: { state: "in_force" },
    dataExports: { state: "expired" },
    jobs: { state: "done" },
    recordings: { state: "paused" },
    erasures: { state: "done" },
  };

  /** Inserts a row whose clock says `at`, and what it points to: with days, as old; without, one for all. */
  async function plant(name: string, at: number): Promise<Row> {
    const table = here().get(name as MappedTable["property"]);
    if (table === undefined) throw new Error(`no table ${name}`);
    const lite = tableNamed(map, name);
    const given: Record<string, unknown> = { ...over[name] };
    for (const { column, property } of lite.columns) {
      if (column.dataType === "date") given[property] = new Date(at);
    }
    if (columnNamed(lite, lite.about.clock).column.dataType === "number") given[lite.about.clock] = at;
    for (const reference of getTableConfig(lite.table).foreignKeys) {
      const { columns, foreignTable, foreignColumns } = reference.reference();
      const parent = map.find((one) => one.table === foreignTable);
      const [from] = columns;
      const [to] = foreignColumns;
      if (parent === undefined || from === undefined || to === undefined) continue;
      const property = lite.columns.find((one) => one.column.name === from.name)?.property ?? "";
      const there = parent.columns.find((one) => one.column.name === to.name)?.property ?? "";
      const hasDays = withDays.some((one) => one.property === parent.property);
      const row = hasDays
        ? await plant(parent.property, at)
        : (kept.get(parent.property) ?? (await plant(parent.property, at)));
      if (!hasDays) kept.set(parent.property, row);
      given[property] = row[there];
    }
    if (name === "users") given["id"] = owner;
    const row = anyRow(table, given);
    await test.db.tx((tx) => insertRow(test.db, tx, table, row, owner));
    return row;
  }

  /** For tokens: their own rule. */
  const clocksOf = (table: MappedTable): string[] =>
    table.property === "apiTokens" ? ["revokedAt", "expiresAt"] : [table.about.clock];
  const isGone = (value: unknown) => value === null || value === "" || JSON.stringify(value) === "{}";

  async function outlived(): Promise<string[]> {
    const found: string[] = [];
    for (const table of here().values()) {
      const days = table.columns.flatMap(({ property, tag }) => {
        const most = daysOf(tag.retain);
        return most === undefined ? [] : [{ property, most }];
      });
      if (days.length === 0 || GO_WITH[table.property] !== undefined) continue;
      for (const row of (await test.db.read.select().from(table.table)) as Row[]) {
        for (const name of clocksOf(table)) {
          const at = row[name];
          if (at === null || at === undefined) continue;
          const age = clock.now() - (at instanceof Date ? at.getTime() : Number(at));
          for (const { property, most } of days) {
            if (age > most * DAY_MS && !isGone(row[property]))
              found.push(`${table.name}.${property}, ${age / DAY_MS} days`);
          }
        }
      }
    }
    return found;
  }

  it("after any sweep, whatever age rows have and however long nothing was swept", async () => {
    const audit = createAudit(test.db, clock, key);
    const names = withDays.map(({ property }) => property).filter((name) => name !== "auditLog");
    const planting = fc.record({ table: fc.constantFrom(...names), hours: fc.integer({ min: 0, max: 24 * 120 }) });
    const step = fc.integer({ min: 1, max: 24 * 800 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(planting, { minLength: 5, maxLength: 12 }),
        fc.array(step, { maxLength: 2 }),
        async (rows, steps) => {
          for (const { table, hours } of rows) await plant(table, clock.now() - hours * 3_600_000);
          for (const [index] of rows.entries()) {
            clock.advance(3_600_000);
            await test.db.tx((tx) =>
              audit.record(tx, { chain: `team${index % 3}`, actor: "a", action: "phone.parked" }),
            );
          }
          for (const hours of [0, ...steps]) {
            clock.advance(hours * 3_600_000);
            await retention.sweep();
            expect(await outlived()).toEqual([]);
          }
        },
      ),
      { numRuns: engine.name === "SQLite" ? 20 : 6 },
    );
  });

  it.each(withDays.map(({ property }) => property).filter((name) => name !== "auditLog"))(
    "%s: stays to the last moment, goes with the next",
    async (name) => {
      const table = tableNamed(map, name);
      const whole = here().get(name as MappedTable["property"]);
      if (whole === undefined) throw new Error(`no table ${name}`);
      clock.advance(3000 * DAY_MS);
      await retention.sweep();
      const count = () => test.db.read.$count(whole.table);
      const before = await count();
      const parent = GO_WITH[table.property];
      const rule = parent === undefined ? table : tableNamed(map, parent);
      const days = Math.max(...rule.columns.map(({ tag }) => daysOf(tag.retain) ?? 0));
      const end = ["expiresAt", "legalUntil", "theoreticalArrivalAt"].includes(rule.about.clock) ? 0 : days * DAY_MS;
      await plant(name, clock.now());
      clock.advance(end - 1);
      await retention.sweep();
      expect(await count()).toBeGreaterThan(before);
      clock.advance(2);
      await retention.sweep();
      expect(await count()).toBe(before);
    },
  );
});
