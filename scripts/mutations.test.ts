import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MUTATIONS } from "./mutations/all.ts";
import { hasTest, titlePattern } from "./test-titles.ts";

describe("controls broken on purpose", () => {
  it("are at least thirty, each another", () => {
    expect(new Set(MUTATIONS.map(({ breaks }) => breaks)).size).toBe(MUTATIONS.length);
    expect(MUTATIONS.length).toBeGreaterThanOrEqual(30);
  });
  it("break a line that stands exactly once, and name a test that exists", () => {
    const wrong = MUTATIONS.flatMap(({ breaks, file, find, replace, test }) => [
      ...(readFileSync(file, "utf8").split(find).length === 2 ? [] : [`${breaks}: not once in ${file}: ${find}`]),
      ...(find === replace ? [`${breaks}: changes nothing`] : []),
      ...(hasTest(test.file, test.title) ? [] : [`${breaks}: no test “${test.title}” in ${test.file}`]),
    ]);
    expect(wrong).toEqual([]);
  });
  it("stand in docs/security/mutations.md, every one caught", () => {
    const rows = readFileSync("docs/security/mutations.md", "utf8").split("\n");
    for (const { breaks } of MUTATIONS)
      expect(rows.find((row) => row.startsWith(`| ${breaks} |`))).toContain(" | red | ");
  });
  it("are found by their title whatever stands in for its placeholders", () => {
    const pattern = new RegExp(titlePattern("%s knows (nothing) of $name's %j, ever?"));
    expect(pattern.test('strangers phones.get knows (nothing) of Anna\'s {"a":1}, ever?')).toBe(true);
    expect(pattern.test("phones.get knows nothing of Anna's 1, ever?")).toBe(false);
  });
});
