import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROVE_TIMES } from "../testing/prove.ts";
import { compilePattern, MAX_VALUE_LENGTH } from "./pattern.ts";

const matches = (pattern: string, value: string) => compilePattern(pattern).matches(value);

describe("patterns", () => {
  it.each([
    ["Log in", "LOG IN", true],
    ["Log in", "Log in now", false],
    ["Weiß", "WEIß", true],
    ["ΣΑΣ", "σας", true],
    ["a.c", "aBc", true],
    ["a.c", "a\nc", true],
    ["a.c", "a😀c", true],
    ["a.c", "abbc", false],
    [".*in.*", "Log\nin now", true],
    ["ab.*ba", "aba", false],
    ["ab.*ba", "abba", true],
    [".*aa.*aa.*", "aaa", false],
    [".*aa.*aa.*", "aaXaa", true],
    ["a.*b.*c", "acb", false],
    ["Item \\d+", "item 42", true],
    ["First|Second", "second", true],
    ["First|Second", "First Second", false],
    ["^a$", "a", true],
    ["caf\\u00e9", "CAFÉ", true],
    ["日本.+", "日本語", true],
    ["\\Q1+1\\E", "1+1", true],
  ])("%j on %j: %j", (pattern, value, expected) => expect(matches(pattern, value)).toBe(expected));

  it.each([
    ["Price (5", "price (5"],
    ["[", "["],
    ["a**", "A**"],
    ["(?=a)b", "(?=A)B"],
    ["(a)\\1", "(a)\\1"],
    ["(a{1000}){1000}", "(a{1000}){1000}"],
  ])("%j is none and stands for itself", (pattern, value) => {
    expect(compilePattern(pattern).engine).toBe("literal");
    expect(matches(pattern, value)).toBe(true);
    expect(matches(pattern, "ab")).toBe(false);
  });

  it.each(["Log in", "com.shop:id/buy", "Done.", "日本語", "", ".*", ".*part.*", "a.*b.*c"])(
    "%j needs no engine",
    (pattern) => {
      expect(compilePattern(pattern).engine).toBe("literal");
    },
  );

  it.each(["^(a+)+$", "(a|a)*b", "(.*a){12}", "(a*)*c", "([a-z]+)*!", "(x+x+)+y"])(
    "%s runs in linear time",
    (pattern) => {
      const compiled = compilePattern(pattern);
      expect(compiled.engine).toBe("linear");
      expect(compiled.matches(`${"a".repeat(MAX_VALUE_LENGTH - 1)}#`)).toBe(false);
      expect(compiled.matches("a".repeat(MAX_VALUE_LENGTH + 1))).toBe(false);
    },
  );

  it("never runs a backtracking engine and never throws", () => {
    const piece = fc.constantFrom(
      "a",
      "b",
      "(",
      ")",
      "*",
      "+",
      "?",
      "{2,}",
      "|",
      "[",
      "]",
      "^",
      "$",
      ".",
      "\\",
      "\\d",
      "(?:",
      "(?=",
      "\\1",
      "{9999}",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.string({ maxLength: 50 }), (pieces, value) => {
        const pattern = compilePattern(pieces.join(""));
        expect(["literal", "linear"]).toContain(pattern.engine);
        expect(pattern.matches(value)).toBeTypeOf("boolean");
      }),
      { numRuns: 500 * PROVE_TIMES },
    );
  });

  it("gives the same answer by words as by expression", () => {
    const letter = fc.constantFrom("a", "B", ".", " ", "é", "É", "σ", "1", "語", "😀");
    const word = fc.string({ unit: letter, maxLength: 5 });
    const gaps = fc.string({ unit: fc.constantFrom("a", "b", ".*", "é", "\n", "😀"), maxLength: 6 });
    fc.assert(
      fc.property(
        gaps,
        fc.string({ unit: fc.constantFrom("a", "B", "é", "\n", "😀"), maxLength: 8 }),
        (pattern, value) => {
          expect(matches(pattern, value)).toBe(matches(`(?:${pattern})`, value));
        },
      ),
      { numRuns: 2000 * PROVE_TIMES },
    );
    fc.assert(
      fc.property(word, word, (pattern, value) => {
        expect(matches(pattern, value)).toBe(matches(`(?:${pattern})`, value));
      }),
      { numRuns: 1000 * PROVE_TIMES },
    );
  });
});
