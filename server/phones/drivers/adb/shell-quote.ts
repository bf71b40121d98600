/**
 * The one place where arguments become a line for Android's shell (mksh): each stands in single quotes, in which nothing
 * has a meaning but the quote itself (POSIX.1-2024, XCU 2.2.2), so whatever an argument holds reaches the program as it is.
 */
import { PerchError } from "../../../errors.ts";

/** Linux's MAX_ARG_STRLEN: more than this no program is given as one argument. */
const MAX_ARGUMENT_BYTES = 128 * 1024 - 1;

/** @throws PerchError `bad_input` for NUL, which no argument can hold, half a surrogate pair, and what is too long */
export function shellQuote(argument: string): string {
  if (argument.includes("\0") || !argument.isWellFormed()) {
    throw new PerchError("bad_input", "This text has a character no phone takes. Remove it and try again.");
  }
  if (Buffer.byteLength(argument) > MAX_ARGUMENT_BYTES) {
    throw new PerchError("too_large", "This text is too long for one command of a phone.");
  }
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}

export function shellLine(argv: readonly [string, ...string[]]): string {
  return argv.map(shellQuote).join(" ");
}
