/**
 * `npm test`: everything that must pass — format and lint, types, unit and contract tests, both builds with their size
 * budgets, and the end-to-end tests in real browsers. Ends with one line: `N passed, N failed`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { z } from "zod";
import { ensureBrowsers } from "./browsers.ts";
import { writeCheckResults } from "./check-results.ts";

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numFailedTestSuites: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});
const folder = mkdtempSync(join(tmpdir(), "perch-results-"));
const totals = { passed: 0, failed: 0, skipped: 0 };
/** Told again at the end: whoever reads only the last lines of a long log finds what to mend. */
const failures: string[] = [];

/** One check that passes or fails as a whole. */
function step(name: string, program: string, args: readonly string[]): boolean {
  console.log(`\n── ${name}`);
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  totals[status === 0 ? "passed" : "failed"] += 1;
  if (status !== 0) failures.push(name);
  return status === 0;
}

/** A vitest run, counted test by test. */
function suite(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  console.log(`\n── ${name}`);
  const output = join(folder, `${name.replaceAll(/\W+/g, "-")}.json`);
  const { status } = spawnSync(
    "vitest",
    ["run", ...args, "--reporter=dot", "--reporter=json", `--outputFile.json=${output}`],
    {
      stdio: "inherit",
      env: { ...process.env, ...env },
    },
  );
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, testResults } = report.parse(
      JSON.parse(readFileSync(output, "utf8")),
    );
    totals.passed += numPassedTests;
    totals.failed += numFailedTests > 0 ? numFailedTests : numFailedTestSuites;
    totals.skipped += numPendingTests;
    for (const { name: path, status: whole, assertionResults } of testResults) {
      const file = relative(process.cwd(), path);
      const failed = assertionResults.filter((one) => one.status === "failed");
      failures.push(...failed.map(({ fullName }) => `${file}: ${fullName}`));
      if (whole === "failed" && failed.length === 0) failures.push(`${file}: did not run to its end`);
    }
    if (status !== 0 && numFailedTests === 0 && numFailedTestSuites === 0) {
      totals.failed += 1;
      failures.push(`${name}: an error outside of any test, see above`);
    }
  } catch {
    totals.failed += 1;
    failures.push(`${name}: no report`);
  }
}

const browsers = await ensureBrowsers();
step("Format and lint", "biome", ["check", "."]);
step("Types", "tsc", ["--noEmit"]);
suite("Unit, contract and property tests", []);
const built =
  step("Server bundle", "node", ["scripts/build-server.ts"]) &&
  step("Extension for both browsers, within its size", "node", ["scripts/build-extension.ts"]);
if (built) {
  suite("End to end in real browsers", ["--config", "e2e/vitest.config.ts"], {
    ...(browsers.chromium !== undefined && { PERCH_E2E_CHROMIUM: browsers.chromium }),
    ...(browsers.firefox !== undefined && { PERCH_E2E_FIREFOX: browsers.firefox }),
  });
}
writeCheckResults(readdirSync(folder).map((name) => join(folder, name)));
rmSync(folder, { recursive: true, force: true });

for (const missing of browsers.missing) console.log(missing);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join("\n")}`);
console.log(
  `\n${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ""}`,
);
process.exit(totals.failed === 0 ? 0 : 1);
