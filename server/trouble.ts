/**
 * What a database, or the disk below it, says when it cannot serve, in words a person can act on. PostgreSQL tells with
 * SQLSTATEs (manual, appendix A), its driver and the system with names of their own (errno(3)), SQLite with result codes
 * (sqlite.org/rescode.html).
 */
import { PerchError } from "./errors.ts";

/** The server is not there, is going, or is coming up: class 08, 57P01 to 57P05. */
const AWAY = /^(08\w{3}|57P0[1235]|SQLITE_CANTOPEN\w*)$/;
/** What the system says of sockets: only where it is the database's. */
const AWAY_SOCKET =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ENOENT)$/;
/** What node-postgres throws without a code when a connection ends or cannot be had. */
const AWAY_WORDS =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout exceeded when trying|server conn crashed|query_wait_timeout)/i;
/** How drizzle-orm begins what it wraps. */
const FAILED_QUERY = "Failed query";

const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /^(53100|SQLITE_FULL|ENOSPC|EDQUOT)$/,
    "The server's disk is full. Nothing was saved; tell whoever runs this server.",
  ],
  [/^EROFS$/, "The server cannot write to its disk. Nothing was saved; tell whoever runs this server."],
  [
    /^(25006|SQLITE_READONLY)/,
    "The database takes no changes at present: it is read-only, or a standby. Reading goes on; tell whoever runs this server.",
  ],
  [/^(53300|53400|53200)$/, "The database has no room for more work at present. Try again in a moment."],
  [/^57014$/, "The database took too long and was stopped. Nothing was saved. Try again in a moment."],
  [/^(55P03|SQLITE_BUSY)/, "Something else holds what this needs in the database. Try again in a moment."],
  [/^(40001|40P01)$/, "Too many changed the same at once. Try again in a moment."],
  [/^25P03$/, "This took too long and was given up. Nothing was saved. Try again in a moment."],
  [/^(58030|SQLITE_IOERR)/, "The database cannot read or write its disk. Tell whoever runs this server."],
  [/^42501$/, "The database user of this server lacks a right it needs. Tell whoever runs this server."],
];

const AWAY_MESSAGE = "The database does not answer at present. Try again in a moment.";

/** Codes and messages of an error and of what caused it. */
function* chain(error: unknown): Generator<{ error: Error; code: string; message: string }> {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    yield { error: at, code: "code" in at && typeof at.code === "string" ? at.code : "", message: at.message };
    if (at instanceof AggregateError) for (const one of at.errors) yield* chain(one);
  }
}

/** True when the connection is gone or could not be had, so that nothing is known of what was asked. */
export function isAway(error: unknown): boolean {
  for (const { code, message } of chain(error)) {
    if (AWAY.test(code) || AWAY_SOCKET.test(code) || AWAY_WORDS.test(message)) return true;
  }
  return false;
}

/** True when the server takes no changes, as one that became a standby. */
export function isReadOnly(error: unknown): boolean {
  for (const { code } of chain(error)) if (code === "25006") return true;
  return false;
}

/** What to tell people of an error only a database can have thrown; `undefined` when it is not such trouble. */
export function troubleOf(error: unknown): PerchError | undefined {
  for (const { error: at } of chain(error)) if (at instanceof PerchError) return undefined;
  for (const { code } of chain(error)) {
    const words = WORDS.find(([codes]) => codes.test(code))?.[1];
    if (words !== undefined) return new PerchError("unavailable", words, { cause: error });
  }
  return isAway(error) ? new PerchError("unavailable", AWAY_MESSAGE, { cause: error }) : undefined;
}

/**
 * An error of any part of the server in words for people, with itself as the cause, where it is a database's or a disk's
 * trouble, or wraps what is words already; any other as it is. A socket's error counts where a query failed with it.
 */
export function troubleInWords(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PerchError) return error;
  const isQuery = error.message.startsWith(FAILED_QUERY);
  if (isQuery && error.cause instanceof PerchError) return error.cause;
  const isKnown = [...chain(error)].some(({ code }) => AWAY.test(code) || WORDS.some(([codes]) => codes.test(code)));
  return isQuery || isKnown ? (troubleOf(error) ?? error) : error;
}

/** The connection went while `commit` was on its way: it may be saved, or not. */
export function outcomeUnknown(cause: unknown): PerchError {
  return new PerchError(
    "unavailable",
    "The database went away while this was being saved. Look whether it is there before you try again.",
    { cause },
  );
}
