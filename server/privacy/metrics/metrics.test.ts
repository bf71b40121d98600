import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId, type UserId } from "../../../shared/ids.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { createAudit } from "../../audit/audit.repo.ts";
import { ManualClock } from "../../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { type Contribution, cubesOf, FEWEST_PEOPLE, METRICS } from "./cubes.ts";
import { metricsSweep, publishedMetrics } from "./metrics.repo.ts";

const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;

describe("anonymised numbers", () => {
  const contribution = fc.record({
    metric: fc.constantFrom(...METRICS),
    driver: fc.constantFrom("web", "partner"),
    plan: fc.constant("free"),
    person: fc.integer({ min: 0, max: 14 }).map((n) => `person ${n}`),
    amount: fc.integer({ min: 1, max: 5000 }),
  });
  const peopleOf = (all: readonly Contribution[], cell: { metric: string; driver: string }) =>
    new Set(
      all.filter(({ metric, driver }) => metric === cell.metric && driver === cell.driver).map(({ person }) => person),
    );

  it("make no cell of fewer than ten people, and one of ten", () => {
    fc.assert(
      fc.property(fc.array(contribution, { maxLength: 300 }), (all) => {
        const cells = cubesOf(all);
        for (const cell of cells) expect(peopleOf(all, cell).size).toBeGreaterThanOrEqual(FEWEST_PEOPLE);
        for (const metric of METRICS) {
          for (const driver of ["web", "partner"]) {
            const isThere = cells.some((cell) => cell.metric === metric && cell.driver === driver);
            expect(isThere).toBe(peopleOf(all, { metric, driver }).size >= FEWEST_PEOPLE);
          }
        }
      }),
    );
  });

  it("tell little of one person: without them a cell is hardly smaller, or is not there", () => {
    fc.assert(
      fc.property(fc.array(contribution, { maxLength: 300 }), (all) => {
        const without = cubesOf(all.filter(({ person }) => person !== "person 0"));
        for (const cell of cubesOf(all)) {
          const other = without.find(({ metric, driver }) => metric === cell.metric && driver === cell.driver);
          if (other === undefined) expect(peopleOf(all, cell).size).toBe(FEWEST_PEOPLE);
          else if (cell.metric === "people_launching") expect(cell.value - other.value).toBeLessThanOrEqual(1);
          else expect(cell.value - other.value).toBeLessThanOrEqual(24 * 60);
        }
      }),
    );
  });
});

describe.each(TEST_ENGINES)("numbers of a day on $name", (engine) => {
  let test: TestDatabase;
  const clock = new ManualClock(Date.UTC(2026, 2, 10, 12));
  const people: UserId[] = [];
  const teamId = newId("team");
  beforeAll(async () => {
    test = await engine.open();
    const { db } = test;
    const at = new Date(clock.now());
    await db.tx(async (tx) => {
      await tx.insert(db.t.teams).values({ id: teamId, name: "Team", createdAt: at });
      for (let n = 0; n < 11; n += 1) {
        const id = newId("user");
        people.push(id);
        await addUser(db, tx, { id, email: `${n}@x.example`, createdAt: at });
      }
    });
  });
  afterAll(() => test.dispose());

  /** Each of them launches a phone that runs for an hour, with a run that passes. */
  async function usedBy(who: readonly UserId[]): Promise<void> {
    const { db } = test;
    const audit = createAudit(db, clock, randomBytes(32));
    for (const userId of who) {
      const phoneId = newId("phone");
      const at = new Date(clock.now());
      const note = (action: "phone.launched" | "phone.started" | "phone.parked") =>
        db.tx((tx) => audit.record(tx, { chain: `${teamId}/${phoneId}`, actor: userId, action, object: phoneId }));
      await db.tx(async (tx) => {
        await tx.insert(db.t.phones).values({
          ...{ id: phoneId, teamId, createdBy: userId, name: "P", driver: "web", profile: "tall", settings: {} },
          ...{ rotated: false, state: "parked", createdAt: at },
        } as typeof db.t.phones.$inferInsert);
        await tx.insert(db.t.runs).values({
          ...{ id: newId("run"), teamId, createdBy: userId, name: "R", source: "x", state: "passed", inputs: {} },
          ...{ phoneId, trigger: "person", idempotencyKey: phoneId, requestHash: "h", turn: 1, fence: 1, starts: 1 },
          ...{ eventSeq: 0, createdAt: at, finishedAt: at },
        });
      });
      await note("phone.launched");
      await note("phone.started");
      clock.advance(HOUR_MS / 4);
      await note("phone.parked");
      clock.advance(-HOUR_MS / 4);
    }
  }
  const sweep = () => metricsSweep(test.db).batch(clock.now(), 500);
  const of = async (day: string) =>
    Object.fromEntries(
      (await publishedMetrics(test.db, day))
        .filter((cell) => cell.day === day)
        .map(({ metric, value }) => [metric, value]),
    );

  it("nine people leave no trace, ten are a number, and a day that was added up stays as it is", async () => {
    await usedBy(people.slice(0, 9));
    clock.advance(DAY_MS);
    await usedBy(people.slice(0, 10));
    await sweep();
    expect(await of("2026-03-10")).toEqual({});
    // The day is not over.
    expect(await of("2026-03-11")).toEqual({});
    clock.advance(DAY_MS);
    await sweep();
    const ten = { people_launching: 10, phone_minutes: 150, phones_launched: 10, runs_passed: 10 };
    expect(await of("2026-03-11")).toEqual(ten);

    // Nobody who leaves or comes later changes it.
    const [first] = people;
    if (first === undefined) throw new Error("nobody");
    const { privacyPreferences, metricCells } = test.db.t;
    const left = new Date(clock.now());
    await test.db.tx((tx) =>
      tx.insert(privacyPreferences).values({ userId: first, leftMetricsAt: left, changedAt: left }),
    );
    clock.advance(-2 * DAY_MS);
    await usedBy(people.slice(9));
    clock.advance(2 * DAY_MS);
    await sweep();
    expect(await of("2026-03-10")).toEqual({});
    expect(await of("2026-03-11")).toEqual(ten);

    // Who left is not counted any more: ten of eleven, then nine of ten.
    await usedBy(people);
    clock.advance(DAY_MS);
    await sweep();
    expect(await of("2026-03-12")).toEqual(ten);
    await usedBy(people.slice(0, 10));
    clock.advance(DAY_MS);
    await sweep();
    expect(await of("2026-03-13")).toEqual({});
    const stored = await test.db.read.select().from(metricCells);
    expect(JSON.stringify(stored)).not.toMatch(/usr_|ph_|team_/);
  });
});
