/** What the last `npm test` of this build said of each check: written by `scripts/test.ts`, read by `/trust`. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Below the project's folder, beside the bundles. */
export const RESULTS_FILE = "dist/checks.json";

export const testResults = z.strictObject({
  /** When the run ended, ISO 8601. */
  at: z.iso.datetime(),
  /** Product version that was tested. */
  version: z.string(),
  /** By `<file> <title>`. */
  checks: z.record(z.string(), z.enum(["passed", "failed", "not_run"])),
});
export type TestResults = z.infer<typeof testResults>;

export function resultKey({ file, title }: { readonly file: string; readonly title: string }): string {
  return `${file} ${title}`;
}

/** `undefined` when no complete run of the tests was made with this build, or its file cannot be read. */
export function readTestResults(projectFolder: string): TestResults | undefined {
  const file = join(projectFolder, RESULTS_FILE);
  if (!existsSync(file)) return undefined;
  try {
    return testResults.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}
