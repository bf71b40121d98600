import { describe, expect, it } from "vitest";
import { burnWords, coverWords, startWords } from "./cover-words.ts";
import { NOTHING } from "./rating.fixture.ts";

describe("what covers phone time, in words", () => {
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
