import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RunDetail, RunEvent, RunStep } from "../../../../shared/automation-model.ts";
import { newId } from "../../../../shared/id-values.ts";
import { hear, isComplete, type RunLog, runLog } from "./run-log.ts";

const PHONE = newId("phone");
const AT = "2026-11-26T00:00:00.000Z";
const run = (change: Partial<RunDetail> = {}): RunDetail => ({
  id: newId("run"),
  name: "Buy the chair",
  phoneId: PHONE,
  state: "queued",
  trigger: "person",
  createdAt: AT,
  source: "",
  inputs: {},
  steps: [],
  artifacts: [],
  lastEvent: 0,
  ...change,
});
const step = (seq: number, change: Partial<RunStep> = {}): RunStep => ({
  seq,
  attempt: 1,
  path: String(seq),
  line: seq,
  depth: 0,
  command: "tapOn",
  label: `Step ${seq}`,
  kind: "effect",
  state: "started",
  startedAt: AT,
  ...change,
});
const EVENTS: readonly RunEvent[] = [
  { type: "run", state: "queued" },
  { type: "run", state: "running" },
  { type: "step", step: step(1) },
  { type: "log", message: "hello", step: 1 },
  { type: "step", step: step(1, { state: "passed", durationMs: 5 }) },
  { type: "step", step: step(2) },
  {
    type: "artifact",
    artifact: { name: "a.png", kind: "screenshot", mimeType: "image/png", bytes: 1, step: 2, createdAt: AT },
  },
  { type: "log", message: "bye" },
  { type: "step", step: step(2, { state: "failed", message: "No." }) },
  { type: "run", state: "failed", error: { code: "assertion", message: "No.", step: 2 } },
];
const hearAll = (log: RunLog, from = 0, to = EVENTS.length) =>
  EVENTS.slice(from, to).reduce((next, event, index) => hear(next, from + index + 1, event), log);
/** What the server answers after `count` events. */
function answer(id: RunDetail["id"], count: number): RunDetail {
  return { ...hearAll(runLog(run({ id })), 0, count).run, lastEvent: count };
}

describe("a run's log", () => {
  const whole = hearAll(runLog(run()));

  it("is folded from the events alone", () => {
    expect(whole.run).toMatchObject({ state: "failed", error: { code: "assertion", step: 2 }, lastEvent: 10 });
    expect(whole.run.steps.map(({ seq, state }) => [seq, state])).toEqual([
      [1, "passed"],
      [2, "failed"],
    ]);
    expect(whole.run.artifacts.map(({ name }) => name)).toEqual(["a.png"]);
    expect(whole.lines).toEqual([
      { seq: 4, message: "hello", step: 1 },
      { seq: 8, message: "bye" },
    ]);
    expect(isComplete(whole)).toBe(true);
  });

  it("is the same whenever it was asked for, left and taken up again, with events heard twice", () => {
    const moment = fc.integer({ min: 0, max: EVENTS.length });
    fc.assert(
      fc.property(moment, moment, moment, fc.boolean(), (opened, lost, back, anew) => {
        const { id } = whole.run;
        const first = hearAll(runLog(answer(id, opened)), 0, lost);
        // The panel was closed (nothing is left of it), or the connection broke and the stream says the last ones again.
        const later = runLog(answer(id, Math.max(back, opened, lost)), anew ? undefined : first);
        const again = hearAll(later, Math.max(0, later.heard - 2));
        expect(again).toEqual(whole);
      }),
    );
  });

  it("does not go back when an answer comes after the events it lacks", () => {
    const { id } = whole.run;
    const ahead = hearAll(runLog(answer(id, 2)), 0, 9);
    expect(runLog(answer(id, 6), ahead)).toBe(ahead);
  });

  it("never shows the past again while it reads old events for their lines", () => {
    const opened = runLog(answer(whole.run.id, 6));
    for (let count = 1; count <= 6; count++) expect(hearAll(opened, 0, count).run).toEqual(opened.run);
  });

  it("takes the error away when the run goes on", () => {
    const resumed = hear(whole, 11, { type: "run", state: "queued" });
    expect(resumed.run).not.toHaveProperty("error");
    expect(isComplete(resumed)).toBe(false);
  });

  it("keeps nothing of another run", () => {
    expect(runLog(run(), whole)).toMatchObject({ lines: [], heard: 0 });
  });

  it("is not complete while lines of an ended run are still to come", () => {
    expect(isComplete(runLog(answer(whole.run.id, EVENTS.length)))).toBe(false);
  });
});
