import { describe, expect, it } from "vitest";
import { createFit } from "./fit.ts";

describe("video for one viewer", () => {
  it("does not fit when runs are lost again and again at a level that should be easy", () => {
    const fit = createFit();
    expect([0, 1_000, 3_000, 7_000, 15_000].map((at) => fit.lost(at, 2))).toEqual([false, false, false, false, false]);
    expect(fit.lost(16_000, 1)).toBe(true);
    // Counted from anew, and what is long ago does not count.
    expect([20_000, 40_000, 60_000, 80_000, 100_000].map((at) => fit.lost(at, 0))).toEqual(Array(5).fill(false));
  });
  it("is tried again when pictures come at their best for a while, more and more seldom", () => {
    const fit = createFit();
    const tries: number[] = [];
    for (let at = 0; at <= 200_000; at += 500) {
      if (fit.arrived(at, at % 50_000 === 30_000 && at < 60_000 ? 3 : 4)) tries.push(at);
    }
    expect(tries).toEqual([20_000, 70_500, 151_000]);
  });
});
