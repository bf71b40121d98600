/**
 * `npm test`: everything that must pass — format and lint, types, unit and contract tests, both builds with their size
 * budgets, and the end-to-end tests in real browsers. Ends with one line: `N passed, N failed`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { TIMED } from "../e2e/vitest.config.ts";
import { ensureBrowsers } from "./browsers.ts";
import { writeCheckResults } from "./check-results.ts";

const report = z.object({
  numPassedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});
const folder = mkdtempSync(join(tmpdir(), "perch-results-"));
const totals = { passed: 0, failed: 0, skipped: 0 };
/** Told again at the end: whoever reads only the last lines of a long log finds what to mend. */
const failures: string[] = [];
/** Failed beside another browser; the run alone counts. */
const besideOthers: string[] = [];

/** One check that passes or fails as a whole. */
function step(name: string, program: string, args: readonly string[]): boolean {
  console.log(`\n── ${name}`);
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  totals[status === 0 ? "passed" : "failed"] += 1;
  if (status !== 0) failures.push(name);
  return status === 0;
}

interface Outcome {
  readonly passed: number;
  readonly skipped: number;
  /** Files with something that failed, each with how many of its tests passed or were skipped, and what to say of it. */
  readonly broken: readonly {
    readonly file: string;
    readonly passed: number;
    readonly skipped: number;
    readonly what: readonly string[];
  }[];
  /** What failed outside of any file. */
  readonly beside: readonly string[];
}

function vitest(name: string, args: readonly string[], env: Readonly<Record<string, string>>): Outcome {
  console.log(`\n── ${name}`);
  const output = join(folder, `${name.replaceAll(/\W+/g, "-")}.json`);
  const unhandled = join(folder, "unhandled.json");
  rmSync(unhandled, { force: true });
  const reporters = ["--reporter=dot", "--reporter=json", "--reporter=./scripts/unhandled-errors.ts"];
  const { status } = spawnSync("vitest", ["run", ...args, ...reporters, `--outputFile.json=${output}`], {
    stdio: "inherit",
    env: { ...process.env, ...env, UNHANDLED_ERRORS: unhandled },
  });
  const found = readJson(output, report);
  if (found === undefined) return { passed: 0, skipped: 0, broken: [], beside: [`${name}: no report`] };
  const { numPassedTests, numPendingTests, testResults } = found;
  const broken = testResults.flatMap(({ name: path, status: whole, message, assertionResults }) => {
    const file = relative(process.cwd(), path);
    const failed = assertionResults.filter((one) => one.status === "failed");
    const what = failed.map(({ fullName, failureMessages }) => `${file}: ${fullName}${beginning(failureMessages)}`);
    if (whole === "failed" && failed.length === 0) {
      what.push(`${file}: did not run to its end${beginning([message])}`);
    }
    const passed = assertionResults.filter((one) => one.status === "passed").length;
    const skipped = assertionResults.length - passed - failed.length;
    return what.length === 0 ? [] : [{ file, passed, skipped, what }];
  });
  const beside = (readJson(unhandled, z.array(z.string())) ?? []).map(
    (error) => `${name}: an error outside of any test${beginning([error])}`,
  );
  if (status !== 0 && broken.length === 0 && beside.length === 0) beside.push(`${name}: ended with ${status}`);
  return { passed: numPassedTests, skipped: numPendingTests, broken, beside };
}

/** Undefined where vitest left none, or not a whole one. */
function readJson<T>(file: string, shape: z.ZodType<T>): T | undefined {
  try {
    return shape.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

/** The first lines of what was thrown, indented below what failed. */
function beginning(messages: readonly string[]): string {
  const lines = messages.flatMap((message) => stripVTControlCharacters(message).split("\n").slice(0, 8));
  return lines.map((line) => `\n      ${line.slice(0, 200)}`).join("");
}

function count({ passed, skipped, broken, beside }: Outcome): void {
  const failed = [...beside, ...broken.flatMap(({ what }) => what)];
  totals.passed += passed;
  totals.skipped += skipped;
  totals.failed += failed.length;
  failures.push(...failed);
}

/**
 * Browser tests run two files at a time. A file that fails beside another runs once more alone, and what it does then counts;
 * it is named at the end all the same (docs/decisions/browser-tests-alone.md).
 */
function browserSuite(name: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
  const together = vitest(name, args, env);
  const again = together.broken.filter(({ file }) => !TIMED.includes(file));
  if (again.length === 0 || again.length > MOST_AGAIN || together.beside.length > 0) {
    count(together);
    return;
  }
  besideOthers.push(...again.flatMap(({ what }) => what));
  count({
    ...together,
    passed: together.passed - again.reduce((sum, { passed }) => sum + passed, 0),
    skipped: together.skipped - again.reduce((sum, { skipped }) => sum + skipped, 0),
    broken: together.broken.filter((one) => !again.includes(one)),
  });
  const files = again.map(({ file }) => file);
  count(vitest(`${name}, alone`, [...args, "--maxWorkers", "1", ...files], { ...env, PERCH_E2E_KEEP: "1" }));
}
/** More is no accident. */
const MOST_AGAIN = 2;

const browsers = await ensureBrowsers();
step("Format and lint", "biome", ["check", "."]);
step("Types", "tsc", ["--noEmit"]);
count(vitest("Unit, contract and property tests", [], {}));
const built =
  step("Server bundle", "node", ["scripts/build-server.ts"]) &&
  step("Extension for both browsers, within its size", "node", ["scripts/build-extension.ts"]);
if (built) {
  browserSuite("End to end in real browsers", ["--config", "e2e/vitest.config.ts"], {
    ...(browsers.chromium !== undefined && { PERCH_E2E_CHROMIUM: browsers.chromium }),
    ...(browsers.firefox !== undefined && { PERCH_E2E_FIREFOX: browsers.firefox }),
  });
}
writeCheckResults(readdirSync(folder).map((name) => join(folder, name)));
rmSync(folder, { recursive: true, force: true });

for (const missing of browsers.missing) console.log(missing);
if (besideOthers.length > 0) {
  console.log(`\nFailed beside another browser, and run again alone:\n${listed(besideOthers)}`);
}
if (failures.length > 0) console.log(`\nFailed:\n${listed(failures)}`);
console.log(
  `\n${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ""}`,
);

function listed(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

process.exit(totals.failed === 0 ? 0 : 1);
