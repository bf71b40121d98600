import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ABUSE_CASES, abuseDocument, abuseProblems, testsOfCases } from "./abuse-cases.ts";

describe("the registry of abuse cases", () => {
  it("holds all forty, each proved by a test", () => {
    expect(ABUSE_CASES.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(abuseProblems(ABUSE_CASES, testsOfCases())).toEqual([]);
  });
  it("notices a case without a test, and a test of no case", () => {
    const cases = [
      { id: 1, words: "" },
      { id: 2, words: "" },
    ];
    const one = ["a.test.ts"];
    expect(abuseProblems(cases, new Map([[1, one]]))).toHaveLength(1);
    expect(abuseProblems(cases, new Map([[9, one]]))[0]).toContain("case 9");
  });
  it("stands in docs/security/abuse.md as it is", () => {
    expect(readFileSync("docs/security/abuse.md", "utf8")).toBe(abuseDocument());
  });
});
