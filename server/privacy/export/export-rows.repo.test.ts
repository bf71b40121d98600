import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId, type RunId, type TeamId, type UserId } from "../../../shared/ids.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { dataMap, type MappedTable, tableNamed } from "../map/data-map.ts";
import { createRowPages, type Row, type RowPages } from "./export-rows.repo.ts";

const AT = new Date(Date.UTC(2026, 0, 1));
/** Events of each run: none, a few, exactly a page, and several pages. */
const EVENTS = [0, 1, 3, 7, 8, 9, 40, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2];

describe.each(TEST_ENGINES)("a person's rows on $name", (engine) => {
  let test: TestDatabase;
  let map: readonly MappedTable[];
  let pages: RowPages;
  const anna = { userId: newId("user"), email: "anna@x.example" };
  const ben = { userId: newId("user"), email: "ben@x.example" };
  beforeAll(async () => {
    test = await engine.open();
    map = dataMap(test.db.t);
    pages = createRowPages(test.db, map);
    for (const { userId, email } of [anna, ben]) await fill(userId, email);
  });
  afterAll(() => test.dispose());

  async function fill(userId: UserId, email: string) {
    const { teams, runs, runEvents, auditLog } = test.db.t;
    const teamId: TeamId = newId("team");
    await test.db.tx(async (tx) => {
      await addUser(test.db, tx, { id: userId, email, createdAt: AT });
      await tx.insert(teams).values({ id: teamId, name: "Team", createdAt: AT });
      for (const [turn, events] of EVENTS.entries()) {
        const id: RunId = newId("run");
        await tx.insert(runs).values({
          ...{
            id,
            teamId,
            createdBy: userId,
            name: "Run",
            source: "",
            inputs: {},
            phoneId: newId("phone"),
            state: "passed",
          },
          ...{
            trigger: "person",
            idempotencyKey: id,
            requestHash: "h",
            turn,
            fence: 0,
            starts: 1,
            eventSeq: events,
            createdAt: AT,
          },
        });
        for (let seq = 1; seq <= events; seq += 1) {
          await tx.insert(runEvents).values({ runId: id, seq, data: { type: "log" } as never, at: AT });
        }
      }
      // Done by the person, to the person, and both.
      const other = newId("user");
      for (let seq = 1; seq <= 30; seq += 1) {
        const [actor, object] =
          [
            [userId, other],
            [other, userId],
            [userId, userId],
          ][seq % 3] ?? [];
        await tx.insert(auditLog).values({
          ...{ chain: userId, seq, at: AT, actor, object, action: "account.created" },
          ...{ commitment: "c", prev: "p", hash: "h" },
        });
      }
    });
  }

  const all = async (property: MappedTable["property"], columns: readonly string[], pageRows = 8): Promise<Row[]> => {
    const found: Row[] = [];
    for await (const rows of pages.pages(anna, tableNamed(map, property), columns, () => pageRows)) {
      expect(rows.length).toBeLessThanOrEqual(pageRows);
      found.push(...rows);
    }
    return found;
  };

  it.each([1, 2, 8, 1_000])("come once each, %i at most a page, whatever lies beside them", async (pageRows) => {
    const runs = await all("runs", ["id"], pageRows);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(EVENTS.length);
    expect(runs).toHaveLength(EVENTS.length);
    const events = await all("runEvents", ["seq"], pageRows);
    const keys = events.map(({ runId, seq }) => `${runId} ${seq}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toHaveLength(EVENTS.reduce((sum, count) => sum + count, 0));
    const mine = new Set(runs.map(({ id }) => id));
    expect(events.every(({ runId }) => mine.has(runId))).toBe(true);
  });

  it("are counted as many as come, also where several columns lead to the person", async () => {
    for (const property of ["runs", "runEvents", "auditLog", "users", "sessions"] as const) {
      const rows = await all(property, []);
      expect([property, await pages.count(anna, tableNamed(map, property))]).toEqual([property, rows.length]);
    }
    expect((await all("auditLog", ["chain"])).map(({ seq }) => seq).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 30 }, (_, place) => place + 1),
    );
  });
});
