import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { localDay } from "./local-days.ts";
import { comparable, NOTHING, phone, ratedPlainly, sums, worlds } from "./rating.fixture.ts";
import { coveredUntil, type Funds, type Rated, type RunningPhone, rate } from "./rating.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 26, 12);
/** Midnights and changes of clocks, edges of months, a leap day, a day that a zone skipped. */
const EDGES = [
  "2026-03-29T01:00:00Z",
  "2026-10-25T01:00:00Z",
  "2026-03-08T07:00:00Z",
  "2026-11-01T06:00:00Z",
  "2026-04-04T15:00:00Z",
  "2026-10-03T15:30:00Z",
  "2026-12-31T23:00:00Z",
  "2028-02-29T00:00:00Z",
  "2028-02-29T23:00:00Z",
  "2011-12-30T10:00:00Z",
].map((text) => Date.parse(text));

/** Checks what holds for every rating. */
function demandWhole(rated: Rated, running: readonly RunningPhone[], from: number, to: number, funds: Funds): void {
  for (const { intervalId, startedAt } of running) {
    const own = rated.pieces.filter((piece) => piece.intervalId === intervalId);
    const start = Math.max(from, startedAt);
    if (start >= to) {
      expect(own).toEqual([]);
      continue;
    }
    expect(own[0]?.from).toBe(start);
    expect(own.at(-1)?.to).toBe(to);
    for (const [index, piece] of own.entries()) {
      expect(piece.to).toBeGreaterThan(piece.from);
      if (index > 0) expect(piece.from).toBe(own[index - 1]?.to);
      expect(localDay(piece.from, funds.timeZone).day).toBe(piece.day);
      expect(localDay(piece.to - 1, funds.timeZone).day).toBe(piece.day);
    }
  }
  const left = rated.funds;
  for (const value of [left.wallet, left.overage, ...left.grants.map(({ remainingMs }) => remainingMs)]) {
    expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
  }
  let [wallet, overage] = [0, 0];
  for (const { cover, amount } of rated.pieces) {
    expect(Number.isSafeInteger(amount) && amount >= 0).toBe(true);
    if (cover === "wallet") wallet += amount;
    else if (cover === "overage") overage += amount;
    else expect(amount).toBe(0);
  }
  expect([funds.wallet - left.wallet, funds.overage - left.overage]).toEqual([wallet, overage]);
  for (const grant of left.grants) {
    const before = funds.grants.find(({ id }) => id === grant.id)?.remainingMs ?? Number.NaN;
    const drawn = rated.pieces.filter(({ grantId }) => grantId === grant.id);
    expect(before - grant.remainingMs).toBe(drawn.reduce((sum, { from: at, to: until }) => sum + until - at, 0));
  }
  for (const { ms, amount } of left.days) {
    expect(amount).toBe(Math.min(funds.rate.dailyCap, Math.floor((ms * funds.rate.perHour) / HOUR)));
  }
}

/** Rates one part after the other, each with what the one before left. */
function inParts(running: readonly RunningPhone[], moments: readonly number[], funds: Funds) {
  let left = funds;
  const pieces: Rated["pieces"][number][] = [];
  for (let part = 1; part < moments.length; part += 1) {
    const rated = rate(running, moments[part - 1] ?? 0, moments[part] ?? 0, left);
    pieces.push(...rated.pieces);
    left = rated.funds;
  }
  return { pieces, funds: left };
}

const momentsOf = (from: number, cuts: readonly number[]) =>
  [from, ...cuts.map((cut) => from + cut)].sort((a, b) => a - b);

