import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TeamId } from "../../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import type { JobContext } from "../../jobs/jobs.service.ts";
import { createLog } from "../../log.ts";
import { aPhone, createLedgerWorld, HOUR, type LedgerWorld, MINUTE } from "./ledger.fixture.ts";
import { createVerifyRepo } from "./verify.repo.ts";
import { createLedgerCheck } from "./verify-job.ts";

describe.each(TEST_ENGINES)("the nightly look at the books on $name", (engine) => {
  let test: TestDatabase;
  let world: LedgerWorld;
  let teamId: TeamId;
  const lines: string[] = [];
  beforeAll(async () => {
    test = await engine.open();
    world = createLedgerWorld(test);
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    ({ teamId } = await world.addTeam());
    const at = new Date(world.clock.now());
    await test.db.tx(async (tx) => {
      const account = { teamId, timeZone: "UTC", overageAllowed: false, overageCap: 0, trialAt: at, createdAt: at };
      await tx.insert(test.db.t.billingAccounts).values(account);
      await world.ledger.credit(tx, { teamId, amount: 500, source: "checkout", sourceId: `cs_${teamId}` });
    });
    lines.length = 0;
  });

  /** A phone that ran an hour, is settled and closed. */
  async function ran() {
    const { db } = test;
    const startedAt = world.clock.now();
    const phone = aPhone(startedAt);
    world.clock.advance(HOUR);
    await world.settle(teamId, [phone], startedAt);
    const endedAt = new Date(world.clock.now());
    const row: typeof db.t.usageIntervals.$inferInsert & { endedAt: Date } = {
      ...{ id: phone.intervalId, teamId, phoneId: phone.phoneId, startedAt: new Date(startedAt), lastSeenAt: endedAt },
      ...{ endedAt, ratedAt: endedAt, node: "n", boot: "b" },
      endReason: "parked",
    };
    await db.tx((tx) => tx.insert(db.t.usageIntervals).values(row));
    world.clock.advance(15 * MINUTE);
    return row;
  }
  async function look() {
    const { db } = test;
    const log = createLog({ clock: world.clock, write: (line) => lines.push(line) });
    const check = createLedgerCheck({ db, repo: createVerifyRepo(db), ledger: world.ledger, clock: world.clock });
    const context = { log, finish: (work: Parameters<JobContext["finish"]>[0]) => db.tx(work) };
    await check({}, context as JobContext);
    const { reconcileFindings: found } = db.t;
    return db.read
      .select({ kind: found.kind, objectId: found.objectId, words: found.words, resolvedAt: found.resolvedAt })
      .from(found)
      .where(eq(found.teamId, teamId));
  }
  const pause = async () => {
    // Lets what this test broke leave the time that is looked at.
    world.clock.advance(100 * HOUR);
  };

  it("finds nothing where everything adds up, and says what it counted", async () => {
    await ran();
    await ran();
    expect(await look()).toEqual([]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ message: "The ledger adds up", count: 2 }]);
    await pause();
  });

  it("finds a balance, a day, a time and an overlap that are wrong, once, and sees a balance that was put right", async () => {
    const { db } = test;
    const { grants, paygDays, usageIntervals } = db.t;
    const first = await ran();
    await db.tx(async (tx) => {
      await tx.update(grants).set({ remaining: 1 }).where(eq(grants.teamId, teamId));
      await tx.update(paygDays).set({ ms: 5 }).where(eq(paygDays.teamId, teamId));
      await tx
        .update(usageIntervals)
        .set({ startedAt: new Date(first.startedAt.getTime() - MINUTE) })
        .where(eq(usageIntervals.id, first.id));
      const inside = new Date(first.endedAt.getTime() - MINUTE);
      const open = { startedAt: inside, lastSeenAt: inside, endedAt: null, endReason: null, ratedAt: inside };
      await tx.insert(usageIntervals).values({ ...first, ...open, id: aPhone(0).intervalId });
    });
    const found = await look();
    expect(found.map(({ kind }) => kind).sort()).toEqual([
      "balance_differs",
      "day_differs",
      "intervals_overlap",
      "time_differs",
    ]);
    expect(found.find(({ kind }) => kind === "time_differs")).toMatchObject({
      ...{ objectId: first.id, words: `It was ${HOUR + MINUTE} ms long, ${HOUR} ms of it were rated.` },
    });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: "error", count: 4 }]);
    await db.tx((tx) => tx.update(grants).set({ remaining: 488 }).where(eq(grants.teamId, teamId)));
    const again = await look();
    expect(again).toHaveLength(4);
    expect(again.filter(({ resolvedAt }) => resolvedAt !== null).map(({ kind }) => kind)).toEqual(["balance_differs"]);
    await db.tx((tx) => tx.delete(usageIntervals).where(eq(usageIntervals.teamId, teamId)));
    await pause();
  });
});
