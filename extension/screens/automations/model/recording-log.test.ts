import { describe, expect, it } from "vitest";
import { newId } from "../../../../shared/id-values.ts";
import type { RecordedStep, RecordingDetail } from "../../../../shared/recording-model.ts";
import { heard } from "./recording-log.ts";

const step = (seq: number, words = `Step ${seq}`): RecordedStep => ({
  seq,
  words,
  action: { kind: "back" },
  candidates: [],
  chosen: 0,
  proposals: [],
  at: "2026-11-26T00:00:00.000Z",
});
const shown: RecordingDetail = {
  id: newId("recording"),
  phoneId: newId("phone"),
  state: "recording",
  note: "Reloading cannot be part of a flow, so it was left out.",
  steps: 2,
  createdAt: "",
  updatedAt: "",
  recorded: [step(1), step(3)],
  source: "",
  canUndo: false,
  lastEvent: 5,
};

describe("events of a recording", () => {
  it("add, change and take out steps, each in its place", () => {
    const added = heard(shown, 6, { type: "step", step: step(2) });
    expect(added.recorded.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(added.steps).toBe(3);
    expect(heard(added, 7, { type: "step", step: step(3, "Longer") }).recorded[2]?.words).toBe("Longer");
    const removed = heard(added, 7, { type: "removed", seq: 2 });
    expect(removed).toMatchObject({ recorded: [{ seq: 1 }, { seq: 3 }], steps: 2, canUndo: true, lastEvent: 7 });
  });
  it("bring its state, and take back what was said of the one before", () => {
    const paused = heard(shown, 6, { type: "state", state: "paused" });
    expect(paused.state).toBe("paused");
    expect(paused).not.toHaveProperty("note");
    expect(heard(paused, 7, { type: "state", state: "paused", note: "Parked." }).note).toBe("Parked.");
  });
  it("change nothing when the answer already had them", () => {
    expect(heard(shown, 5, { type: "removed", seq: 1 })).toBe(shown);
  });
});
