import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationWords, minutesWords, moneyWords, rateWords } from "./words.ts";

const MIN = 60_000;

describe("money", () => {
  it.each([
    [0, "usd", "$0.00"],
    [12, "usd", "$0.12"],
    [120_000, "usd", "$1,200.00"],
    [-340, "usd", "-$3.40"],
    [500, "jpy", "¥500"],
    [1_234, "eur", "€12.34"],
    [1_234, "kwd", "KWD 1.234"],
  ])("%d %s is %s", (amount, currency, words) => {
    expect(moneyWords(amount, currency).replace(/\u00a0/g, " ")).toBe(words);
  });
  it("keeps every cent of any amount", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (amount) => {
        const digits = moneyWords(amount, "usd").replace(/[^\d-]/g, "");
        expect(BigInt(digits)).toBe(BigInt(amount));
      }),
    );
  });
  it("says a rate by the hour", () => expect(rateWords(24, "usd")).toBe("$0.24/h"));
});

describe("time", () => {
  it.each([
    [0, "0 min"],
    [59_999, "0 min"],
    [12 * MIN, "12 min"],
    [2_412 * MIN + 59_999, "2,412 min"],
    [1_234_567 * MIN, "1,234,567 min"],
    [-1, "0 min"],
  ])("%d ms left is %s", (ms, words) => expect(minutesWords(ms)).toBe(words));
  it.each([
    [0, "0 s"],
    [40_900, "40 s"],
    [12 * MIN, "12 min"],
    [300 * MIN, "5 h"],
    [192 * MIN, "3 h 12 min"],
    [72_245 * MIN, "1,204 h"],
  ])("%d ms took %s", (ms, words) => expect(durationWords(ms)).toBe(words));
});