describe("rating", () => {
  it("follows the rule of one millisecond, whatever runs out when, around every edge", () => {
    const world = fc.constantFrom(...EDGES).chain((edge) => worlds(edge, 60));
    fc.assert(
      fc.property(world, ({ running, from, cuts, funds }) => {
        const to = Math.max(...momentsOf(from, cuts));
        const rated = rate(running, from, to, funds);
        const plain = ratedPlainly(running, from, to, funds);
        demandWhole(rated, running, from, to, funds);
        expect(sums(rated.pieces)).toEqual(sums(plain.pieces));
        expect(comparable(rated.funds)).toEqual(comparable(plain.funds));
        const first = plain.pieces.find(({ cover }) => cover === "uncovered");
        expect(rated.uncoveredAt).toBe(first?.from);
      }),
      { numRuns: 1_500 },
    );
  });

  it("gives the same in parts as in one, over days", () => {
    const world = fc.constantFrom(...EDGES).chain((edge) => worlds(edge, 3 * DAY));
    fc.assert(
      fc.property(world, ({ running, from, cuts, funds }) => {
        const moments = momentsOf(from, cuts);
        const to = moments.at(-1) ?? from;
        const whole = rate(running, from, to, funds);
        const parts = inParts(running, moments, funds);
        demandWhole(whole, running, from, to, funds);
        expect(sums(parts.pieces)).toEqual(sums(whole.pieces));
        expect(comparable(parts.funds)).toEqual(comparable(whole.funds));
      }),
      { numRuns: 1_500 },
    );
  });

  it("asks in order: dedicated, slots, plan, packs by their end, promotions, balance, overage, nothing", () => {
    const funds: Funds = {
      ...NOTHING,
      ...{ dedicated: new Set(["ph_d"]), slots: 1, wallet: 1, overage: 1 },
      grants: [
        { id: "late", kind: "pack", remainingMs: MINUTE, startsAt: 0, expiresAt: NOON + DAY },
        { id: "stays", kind: "pack", remainingMs: MINUTE, startsAt: 0 },
        { id: "promo", kind: "promo", remainingMs: MINUTE, startsAt: 0, expiresAt: NOON + HOUR },
        { id: "early", kind: "pack", remainingMs: MINUTE, startsAt: 0, expiresAt: NOON + HOUR },
        { id: "plan", kind: "plan", remainingMs: MINUTE, startsAt: 0, expiresAt: NOON + DAY },
      ],
    };
    const running = [phone("a", NOON - 1), phone("d", NOON), phone("s", NOON - 2)];
    const { pieces, uncoveredAt } = rate(running, NOON, NOON + HOUR, funds);
    const of = (id: string) => pieces.filter(({ phoneId }) => phoneId === id);
    expect(of("ph_d").map(({ cover }) => cover)).toEqual(["dedicated"]);
    expect(of("ph_s").map(({ cover }) => cover)).toEqual(["slot"]);
    expect(of("ph_a").map(({ cover, grantId, from, to, amount }) => [cover, grantId, to - from, amount])).toEqual([
      ["plan", "plan", MINUTE, 0],
      ["pack", "early", MINUTE, 0],
      ["pack", "late", MINUTE, 0],
      ["pack", "stays", MINUTE, 0],
      ["promo", "promo", MINUTE, 0],
      ["wallet", undefined, 5 * MINUTE, 1],
      ["overage", undefined, 5 * MINUTE, 1],
      ["uncovered", undefined, 45 * MINUTE, 0],
    ]);
    expect(uncoveredAt).toBe(NOON + 15 * MINUTE);
    expect(coveredUntil(running, NOON, funds, HOUR)).toBe(NOON + 15 * MINUTE);
    expect(coveredUntil(running, NOON, funds, 15 * MINUTE)).toBeUndefined();
  });

  it("charges a phone no more than the cap a day, and then lets it run till midnight with nothing left", () => {
    const funds: Funds = { ...NOTHING, wallet: 150, timeZone: "Europe/Berlin" };
    // In Berlin this day has 25 hours: 12.5 of them reach the cap.
    const midnight = Date.parse("2026-10-25T00:00:00+02:00");
    const { pieces, uncoveredAt, funds: left } = rate([phone("a", midnight)], midnight, midnight + 30 * HOUR, funds);
    expect(pieces.map(({ cover, from, to, amount, day }) => [cover, to - from, amount, day])).toEqual([
      ["wallet", 25 * HOUR, 150, "2026-10-25"],
      ["uncovered", 5 * HOUR, 0, "2026-10-26"],
    ]);
    expect(uncoveredAt).toBe(midnight + 25 * HOUR);
    expect(left.wallet).toBe(0);
    const short = Date.parse("2026-03-29T00:00:00+01:00");
    expect(localDay(short, "Europe/Berlin").to - short).toBe(23 * HOUR);
  });

  it("shares what is left exactly: the phones take turns, and the last millisecond goes to the first", () => {
    const grants = [{ id: "g", kind: "promo", remainingMs: 7, startsAt: 0 }] as const;
    const { pieces } = rate([phone("b", NOON), phone("a", NOON), phone("c", NOON - 1)], NOON, NOON + 4, {
      ...NOTHING,
      grants,
    });
    expect(sums(pieces)).toEqual({
      "int_c promo g 2026-11-26": [3, 0],
      "int_c uncovered - 2026-11-26": [1, 0],
      "int_a promo g 2026-11-26": [2, 0],
      "int_a uncovered - 2026-11-26": [2, 0],
      "int_b promo g 2026-11-26": [2, 0],
      "int_b uncovered - 2026-11-26": [2, 0],
    });
  });

  it("takes nothing for time that was given back and charged already, and nothing back by itself", () => {
    const at = (ms: number, amount: number): Funds => ({
      ...{ ...NOTHING, wallet: 100 },
      days: [{ phoneId: "ph_a", day: "2026-11-26", ms, amount }],
    });
    const cost = (funds: Funds, ms: number) => 100 - rate([phone("a", NOON)], NOON, NOON + ms, funds).funds.wallet;
    expect(cost(at(0, 1), 5 * MINUTE)).toBe(0);
    expect(cost(at(0, 1), 10 * MINUTE)).toBe(1);
    // The price went up in the middle of a day: what ran before keeps its own.
    expect(cost({ ...at(HOUR, 6), rate: { perHour: 12, dailyCap: 150 } }, HOUR)).toBe(12);
  });

  it("refuses a price that could take more than there is in one millisecond", () => {
    expect(() => rate([], NOON, NOON + 1, { ...NOTHING, rate: { perHour: 3_600_001, dailyCap: 1 } })).toThrow(
      RangeError,
    );
  });
});
