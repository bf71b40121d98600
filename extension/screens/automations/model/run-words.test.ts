import { describe, expect, it } from "vitest";
import type { RunSummary } from "../../../../shared/automation-model.ts";
import { newId } from "../../../../shared/id-values.ts";
import { runDuration, stepTime } from "./run-words.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 26, 0, 0, seconds)).toISOString();
const run = (change: Partial<RunSummary>): RunSummary => ({
  id: newId("run"),
  name: "Buy",
  phoneId: newId("phone"),
  state: "running",
  trigger: "person",
  createdAt: at(0),
  ...change,
});

describe("times of runs", () => {
  const now = Date.parse(at(75));
  it("count while a run goes on and stand when it has ended", () => {
    expect(runDuration(run({ startedAt: at(5) }), now)).toBe("1:10");
    expect(runDuration(run({ startedAt: at(5), finishedAt: at(12), state: "failed" }), now)).toBe("0:07");
  });
  it("are unknown before a run began, and when nobody said when it ended", () => {
    expect(runDuration(run({ state: "queued" }), now)).toBeUndefined();
    expect(runDuration(run({ startedAt: at(5), state: "failed" }), now)).toBeUndefined();
  });
  it("of steps are short", () => {
    expect([4.4, 999, 1_240, 9_949, 9_950, 75_000].map(stepTime)).toEqual([
      "4 ms",
      "999 ms",
      "1.2 s",
      "9.9 s",
      "10 s",
      "75 s",
    ]);
  });
});
