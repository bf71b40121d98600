import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Edit, newLine, offsetOf } from "./text-editing.ts";

const done = (text: string, { from, to, insert }: Edit) => text.slice(0, from) + insert + text.slice(to);

describe("a place in a text", () => {
  it("is where the line and column are", () => {
    const text = "ab\ncde\n\nf";
    expect(offsetOf(text, { line: 1, column: 1 })).toBe(0);
    expect(offsetOf(text, { line: 2, column: 3 })).toBe(5);
    expect(offsetOf(text, { line: 3, column: 1 })).toBe(7);
    expect(offsetOf(text, { line: 4, column: 1 })).toBe(8);
  });
  it("is in its line or at the text's end, whatever is asked", () => {
    const place = fc.record({ line: fc.integer({ min: 1, max: 12 }), column: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "\n"), maxLength: 30 }), place, (text, wanted) => {
        const offset = offsetOf(text, wanted);
        const lines = text.split("\n");
        expect(text.slice(0, offset).split("\n")).toHaveLength(Math.min(wanted.line, lines.length));
        if (wanted.line > lines.length) expect(offset).toBe(text.length);
      }),
    );
  });
});

describe("Enter", () => {
  it("goes on as far in as the line is, and further after a colon", () => {
    const entered = (text: string) => done(text, newLine(text, text.length, text.length));
    expect(entered("a\n  b")).toBe("a\n  b\n  ");
    expect(entered("inputs:")).toBe("inputs:\n  ");
    expect(entered("- tapOn:")).toBe("- tapOn:\n    ");
    expect(entered("- launchApp")).toBe("- launchApp\n");
  });
});
