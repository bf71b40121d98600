import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { clauseProblems, clausesDocument } from "./clauses.ts";

describe("the clauses of the policy", () => {
  it("each have a control and a check, and every test that is named exists", () => {
    expect(clauseProblems()).toEqual([]);
  });
  it("stand in docs/privacy/clauses.md as they are", () => {
    expect(readFileSync("docs/privacy/clauses.md", "utf8")).toBe(clausesDocument());
  });
});
