import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId } from "../../../../shared/ids.ts";
import type { ExportView } from "../../../../shared/privacy.ts";
import { durationWords, progressOf } from "./export-progress.ts";

const ASKED = Date.parse("2026-11-26T12:00:00Z");
const copy: ExportView = {
  id: newId("dataExport"),
  state: "running",
  askedAt: new Date(ASKED).toISOString(),
  rows: 0,
  rowsExpected: 10_000,
  downloads: 0,
};

describe("how far a copy is", () => {
  it("says nothing about the rest before there is a pace, and then what the pace says", () => {
    expect(progressOf({ ...copy, state: "waiting" }, ASKED)).toEqual({
      done: undefined,
      words: "It begins in a moment.",
    });
    expect(progressOf({ ...copy, rowsExpected: 0 }, ASKED).words).toBe("Counting what there is.");
    expect(progressOf({ ...copy, rows: 100 }, ASKED + 5_000).words).toBe("100 of about 10,000 entries");
    expect(progressOf({ ...copy, rows: 5_000 }, ASKED + 20_000)).toEqual({
      done: 0.5,
      words: "5,000 of about 10,000 entries, about 20 s left",
    });
  });
  it("never goes over the end, and names no rest when more came than was counted", () => {
    expect(progressOf({ ...copy, rows: 12_000 }, ASKED + 9_000)).toEqual({
      done: 1,
      words: "12,000 entries, closing the file",
    });
  });
  it("is a share between 0 and 1, whatever the numbers and clocks say", () => {
    const number = fc.integer({ min: 0, max: 2_000_000 });
    fc.assert(
      fc.property(number, number, fc.integer({ min: -100_000, max: 10_000_000 }), (rows, rowsExpected, after) => {
        const { done, words } = progressOf({ ...copy, rows, rowsExpected }, ASKED + after);
        expect(done === undefined || (done >= 0 && done <= 1)).toBe(true);
        expect(words).not.toMatch(/NaN|Infinity|-\d/);
      }),
    );
  });
  it("rounds a duration to what a person would say", () => {
    expect([500, 12_000, 89_000, 170_000, 6_000_000].map(durationWords)).toEqual([
      "a few seconds",
      "about 15 s",
      "about 90 s",
      "about 3 min",
      "about 2 h",
    ]);
  });
});
