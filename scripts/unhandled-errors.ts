/**
 * A vitest reporter: writes what was thrown outside of any test to the file `UNHANDLED_ERRORS`, as a JSON list of texts. Vitest's own
 * JSON report leaves them out, and whoever reads only the end of a long log would not learn what failed.
 */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter } from "vitest/node";

export default class UnhandledErrors implements Reporter {
  onTestRunEnd: NonNullable<Reporter["onTestRunEnd"]> = (_, errors) => {
    const { UNHANDLED_ERRORS: file } = process.env;
    if (file === undefined) return;
    const texts = errors.map(({ stack, message, name, VITEST_TEST_PATH: during }) => {
      const place = typeof during === "string" ? `while ${relative(process.cwd(), during)} ran\n` : "";
      return `${place}${stack ?? `${name}: ${message}`}`;
    });
    writeFileSync(file, JSON.stringify(texts));
  };
}
