/** What a run of the tests says of each check of the privacy policy: `dist/checks.json`, which `/trust` shows. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { z } from "zod";
import { CONTROLS } from "../server/privacy/trust/controls.ts";
import { RESULTS_FILE, resultKey, type TestResults } from "../server/privacy/trust/test-results.ts";
import { PRODUCT_VERSION } from "../shared/version.ts";
import { titlePattern } from "./test-titles.ts";

const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(z.object({ title: z.string(), status: z.string() })),
    }),
  ),
});
export type TestReport = z.infer<typeof report>;

/** A check passed when its test ran and none of what it was run with failed. */
export function checkResults(reports: readonly TestReport[]): TestResults["checks"] {
  const results: TestResults["checks"] = {};
  for (const one of Object.values(CONTROLS).flatMap(({ checks }) => checks)) {
    const title = new RegExp(`^${titlePattern(one.title)}$`);
    const runs = reports
      .flatMap(({ testResults }) => testResults)
      .filter(({ name }) => relative(process.cwd(), name) === one.file)
      .flatMap(({ assertionResults }) => assertionResults.filter((result) => title.test(result.title)));
    const statuses = new Set(runs.map(({ status }) => status));
    results[resultKey(one)] = statuses.has("failed") ? "failed" : statuses.has("passed") ? "passed" : "not_run";
  }
  return results;
}

/** Reads vitest's JSON reports; one that cannot be read is left out, its checks were not run. */
export function writeCheckResults(files: readonly string[]): void {
  const reports = files.flatMap((file) => {
    const parsed = report.safeParse(JSON.parse(readFileSync(file, "utf8")));
    return parsed.success ? [parsed.data] : [];
  });
  const results: TestResults = {
    at: new Date().toISOString(),
    version: PRODUCT_VERSION,
    checks: checkResults(reports),
  };
  mkdirSync(dirname(RESULTS_FILE), { recursive: true });
  writeFileSync(RESULTS_FILE, JSON.stringify(results));
}
