import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

describe("icons", () => {
  it("have a shape for every name and a name for every shape", () => {
    const names = [...read("./icon.tsx").matchAll(/\| "(\w+)"/g)].map((match) => match[1]);
    const shapes = [...read("./icons.css").matchAll(/\.icon-(\w+) \{\s+d: path\(\s*"M/g)].map((match) => match[1]);
    expect(names.length).toBeGreaterThan(30);
    expect(shapes).toEqual(names);
  });
});
