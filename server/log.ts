/**
 * Structured log: one JSON object a line. Fields come from a closed set, so nothing about a person can be logged by
 * accident: no addresses, no e-mail, no tokens, no page addresses. Unknown fields are dropped, text is stripped of
 * control characters and of anything that looks like one of our secrets.
 */
import { withoutCardNumbers } from "./billing/card-numbers.ts";
import type { Clock } from "./clock.ts";

const FIELDS = [
  "requestId",
  "procedure",
  "method",
  "route",
  "status",
  "durationMs",
  "code",
  "phoneId",
  "teamId",
  "jobId",
  "incidentId",
  "kind",
  "attempt",
  "count",
  "bytes",
  "reason",
  "state",
  "port",
  "error",
  "stack",
  "version",
  "pid",
] as const;
type Field = (typeof FIELDS)[number];
export type LogFields = { readonly [F in Field]?: string | number | boolean | undefined } & {
  readonly [name: string]: unknown;
};

export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Longest text of one field; what is longer is cut. */
const MAX_TEXT = 8_000;
/** Prefixes of ids the data map keeps out of the log: whose account, whose session. `log.test.ts` holds it to the map. */
export const UNLOGGED_IDS: readonly string[] = ["usr", "ses"];
/** What no line may hold, wherever it stands in a text. */
const HIDDEN = [
  // Password hashes (PHC strings), Stripe's keys, our tokens and tickets, and anything as long as one, keys in hex included.
  /\$argon2\w*\$\S+|\bsk_(live|test)_\w+|\bwhsec_\w+|\b(cp|pt|ticket)[_.][\w-]{20,}|(?<![\w-])[\w-]{43,}/,
  // Whose it is.
  new RegExp(`(?<![\\w-])(?:${UNLOGGED_IDS.join("|")})_[\\w-]{22}(?![\\w-])`),
  // Web and e-mail addresses.
  /\bhttps?:\/\/[^\s"')]+|[^\s@"'<>():;,/\\]{1,64}@[^\s@"'<>()]+/,
  // Network addresses, but the machine's own.
  /(?<![\w.-])(?!127\.|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)/,
  /(?<![\w:.])(?:[\da-f]{1,4}:){7}[\da-f]{1,4}(?![\w:])|(?<![\w:.])(?:[\da-f]{1,4}:){1,6}(?::[\da-f]{1,4}){1,6}(?![\w:])/,
];
const SECRET = new RegExp(HIDDEN.map(({ source }) => source).join("|"), "g");
/** Line breaks that are not JSON's to escape, and other control characters. */
const CONTROL = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** Hides secrets, addresses, card numbers and ids of people in text that comes from errors. */
export function redact(text: string): string {
  const hidden = text.slice(0, MAX_TEXT).replace(SECRET, "[redacted]").replace(CONTROL, " ");
  return withoutCardNumbers(hidden);
}

/** A log that writes lines through `write`; `level` "silent" writes none. */
export function createLog(options: { clock: Clock; write: (line: string) => void }): Log {
  const line = (level: string, message: string, fields: LogFields = {}) => {
    const entry: Record<string, unknown> = {
      time: new Date(options.clock.now()).toISOString(),
      level,
      message: redact(message),
    };
    for (const field of FIELDS) {
      const value = fields[field];
      if (typeof value === "string") entry[field] = redact(value);
      else if (typeof value === "number" || typeof value === "boolean") entry[field] = value;
    }
    options.write(`${JSON.stringify(entry)}\n`);
  };
  return {
    info: (message, fields) => line("info", message, fields),
    warn: (message, fields) => line("warn", message, fields),
    error: (message, fields) => line("error", message, fields),
  };
}

/** An error in one line without the values of a failed query, which are people's data. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return redact(String(error));
  const { name, message } = error;
  return redact(`${name}: ${message.startsWith(FAILED_QUERY) ? FAILED_QUERY + causeOf(error) : message}`);
}

/** The fields of an unexpected error: its text and where it came from. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: errorText(error) };
  const { stack, message } = error;
  const frames = stack?.slice(stack.lastIndexOf(message) + message.length).trim();
  return { error: errorText(error), stack: frames };
}

/** drizzle-orm names the query and every parameter in the message. */
const FAILED_QUERY = "Failed query";
function causeOf(error: Error): string {
  return error.cause instanceof Error ? ` (${error.cause.message})` : "";
}

export const silentLog: Log = { info() {}, warn() {}, error() {} };
