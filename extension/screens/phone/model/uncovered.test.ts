import { expect, it } from "vitest";
import { uncoveredSoon } from "./uncovered.ts";

const MIN = 60_000;
const now = Date.parse("2026-11-26T12:00:00Z");
const inMs = (ms: number) => new Date(now + ms).toISOString();

it("warns ten minutes before nothing covers a phone", () => {
  expect(uncoveredSoon(undefined, now)).toBe(false);
  expect(uncoveredSoon(inMs(10 * MIN), now)).toBe(false);
  expect(uncoveredSoon(inMs(10 * MIN - 1), now)).toBe(true);
  expect(uncoveredSoon(inMs(-1), now)).toBe(true);
});
