import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkResults, type TestReport } from "./check-results.ts";

const FILE = "shared/policy/policy-v1.test.ts";
const TITLE = "stands as it was published; a change is a new version";
const report = (...statuses: string[]): TestReport => ({
  testResults: [
    {
      name: join(process.cwd(), FILE),
      assertionResults: statuses.map((status) => ({ title: TITLE, status })),
    },
  ],
});

describe("results of checks", () => {
  it.each([
    ["passed", [report("passed")]],
    ["failed", [report("passed", "failed")]],
    ["failed", [report("passed"), report("failed")]],
    ["not_run", [report("pending")]],
    ["not_run", []],
  ])("are %s", (state, reports) => {
    expect(checkResults(reports)[`${FILE} ${TITLE}`]).toBe(state);
  });
});
