import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { comparable, NOTHING, sums, worlds } from "../../../shared/billing/rating.fixture.ts";
import type { Funds, RatedPiece } from "../../../shared/billing/rating.ts";
import { PROVE_TIMES } from "../../../shared/testing/prove.ts";
import { frontierOf, type RanTime, rateRows, unratedFrom } from "./slices.ts";

const row = (name: string, from: number, to: number | undefined, seen = to ?? from): RanTime => ({
  ...{ id: `int_${name}`, phoneId: `ph_${name}`, startedAt: new Date(from), ratedAt: new Date(from) },
  ...{ lastSeenAt: new Date(seen), endedAt: to === undefined ? null : new Date(to) },
});
/** A moment in the year in which clocks change in all the zones that have it. */
const AROUND = Date.UTC(2026, 9, 25, 1);

describe("times that are settled a piece at a time", () => {
  it("are settled up to where everything that is open was seen", () => {
    expect(frontierOf([row("a", 0, undefined, 50), row("b", 10, undefined, 40), row("c", 0, 45)])).toBe(40);
    expect(frontierOf([row("a", 0, 30), row("c", 0, 45)])).toBe(45);
    expect(unratedFrom([row("a", 20, 30), row("b", 10, undefined, 10)], 40)).toBe(20);
    expect(unratedFrom([], 40)).toBe(40);
  });

  it("give the slot to who started first as long as that runs, then to the next", () => {
    const { pieces } = rateRows([row("a", 0, 30), row("b", 10, 50)], 0, 50, { ...NOTHING, slots: 1 });
    expect(pieces.map(({ phoneId, cover, from, to }) => [phoneId, cover, from, to])).toEqual([
      ["ph_a", "slot", 0, 30],
      ["ph_b", "uncovered", 10, 30],
      ["ph_b", "slot", 30, 50],
    ]);
  });

  it("come to the same as all at once, wherever they were cut and however late each was seen", () => {
    const times = fc.array(fc.tuple(fc.integer({ min: 0, max: 900_000 }), fc.integer({ min: 0, max: 900_000 })), {
      minLength: 1,
      maxLength: 5,
    });
    const looks = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 1_800_000 }), fc.array(fc.integer({ min: 0, max: 9_000 }))),
      {
        maxLength: 6,
      },
    );
    const property = fc.property(worlds(AROUND, 1_800_000), times, looks, ({ funds }, spans, seen) => {
      const all = spans.map(([from, length], n) => row(String(n), AROUND + from, AROUND + from + length));
      const whole = rateRows(all, AROUND, AROUND + 1_800_000, funds);
      const rated = new Map(all.map(({ id, ratedAt }) => [id, ratedAt]));
      const lastSeen = new Map(all.map(({ id, startedAt }) => [id, startedAt]));
      const pieces: RatedPiece[] = [];
      let left: Funds = funds;
      const end = [1_800_001, []] as const;
      for (const [offset, lags] of [...seen.sort(([a], [b]) => a - b), end]) {
        const now = AROUND + offset;
        const rows = all.flatMap((one, n) => {
          if (one.startedAt.getTime() > now || one.endedAt === null) return [];
          const isOver = one.endedAt.getTime() <= now;
          const before = lastSeen.get(one.id)?.getTime() ?? 0;
          const at = new Date(isOver ? one.endedAt : Math.max(before, now - (lags[n] ?? 0)));
          lastSeen.set(one.id, at);
          const ratedAt = rated.get(one.id) ?? one.ratedAt;
          return isOver && ratedAt >= one.endedAt
            ? []
            : [{ ...one, ratedAt, lastSeenAt: at, endedAt: isOver ? one.endedAt : null }];
        });
        const to = frontierOf(rows);
        const result = rateRows(rows, unratedFrom(rows, to), to, left);
        left = result.funds;
        pieces.push(...result.pieces);
        for (const { id, endedAt, ratedAt } of rows) {
          rated.set(id, new Date(Math.max(ratedAt.getTime(), Math.min(to, endedAt?.getTime() ?? to))));
        }
      }
      expect(sums(pieces)).toEqual(sums(whole.pieces));
      expect(comparable(left)).toEqual(comparable(whole.funds));
      const ran = spans.reduce((sum, [, length]) => sum + length, 0);
      expect(pieces.reduce((sum, piece) => sum + piece.to - piece.from, 0)).toBe(ran);
    });
    fc.assert(property, { numRuns: 300 * PROVE_TIMES });
  });
});
