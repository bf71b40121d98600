import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addIntervals, periodEnd } from "./calendar.ts";
import { share } from "./subscription-change.ts";

const interval = fc.record({
  interval: fc.constantFrom("day", "week", "month", "year"),
  interval_count: fc.integer({ min: 1, max: 3 }),
});
const anchor = fc
  .date({ min: new Date("2024-01-01"), max: new Date("2030-12-31"), noInvalidDate: true })
  .map((at) => Math.floor(at.getTime() / 1_000));

describe("billing periods", () => {
  it("follow each other without a gap, from any day, and stay on the anchor's", () => {
    fc.assert(
      fc.property(anchor, interval, (from, recurring) => {
        let at = from;
        for (let count = 1; count <= 14; count++) {
          const end = periodEnd(from, recurring, at);
          expect(end).toBe(addIntervals(from, recurring, count));
          expect(end).toBeGreaterThan(at);
          // The last second of a period is still in it.
          expect(periodEnd(from, recurring, end - 1)).toBe(end);
          at = end;
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("a share of a price", () => {
  it("is all of it at the start, nothing at the end, and never more or less than what is left", () => {
    fc.assert(
      fc.property(
        anchor,
        fc.integer({ min: 1, max: 31_622_400 }),
        fc.nat(1_000_000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (start, length, amount, part) => {
          const period = { start, end: start + length };
          const at = start + Math.floor(length * part);
          expect(share(amount, start, period)).toBe(amount);
          expect(share(amount, period.end, period)).toBe(0);
          const left = share(amount, at, period);
          expect(Number.isInteger(left)).toBe(true);
          expect(Math.abs(left - (amount * (period.end - at)) / length)).toBeLessThanOrEqual(0.5);
        },
      ),
    );
  });
});
