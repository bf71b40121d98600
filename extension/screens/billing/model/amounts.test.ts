import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { moneyText, parseHours, parseMoney } from "./amounts.ts";

describe("amounts people write", () => {
  it.each([
    ["12", 1_200],
    ["12.5", 1_250],
    ["12,50", 1_250],
    ["$12.50", 1_250],
    [" 12.50 $ ", 1_250],
    ["0.07", 7],
    ["0", 0],
    ["", undefined],
    ["-5", undefined],
    ["1.234", undefined],
    ["1,000.00", undefined],
    ["12e3", undefined],
    ["twelve", undefined],
    ["12.", undefined],
  ])("%j is %s", (text, amount) => expect(parseMoney(text, "usd")).toBe(amount));
  it("come back as they went into the field, to the cent", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_999_999 }),
        fc.constantFrom("usd", "jpy", "kwd"),
        (amount, currency) => {
          expect(parseMoney(moneyText(amount, currency), currency)).toBe(amount);
        },
      ),
    );
  });
  it("are whole in a currency without parts", () => {
    expect(parseMoney("500", "jpy")).toBe(500);
    expect(parseMoney("500.5", "jpy")).toBeUndefined();
    expect(moneyText(500, "jpy")).toBe("500");
  });
  it("are whole hours of time", () => {
    expect(parseHours("20")).toBe(72_000_000);
    for (const text of ["", "1.5", "-1", "x"]) expect(parseHours(text)).toBeUndefined();
  });
});
