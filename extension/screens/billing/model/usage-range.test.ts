import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayIn, daysOf, lastMonth, monthSoFar, moved, rangeProblem, rangeWords } from "./usage-range.ts";

const at = (iso: string) => Date.parse(iso);

describe("the days of a look at usage", () => {
  it("are those of the team's time zone, whatever this computer's is", () => {
    const now = at("2026-11-30T23:30:00Z");
    expect(monthSoFar(now, "UTC")).toEqual({ from: "2026-11-01", to: "2026-11-30" });
    expect(monthSoFar(now, "Asia/Tokyo")).toEqual({ from: "2026-12-01", to: "2026-12-01" });
    expect(lastMonth(now, "Asia/Tokyo")).toEqual({ from: "2026-11-01", to: "2026-11-30" });
  });
  it("end the last month on its last day, over years and leap days", () => {
    expect(lastMonth(at("2027-01-15T12:00:00Z"), "UTC")).toEqual({ from: "2026-12-01", to: "2026-12-31" });
    expect(lastMonth(at("2028-03-01T12:00:00Z"), "UTC")).toEqual({ from: "2028-02-01", to: "2028-02-29" });
  });
  it("are each there once when clocks change", () => {
    // Berlin: 25 October has 25 hours, 29 March has 23.
    for (const [from, to] of [
      ["2026-10-23", "2026-10-27"],
      ["2026-03-27", "2026-03-31"],
    ] as const) {
      const days = daysOf({ from, to });
      expect(days).toHaveLength(5);
      expect(new Set(days).size).toBe(5);
    }
    expect(dayIn(at("2026-10-25T00:30:00Z"), "Europe/Berlin")).toBe("2026-10-25");
    expect(dayIn(at("2026-10-25T01:30:00Z"), "Europe/Berlin")).toBe("2026-10-25");
    expect(dayIn(at("2026-10-25T23:30:00Z"), "Europe/Berlin")).toBe("2026-10-26");
  });
  it("follow each other without gap or repeat", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 0, max: 365 }), (start, length) => {
        const from = moved("1990-01-01", start);
        const days = daysOf({ from, to: moved(from, length) });
        expect(days).toHaveLength(length + 1);
        expect(days.every((day, index) => day === moved(from, index))).toBe(true);
        expect([...days].sort()).toEqual(days);
      }),
    );
  });
  it.each([
    ["", "2026-11-02", "Choose both days."],
    ["2026-13-01", "2026-11-02", "Choose both days."],
    ["2026-11-03", "2026-11-02", "The first day is after the last one."],
    ["2026-12-01", "2026-12-02", "These days have not come yet."],
    ["2025-01-01", "2026-11-02", "Choose a year at most."],
    ["2026-11-02", "2026-11-02", undefined],
  ])("from %j to %j: %s", (from, to, problem) => {
    expect(rangeProblem({ from, to }, "2026-11-26")).toBe(problem);
  });
  it("are named by the month where they begin with one", () => {
    expect(rangeWords({ from: "2026-11-01", to: "2026-11-26" })).toBe("November 2026");
    expect(rangeWords({ from: "2026-10-20", to: "2026-11-02" })).toMatch(/2026 to .*2026/);
  });
});
