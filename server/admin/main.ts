/**
 * Commands for the operator, beside a running server or without one. Results go to stdout, words about problems to
 * stderr. Exit status: 0 done, 1 refused or failed, 2 not understood.
 */
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { PerchError } from "../errors.ts";
import { errorText } from "../log.ts";
import { runAdmin } from "./commands.ts";

if (existsSync(".env")) process.loadEnvFile(".env");
try {
  process.exitCode = await runAdmin(process.argv.slice(2), {
    config: () => parseConfig(process.env),
    clock: systemClock,
    readStdin: () => text(process.stdin),
    out: (line) => process.stdout.write(`${line}\n`),
    error: (line) => process.stderr.write(`${line}\n`),
  });
} catch (error) {
  process.stderr.write(`${error instanceof PerchError ? error.message : `The command failed: ${errorText(error)}`}\n`);
  process.exitCode = 1;
}
