import { describe, expect, it } from "vitest";
import { FAKES, fake } from "./faker.ts";

describe("made-up values", () => {
  it("depend on the seed and the place in the row alone", () => {
    const row = (seed: string) => Array.from({ length: 20 }, (_, draw) => fake("fullName", seed, draw));
    expect(row("a")).toEqual(row("a"));
    expect(row("a")).not.toEqual(row("b"));
    expect(new Set(row("a")).size).toBeGreaterThan(10);
  });

  it.each(FAKES)("%s is text", (kind) => {
    expect(fake(kind, "run", 0)).toMatch(/\S/);
  });

  it("have the sizes asked for, within reason", () => {
    expect(fake("number", "run", 0, 5)).toMatch(/^[1-9]\d{4}$/);
    expect(fake("text", "run", 0, 12)).toMatch(/^[a-z]{12}$/);
    expect(fake("text", "run", 0, -1)).toBe("");
    expect(fake("text", "run", 0, Number.NaN)).toBe("");
    expect(fake("text", "run", 0, 1e12)).toHaveLength(10_000);
    expect(fake("between", "run", 0, 3, 3)).toBe("3");
    expect(fake("between", "run", 0, 9, 3)).toBe("9");
    expect(fake("email", "run", 0)).toMatch(/^[a-z]+\.[a-z]+\d{4}@example\.com$/);
  });
});
