import { expect, it } from "vitest";
import { isTruthy } from "./truth.ts";

it.each(["", " ", "false", "FALSE", "undefined", "null", "0", "0.0", "-0", " 0 ", undefined])("%j is false", (text) => {
  expect(isTruthy(text)).toBe(false);
});

it.each(["true", "1", "no", "00x", "NaN", "[]", "{}", "falsey"])("%j is true", (text) => {
  expect(isTruthy(text)).toBe(true);
});
