import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSoundSchedule } from "./sound-schedule.ts";

const PIECE_S = 0.02;

describe("when sound is played", () => {
  it("puts pieces one after the other, a little ahead, and begins again after silence", () => {
    const schedule = createSoundSchedule();
    expect(schedule.place(PIECE_S, 10)).toBeCloseTo(10.06);
    expect(schedule.place(PIECE_S, 10.03)).toBeCloseTo(10.08);
    expect(schedule.place(PIECE_S, 15)).toBeCloseTo(15.06);
  });
  it("leaves out what comes in a heap, and goes on when the heap is played", () => {
    const schedule = createSoundSchedule();
    const placed = Array.from({ length: 20 }, () => schedule.place(PIECE_S, 10)).filter((at) => at !== undefined);
    expect(placed).toHaveLength(5);
    expect(placed.at(-1)).toBeCloseTo(10.14);
    expect(schedule.place(PIECE_S, 10.1)).toBeCloseTo(10.16);
  });
  it("never overlaps, never plays in the past, and never falls behind by more than two tenths of a second", () => {
    const steps = fc.array(fc.record({ waitS: fc.double({ min: 0, max: 0.4, noNaN: true }), pieces: fc.nat(12) }));
    fc.assert(
      fc.property(steps, (all) => {
        const schedule = createSoundSchedule();
        let [nowS, endS] = [0, 0];
        for (const { waitS, pieces } of all) {
          nowS += waitS;
          for (let piece = 0; piece < pieces; piece += 1) {
            const at = schedule.place(PIECE_S, nowS);
            if (at === undefined) continue;
            expect(at).toBeGreaterThanOrEqual(Math.max(endS, nowS) - 1e-9);
            endS = at + PIECE_S;
            expect(endS - nowS).toBeLessThan(0.2);
          }
        }
      }),
    );
  });
  it("places nothing without a length", () => {
    const schedule = createSoundSchedule();
    for (const bad of [0, -1, Number.NaN]) expect(schedule.place(bad, 1)).toBeUndefined();
  });
});
