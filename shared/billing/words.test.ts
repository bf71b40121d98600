import { describe, expect, it } from "vitest";
import { NOTHING } from "./rating.fixture.ts";
import { burnWords, coverWords, durationWords, minuteWords, moneyWords, startWords } from "./words.ts";

describe("words", () => {
  it.each([
    [0, "usd", "$0.00"],
    [12, "usd", "$0.12"],
    [5, "USD", "$0.05"],
    [-150, "usd", "-$1.50"],
    [123_456_789, "usd", "$1,234,567.89"],
    [9_007_199_254_740_991, "usd", "$90,071,992,547,409.91"],
    [1_200, "eur", "€12.00"],
    [500, "jpy", "¥500"],
  ])("%d of %s is %s", (amount, currency, words) => {
    expect(moneyWords(amount, currency)).toBe(words);
  });
  it("tell time in whole minutes, or to the second", () => {
    expect(minuteWords(12_739_999)).toBe("212 min");
    expect(minuteWords(1_800_000_000)).toBe("30,000 min");
    expect([1_769_999, 7_500_000, 12_000, 999].map(durationWords)).toEqual(["29 min 29 s", "2 h 5 min", "12 s", "0 s"]);
  });
  it("tell what a start uses, with money only for who may see it", () => {
    const plan = { id: "g", kind: "plan", remainingMs: 212 * 60_000, startsAt: 0 } as const;
    const funds = { ...NOTHING, grants: [plan], wallet: 100 };
    expect(startWords("plan", funds, "usd")).toBe(
      "Uses plan minutes (212 min left), then $0.12/h, at most $1.50 a day",
    );
    expect(startWords("plan", funds)).toBe("Uses plan minutes (212 min left), then the balance");
    expect(startWords("plan", { ...funds, wallet: 0 }, "usd")).toBe("Uses plan minutes (212 min left), then stops");
    expect(startWords("wallet", { ...NOTHING, wallet: 5 }, "usd")).toBe(
      "Uses the balance: $0.12/h, at most $1.50 a day",
    );
    expect(startWords("overage", { ...NOTHING, overage: 5 })).toBe("Uses the invoice");
    expect(startWords("wallet", NOTHING)).toBe("Uses what was paid for today");
  });
  it("tell what runs", () => {
    expect(coverWords("wallet", { perHour: 12, currency: "usd" })).toBe("Balance, $0.12/h");
    expect(coverWords("plan", { perHour: 12, currency: "usd" })).toBe("Plan minutes");
    expect(burnWords(2, 24, "usd")).toBe("2 phones running, $0.24/h");
    expect(burnWords(1)).toBe("1 phone running");
  });
});
