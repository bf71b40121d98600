/**
 * Errors that say the database, or the disk below it, cannot be used just now, told apart from faults of ours: people
 * hear what is the matter, and that trying again makes sense. Codes: sqlite.org/rescode.html, PostgreSQL 15 appendix A,
 * errno(3).
 */
import { PerchError } from "./errors.ts";

type Trouble = "full" | "read_only" | "away";

const CODES: Readonly<Record<string, Trouble>> = {
  ...{ SQLITE_FULL: "full", ENOSPC: "full", EDQUOT: "full", "53100": "full" },
  ...{ SQLITE_READONLY: "read_only", EROFS: "read_only", "25006": "read_only" },
  ...{ SQLITE_IOERR: "away", SQLITE_CANTOPEN: "away", SQLITE_BUSY: "away" },
  // Shut down, crashed, starting; too many connections; connection lost.
  ...{ "57P01": "away", "57P02": "away", "57P03": "away", "53300": "away" },
  ...{ "08000": "away", "08001": "away", "08003": "away", "08004": "away", "08006": "away" },
};
/** Of sockets: only where it is the database's. */
const CONNECTION = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/;
/** What node-postgres says without a code. */
const CUT =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;
/** How drizzle-orm begins what it wraps. */
const FAILED_QUERY = "Failed query";

const WORDS: Readonly<Record<Trouble, string>> = {
  full: "The server's disk is full, so nothing was changed. Who runs the server has to make room; then try again.",
  read_only: "The server cannot write to its disk, so nothing was changed. Who runs the server has to look at it.",
  away: "The server's database does not answer just now. Try again in a moment.",
};

/**
 * The error in words for people, with itself as the cause, where it is such trouble; any other as it is. `fromDatabase`:
 * nothing but the database can have thrown it.
 */
export function troubleInWords(error: unknown, fromDatabase = false): unknown {
  const trouble = troubleOf(error, fromDatabase);
  return trouble === undefined ? error : new PerchError("unavailable", WORDS[trouble], { cause: error });
}

/** True where a server that is starting, restarting or cut off may be there in a moment. */
export function isAway(error: unknown): boolean {
  return troubleOf(error, true) === "away";
}

function troubleOf(error: unknown, fromDatabase: boolean): Trouble | undefined {
  let ofDatabase = fromDatabase;
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof PerchError && !fromDatabase) return undefined;
    ofDatabase ||= at.message.startsWith(FAILED_QUERY);
    const { code } = at as Error & { readonly code?: unknown };
    const known = typeof code === "string" ? (CODES[code] ?? CODES[code.split("_").slice(0, 2).join("_")]) : undefined;
    if (known !== undefined) return known;
    if (ofDatabase && ((typeof code === "string" && CONNECTION.test(code)) || CUT.test(at.message))) return "away";
    // Several addresses were tried.
    if (at instanceof AggregateError && ofDatabase && at.errors.some((one) => troubleOf(one, true) === "away"))
      return "away";
  }
  return undefined;
}
