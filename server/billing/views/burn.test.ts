import { describe, expect, it } from "vitest";
import { NOTHING } from "../../../shared/billing/rating.fixture.ts";
import type { Funds } from "../../../shared/billing/rating.ts";
import { newId } from "../../../shared/ids.ts";
import { burnOf, previewOf } from "./burn.ts";
import type { Unsettled } from "./open-time.ts";

const NOON = Date.parse("2026-11-26T12:00:00Z");
const MIN = 60_000;
const PAYS = { mode: "sandbox", currency: "usd", money: true } as const;
const SEES_NONE = { ...PAYS, money: false } as const;
const plan = (minutes: number) =>
  ({ id: "grant_1", kind: "plan", remainingMs: minutes * MIN, startsAt: NOON - MIN }) as const;

function running(phones: readonly string[], funds: Partial<Funds>): Unsettled {
  return {
    ...{ at: NOON, pieces: [], funds: { ...NOTHING, ...funds } },
    running: phones.map((phoneId, index) => ({
      ...{ id: newId("usageInterval"), phoneId: phoneId as never, startedBy: null, startedAt: NOON - MIN + index },
    })),
  };
}
const named = (id: string) => `Phone ${id}`;

describe("what runs and what it costs", () => {
  it("is said for each phone by what covers it now, and how long that lasts", () => {
    const burn = burnOf(running(["a", "b"], { grants: [plan(10)], wallet: 12 }), named, PAYS);
    expect(burn.running.map(({ name, words, perHour }) => [name, words, perHour])).toEqual([
      ["Phone a", "Plan minutes", 0],
      ["Phone b", "Plan minutes", 0],
    ]);
    // Ten minutes of two phones, then 12 cents at 24 an hour.
    expect(burn).toMatchObject({ words: "2 phones running, $0.00/h", coveredUntil: "2026-11-26T12:35:00.000Z" });
  });

  it("adds up by the hour, and says when a phone's day is paid for", () => {
    const days = [{ phoneId: "a", day: "2026-11-26", ms: 0, amount: 150 }];
    const burn = burnOf(running(["a", "b", "c"], { wallet: 10_000, slots: 1, days }), named, PAYS);
    expect(burn.running.map(({ words }) => words)).toEqual(["Parallel slot", "Balance, $0.12/h", "Balance, $0.12/h"]);
    expect(burn.words).toBe("3 phones running, $0.24/h");
    const capped = burnOf(running(["a"], { wallet: 10_000, days }), named, PAYS);
    expect(capped).toMatchObject({ words: "1 phone running, $0.00/h", perHour: 0 });
    expect(capped.running[0]?.words).toBe("Balance, the day's cap is reached");
  });

  it("shows no money to roles without it, and none where no bills are sent", () => {
    const seen = burnOf(running(["a"], { wallet: 10_000 }), named, SEES_NONE);
    expect(JSON.stringify(seen)).not.toMatch(/\$|perHour/);
    expect(seen.running[0]?.words).toBe("Balance");
    const free = burnOf(running(["a"], { unbilled: true }), named, { ...PAYS, mode: "off" });
    expect(free.words).toBe("1 phone running");
    expect(free.coveredUntil).toBeUndefined();
  });
});

describe("what a start would cost", () => {
  it.each([
    [{ grants: [plan(212)], wallet: 100 }, "Uses plan minutes (212 min left), then $0.12/h, at most $1.50 a day", 0],
    [{ wallet: 100 }, "Uses the balance: $0.12/h, at most $1.50 a day", 12],
    [{ slots: 1 }, "Uses a parallel slot: no cost by time", 0],
    [{ dedicated: new Set(["x"]) }, "Dedicated phone: no cost by time", 0],
    [{ unbilled: true }, "Costs nothing on this server", 0],
  ])("with %o it says so", (funds, words, perHour) => {
    expect(previewOf(running([], funds), "x", PAYS)).toEqual({ mode: "sandbox", covered: true, words, perHour });
  });
  it("counts what runs already before it", () => {
    const preview = previewOf(running(["a"], { slots: 1 }), "x", PAYS);
    expect(preview).toMatchObject({ covered: false, words: expect.stringContaining("Choose a plan") });
    // The phone that runs is not counted twice.
    expect(previewOf(running(["a"], { slots: 1 }), "a", PAYS)).toMatchObject({ covered: true });
  });
  it("shows no money to roles without it", () => {
    const funds = { grants: [plan(5)], wallet: 100 };
    expect(previewOf(running([], funds), "x", SEES_NONE)).toEqual({
      ...{ mode: "sandbox", covered: true, words: "Uses plan minutes (5 min left), then the balance" },
    });
    expect(previewOf(running([], {}), "x", SEES_NONE).words).toContain("Ask who looks after");
  });
});
