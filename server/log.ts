/**
 * Structured log: one JSON object a line. Fields come from a closed set, so nothing about a person can be logged by
 * accident: no addresses, no e-mail, no tokens, no page addresses. Unknown fields are dropped, text is stripped of
 * control characters and of anything that looks like one of our secrets.
 */
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

const SECRET =
  /\b(cp|pt|ticket)[_.][A-Za-z0-9_-]{20,}|\bsk_(live|test)_\w+|\bwhsec_\w+|\$argon2\w*\$\S+|[^\s@"']+@[^\s@"']+\.\w+/g;

/** Hides secrets and addresses in text that comes from errors. */
export function redact(text: string): string {
  return text.replace(SECRET, "[redacted]");
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

/** The fields of an unexpected error. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  return { error: `${error.name}: ${error.message}`, stack: error.stack };
}

export const silentLog: Log = { info() {}, warn() {}, error() {} };
