import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digitIndex, moveFocus, type Spot } from "./keyboard.ts";

const keys = ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "End"];

describe("moveFocus", () => {
  it("enters at the near end", () => {
    expect(moveFocus([1, 3], undefined, "ArrowDown")).toEqual({ line: 0, control: 0 });
    expect(moveFocus([1, 3], undefined, "ArrowUp")).toEqual({ line: 1, control: 0 });
    expect(moveFocus([], undefined, "ArrowDown")).toBeUndefined();
  });
  it("walks lines and the controls in them", () => {
    expect(moveFocus([1, 3], { line: 0, control: 0 }, "ArrowDown")).toEqual({ line: 1, control: 0 });
    expect(moveFocus([1, 3], { line: 1, control: 0 }, "ArrowRight")).toEqual({ line: 1, control: 1 });
    expect(moveFocus([1, 3], { line: 1, control: 2 }, "ArrowUp")).toEqual({ line: 0, control: 0 });
    expect(moveFocus([1, 3], { line: 0, control: 0 }, "Enter")).toBeUndefined();
  });
  it("never leaves the popup, whatever is pressed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.constantFrom(...keys), { maxLength: 40 }),
        (lines, presses) => {
          let spot: Spot | undefined;
          for (const key of presses) spot = moveFocus(lines, spot, key) ?? spot;
          if (spot !== undefined) expect(spot.control).toBeLessThan(lines[spot.line] ?? 0);
        },
      ),
    );
  });
});

describe("digitIndex", () => {
  it("counts from one and only as far as there are phones", () => {
    expect(digitIndex("1", 3)).toBe(0);
    expect(digitIndex("3", 3)).toBe(2);
    expect(digitIndex("4", 3)).toBeUndefined();
    expect(digitIndex("0", 3)).toBeUndefined();
    expect(digitIndex("a", 3)).toBeUndefined();
  });
});
