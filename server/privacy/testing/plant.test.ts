import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { dataMap, linksOf, type MappedTable } from "../map/data-map.ts";
import { rowsOf } from "../map/rows-of.repo.ts";
import { canaryPerson, type Planted, plant } from "./plant.repo.ts";

describe.each(TEST_ENGINES)("markers on $name", (engine) => {
  let test: TestDatabase;
  let map: readonly MappedTable[];
  const anna = canaryPerson();
  const ben = canaryPerson();
  let hers: readonly Planted[];
  let his: readonly Planted[];
  beforeAll(async () => {
    test = await engine.open();
    map = dataMap(test.db.t);
    const at = new Date(Date.UTC(2026, 0, 1));
    hers = await plant(test.db, map, anna, { at });
    his = await plant(test.db, map, ben, { at });
  });
  afterAll(() => test.dispose());

  it("stand in every table that leads to a person, in every column or with the reason why not", () => {
    for (const table of map) {
      const leads = !("none" in table.about.subject) || linksOf(table, "user", "email", "team").length > 0;
      if (!leads) continue;
      for (const { property } of table.columns) {
        const found = hers.filter((one) => one.table === table.property && one.column === property);
        expect([table.name, property, found.length]).toEqual([table.name, property, 1]);
        if (found[0]?.value === null) expect(found[0].skipped).toBeDefined();
      }
    }
  });

  it("are each person's own", () => {
    const tokens = [...hers, ...his].flatMap(({ token, tag }) =>
      token === undefined || tag.link !== undefined || tag.category === "user.contact.email" ? [] : [token],
    );
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens.length).toBeGreaterThan(200);
  });

  it("make rows that the data map gives to the person, one a table", async () => {
    for (const table of map) {
      const mine = rowsOf(test.db.read, map, table, anna);
      if (mine === undefined) continue;
      const rows = await test.db.read.select().from(table.table).where(mine);
      expect([table.name, rows.length]).toEqual([table.name, 1]);
      // What is looked up by a fingerprint is written as the address, and stored as that.
      for (const { column, value } of hers.filter(
        ({ table: at, tag }) => at === table.property && tag.link !== "email",
      )) {
        const stored = (rows[0] as Record<string, unknown>)[column];
        expect([table.name, column, stored instanceof Uint8Array ? Buffer.from(stored) : stored]).toEqual([
          table.name,
          column,
          value,
        ]);
      }
    }
  });
});
