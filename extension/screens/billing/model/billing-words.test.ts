import { describe, expect, it } from "vitest";
import type { BudgetView } from "../../../../shared/billing/billing.ts";
import {
  afterWords,
  askWords,
  budgetState,
  budgetsGlance,
  budgetWords,
  type Covers,
  forecastWords,
  grantParts,
  planPrice,
  planState,
  storageWords,
} from "./billing-words.ts";

const MIN = 60_000;
const now = new Date(2026, 10, 26, 12, 0).getTime();
const inMs = (ms: number) => new Date(now + ms).toISOString();
const period = { from: inMs(-20 * 86_400_000), to: new Date(2026, 11, 3).toISOString() };
const day = (at: string) => new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" });
const clock = (at: string) => new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });

describe("the forecast", () => {
  const forecast = (minutesLeftMs: number, minutesEndAt?: string) =>
    forecastWords({ minutesLeftMs, period, ...(minutesEndAt !== undefined && { minutesEndAt }) }, now);
  it("names the day, or the hour of the last one", () => {
    expect(forecast(500 * MIN, inMs(3 * 86_400_000))).toBe(
      `At this pace they last until ${day(inMs(3 * 86_400_000))}.`,
    );
    expect(forecast(500 * MIN, inMs(125 * MIN))).toBe(`At this pace they last until ${clock(inMs(125 * MIN))}.`);
    const night = inMs(14 * 60 * MIN);
    expect(forecast(500 * MIN, night)).toBe(`At this pace they last until ${clock(night)} tomorrow.`);
    expect(forecast(500 * MIN, inMs(-1))).toBe("At this pace they end now.");
  });
  it("says that they outlast the month, and nothing when there are none", () => {
    expect(forecast(500 * MIN)).toBe(`At this pace they outlast the month, which ends ${day(period.to)}.`);
    expect(forecast(59_999)).toBeUndefined();
  });
});

describe("what comes after the minutes", () => {
  const said = (over: Partial<Covers>) =>
    afterWords({
      currency: "usd",
      wallet: { balance: 0, frozen: false, refundable: 0 },
      overage: { allowed: false, cap: 0, spent: 0 },
      payAsYouGo: { perHour: 12, dailyCap: 150 },
      minutesLeftMs: 300 * MIN,
      ...over,
    });
  const rate = "$0.12/h per phone, at most $1.50 a day";
  it("is the balance, unless it is frozen or empty", () => {
    expect(said({ wallet: { balance: 1, frozen: false, refundable: 0 } })).toBe(`Then the balance: ${rate}.`);
    const frozen = { wallet: { balance: 900, frozen: true, refundable: 0 } };
    expect(said(frozen)).toBe("Then phones are parked, because nothing else covers them.");
  });
  it("is the invoice where that is allowed and below its cap", () => {
    expect(said({ overage: { allowed: true, cap: 500, spent: 499 } })).toBe(`Then the invoice: ${rate}.`);
    expect(said({ overage: { allowed: true, cap: 500, spent: 500 } })).toContain("phones are parked");
  });
  it("is now once there are none left", () => {
    expect(said({ minutesLeftMs: 0, wallet: { balance: 5, frozen: false, refundable: 0 } })).toBe(
      `Now the balance: ${rate}.`,
    );
    expect(said({ minutesLeftMs: 59_999 })).toBe("Nothing covers phones now, so none starts.");
  });
});

describe("the plan", () => {
  const solo = { id: "solo", name: "Solo", cycle: "month", price: { amount: 1_200, currency: "usd" } } as const;
  it("says its price", () => {
    expect(planPrice(solo)).toBe("$12.00 a month");
    expect(planPrice({ id: "free", name: "Free" })).toBe("Costs nothing");
  });
  it("says first what is wrong, then what ends, then what renews", () => {
    const all = { ...solo, status: "past_due", pausedAt: inMs(0), endsAt: inMs(0), renewsAt: inMs(0) };
    expect(planState(all, now)).toEqual({ words: "Payment failed", tone: "bad" });
    expect(planState({ ...all, status: "active" }, now)?.words).toMatch(/^Paused since/);
    expect(planState({ ...solo, status: "active", endsAt: inMs(0), renewsAt: inMs(0) }, now)?.words).toMatch(/^Ends/);
    expect(planState({ ...solo, status: "active", renewsAt: inMs(0) }, now)?.tone).toBe("neutral");
    expect(planState({ id: "free", name: "Free" }, now)).toBeUndefined();
  });
});

describe("the bar of minutes", () => {
  const plan = { kind: "plan", name: "Solo", totalMs: 6_000 * MIN, remainingMs: 1_500 * MIN } as const;
  const pack = { kind: "pack", name: "1,000 minutes", totalMs: 1_500 * MIN, remainingMs: 750 * MIN } as const;
  it("is as full as what is left of all that was given", () => {
    expect(grantParts([plan, pack]).map(({ kind, percent }) => [kind, percent])).toEqual([
      ["plan", 20],
      ["pack", 10],
    ]);
    expect(grantParts([{ ...plan, remainingMs: 0 }])).toEqual([]);
  });
});

describe("budgets", () => {
  const budget: BudgetView = {
    ...{ id: "b", scope: "team", name: "The whole team", month: "2026-11" },
    ...{ measure: "money", limit: 2_000, spent: 1_599 },
  };
  it("warn from 80 %, and are full at 100", () => {
    expect(budgetState(budget)).toEqual({ percent: 79, tone: "neutral" });
    expect(budgetState({ ...budget, spent: 1_600 })).toEqual({ percent: 80, tone: "warn" });
    expect(budgetState({ ...budget, spent: 2_600 })).toEqual({ percent: 100, tone: "bad" });
  });
  it("are said in their own measure", () => {
    expect(budgetWords(budget, "usd")).toBe("$15.99 of $20.00 this month");
    expect(budgetWords({ ...budget, measure: "time", limit: 20 * 60 * MIN, spent: 90 * MIN }, "usd")).toBe(
      "1 h 30 min of 20 h this month",
    );
  });
  it("are summed up by the nearest", () => {
    expect(budgetsGlance([])).toBe("None set");
    expect(budgetsGlance([budget])).toBe("1 set, at 79 %");
    expect(budgetsGlance([budget, { ...budget, spent: 0 }])).toBe("2 set, highest at 79 %");
  });
});

describe("small words", () => {
  it("name sizes and people", () => {
    expect([512, 5_120, 10_752].map(storageWords)).toEqual(["512 MB", "5 GB", "10.5 GB"]);
    expect(askWords([])).toBe("Ask an owner of the team.");
    expect(askWords(["Ada"])).toBe("Ask Ada.");
    expect(askWords(["Ada", "Ben", "Chloé", "Dora"])).toBe("Ask Ada, Ben or Chloé.");
  });
});
