import { describe, expect, it } from "vitest";
import { addActivity, MAX_ACTIVITY_ENTRIES } from "./activity.ts";
import { aPhone } from "./testing.ts";

describe("activity", () => {
  it("records each change of state once, newest first", () => {
    const phone = aPhone({ state: "parked" });
    const starting = { ...phone, state: "starting" as const };
    const up = { ...phone, state: "running" as const };
    let entries = addActivity([], [phone], [starting], 1);
    entries = addActivity(entries, [starting], [up], 2);
    expect(addActivity(entries, [up], [{ ...up, name: "New name" }], 3)).toBe(entries);
    expect(entries.map((entry) => entry.words)).toEqual(["Started.", "Starting."]);
    expect(new Set(entries.map((entry) => entry.id)).size).toBe(2);
  });

  it("tells why a phone was parked or failed, and that one is gone", () => {
    const phone = aPhone({ state: "running" });
    const [idle] = addActivity([], [phone], [{ ...phone, state: "parked", reason: "idle" }], 1);
    expect(idle?.words).toBe("Parked because nobody used it for a while.");
    const [crashed] = addActivity([], [phone], [{ ...phone, state: "failed", reason: "browser_crashed" }], 1);
    expect(crashed?.tone).toBe("bad");
    expect(addActivity([], [phone], [], 1)[0]).toMatchObject({ phoneName: "Pixel, tall", words: "Removed." });
  });

  it("tells that the server lost sight of a phone that runs, and found it", () => {
    const phone = aPhone({ state: "running" });
    const lost = { ...phone, unreachableSince: "2026-01-01T10:00:00Z" };
    const entries = addActivity(addActivity([], [phone], [lost], 1), [lost], [phone], 2);
    expect(entries.map(({ words, tone }) => [words, tone])).toEqual([
      ["Back.", "good"],
      ["Out of reach. The server keeps trying.", "bad"],
    ]);
    expect(addActivity(entries, [lost], [{ ...lost, name: "New name" }], 3)).toBe(entries);
  });

  it("stays short", () => {
    let entries = addActivity([], [], [], 0);
    const phone = aPhone({ state: "parked" });
    for (let turn = 0; turn < MAX_ACTIVITY_ENTRIES + 20; turn += 1) {
      const before = { ...phone, state: turn % 2 === 0 ? ("parked" as const) : ("running" as const) };
      const after = { ...phone, state: turn % 2 === 0 ? ("running" as const) : ("parked" as const) };
      entries = addActivity(entries, [before], [after], turn);
    }
    expect(entries).toHaveLength(MAX_ACTIVITY_ENTRIES);
    expect(entries[0]?.at).toBe(MAX_ACTIVITY_ENTRIES + 19);
  });
});
