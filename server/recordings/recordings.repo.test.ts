import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { newTeam } from "../phones/testing/harness.ts";
import { sweepNow } from "../privacy/testing/sweep-now.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { createRecordingsRepo, type RecordingsRepo } from "./recordings.repo.ts";
import type { StepData } from "./recordings.tables.ts";

describe.each(TEST_ENGINES)("recordings on $name", (engine) => {
  let test: TestDatabase;
  let repo: RecordingsRepo;
  let scope: TeamScope;
  const at = new Date(Date.UTC(2026, 10, 26));
  const step = (words: string): StepData => ({
    words,
    action: { kind: "back" },
    candidates: [],
    chosen: 0,
    proposals: [],
  });

  beforeAll(async () => {
    test = await engine.open();
    repo = createRecordingsRepo(test.db);
    scope = await newTeam({ test, clock: new ManualClock() });
  });
  afterAll(() => test.dispose());

  const begin = (phoneId = newId("phone")) =>
    test.db.tx((tx) =>
      repo.insert(tx, {
        id: newId("recording"),
        teamId: scope.teamId,
        createdBy: scope.userId,
        phoneId,
        state: "recording",
        eventSeq: 1,
        stateSeq: 1,
        createdAt: at,
        updatedAt: at,
      }),
    );

  it("tells the newest state of each thing after any event, in the order it last changed", async () => {
    const { id } = await begin();
    const { tx } = test.db;
    for (const words of ["one", "two", "three"]) await tx((t) => repo.addStep(t, id, step(words), at));
    await tx((t) => repo.changeStep(t, id, 1, (before) => ({ ...before, words: "one more" }), at));
    await tx((t) => repo.removeStep(t, id, 2, at));
    await tx((t) => repo.change(t, id, ["recording"], { state: "paused", note: "Parked." }, at));
    const told = async (after: number, limit = 100) =>
      (await repo.events(id, after, limit)).map(({ seq, data }) => [
        seq,
        data.type === "step" ? data.step.words : data.type,
      ]);
    expect(await told(0)).toEqual([
      [4, "three"],
      [5, "one more"],
      [6, "removed"],
      [7, "state"],
    ]);
    expect(await told(5)).toEqual([
      [6, "removed"],
      [7, "state"],
    ]);
    expect(await told(0, 2)).toEqual([
      [4, "three"],
      [5, "one more"],
    ]);
    expect(await told(7)).toEqual([]);
    expect((await repo.steps(id)).map(({ data }) => data.words)).toEqual(["one more", "three"]);
    expect((await tx((t) => repo.restoreStep(t, id, at)))?.data.words).toBe("two");
    expect(await tx((t) => repo.changeStep(t, id, 9, (before) => before, at))).toBe(false);
  });

  it("lets one recording go on for each phone, and pauses all when a server begins", async () => {
    const { phoneId, id } = await begin();
    await expect(begin(phoneId)).rejects.toThrow();
    await test.db.tx((tx) => repo.pauseAll(tx, { node: undefined }, "Restarted.", at));
    expect(await repo.find(scope, id)).toMatchObject({ state: "paused", note: "Restarted.", eventSeq: 2, stateSeq: 2 });
    await begin(phoneId);
    expect((await repo.list(scope, phoneId, 10)).map(({ state }) => state).sort()).toEqual(["paused", "recording"]);
    await sweepNow(test.db, at.getTime() + 30 * 86_400_000 + 1, "recordings");
    expect(await repo.list(scope, undefined, 10)).toEqual([]);
    expect(await repo.steps(id)).toEqual([]);
  });
});
