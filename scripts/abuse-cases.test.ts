import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ABUSE_CASES, abuseDocument, abuseProblems, testsOfCases } from "./abuse-cases.ts";

describe("the registry of abuse cases", () => {
  it("holds all forty, each proved by a test or waiting for a part that is yet to be built", () => {
    expect(ABUSE_CASES.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(abuseProblems(ABUSE_CASES, testsOfCases())).toEqual([]);
  });
  it("lets nothing else wait", () => {
    const waiting = ABUSE_CASES.flatMap(({ id, waits }) => (waits === undefined ? [] : [[id, waits.issue]]));
    expect(waiting).toEqual([
      [32, 7],
      [35, 7],
    ]);
    expect(ABUSE_CASES.filter(({ waits }) => waits?.part !== undefined).map(({ id }) => id)).toEqual([35]);
  });
  it("notices a case without a test, a pending one that has one, and a test of no case", () => {
    const cases = [
      { id: 1, words: "" },
      { id: 2, words: "", waits: { issue: 7 } },
      { id: 3, words: "", waits: { issue: 7, part: "one" } },
    ];
    const one = ["a.test.ts"];
    expect(
      abuseProblems(
        cases,
        new Map([
          [1, one],
          [3, one],
        ]),
      ),
    ).toEqual([]);
    expect(abuseProblems(cases, new Map([[2, one]]))).toHaveLength(3);
    expect(abuseProblems(cases, new Map([[9, one]]))[0]).toContain("case 9");
  });
  it("stands in docs/security/abuse.md as it is", () => {
    expect(readFileSync("docs/security/abuse.md", "utf8")).toBe(abuseDocument());
  });
});
