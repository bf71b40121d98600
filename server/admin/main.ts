/**
 * Commands for the operator, beside a running server or without one. Results go to stdout, words about problems to
 * stderr. Exit status: 0 done, 1 refused or failed, 2 not understood.
 */
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { systemClock } from "../clock.ts";
import { type Config, parseConfig } from "../config.ts";
import { PerchError } from "../errors.ts";
import { createLog, errorText } from "../log.ts";
import { guardOutbound } from "../privacy/processors/outbound.ts";
import { readRegister } from "../privacy/processors/processors-file.ts";
import { runAdmin } from "./commands.ts";

if (existsSync(".env")) process.loadEnvFile(".env");
const log = createLog({ clock: systemClock, write: (line) => process.stderr.write(line) });
let guarded = false;
/** From the first look at the settings on, commands connect to what is in the processor register alone. */
function config(): Config {
  const parsed = parseConfig(process.env);
  if (!guarded) guardOutbound({ processors: readRegister(parsed), clock: systemClock, log });
  guarded = true;
  return parsed;
}

try {
  process.exitCode = await runAdmin(process.argv.slice(2), {
    config,
    clock: systemClock,
    readStdin: () => text(process.stdin),
    out: (line) => process.stdout.write(`${line}\n`),
    error: (line) => process.stderr.write(`${line}\n`),
  });
} catch (error) {
  process.stderr.write(`${error instanceof PerchError ? error.message : `The command failed: ${errorText(error)}`}\n`);
  process.exitCode = 1;
}
