/** How entries of an audit chain hang together, and how its ends are sealed. */
import { createHash, createHmac } from "node:crypto";
import { getTableColumns, sql } from "drizzle-orm";
import type { Tables } from "../db/tables.ts";
import { canonicalJson } from "../limits/idempotency.ts";

export interface Head {
  readonly chain: string;
  /** Number and hash of the last entry; of the first one that is still there, the one before. */
  readonly entries: number;
  readonly hash: string;
  readonly start: number;
  readonly startHash: string | null;
}
/** A chain that begins with its first entry. */
export const WHOLE = { start: 0, startHash: null } as const;

const digest = (text: string) => createHash("sha256").update(text).digest("base64url");
export const GENESIS = digest("perch audit");
/** The head that counts the chains. */
export const ALL_CHAINS = "*";

export function sealOf(key: Buffer, { chain, entries, hash, start, startHash }: Head): string {
  const beginning = start === 0 && startHash === null ? [] : [start, startHash];
  return createHmac("sha256", key)
    .update(canonicalJson([chain, entries, hash, ...beginning]))
    .digest("base64url");
}

export const link = (prev: string, seq: number, action: string, commitment: string) =>
  digest([prev, String(seq), action, commitment].join("\n"));
export const commit = (entry: { at: Date; actor: string; object: string | null; detail: unknown; salt: string }) =>
  digest(canonicalJson([entry.salt, entry.at.toISOString(), entry.actor, entry.object, entry.detail ?? null]));

type LogRow = Tables["auditLog"]["$inferSelect"];
/** `detail` as the database has it: see `entryColumns`. */
export type StoredEntry = Omit<LogRow, "detail"> & { readonly detail: unknown };

/** Either all of it is there and fits its commitment, or all of it was forgotten. */
export function personalPartFits(
  row: Pick<LogRow, "at" | "actor" | "object" | "salt" | "commitment"> & { detail: unknown },
) {
  const { at, actor, object, salt } = row;
  if (at === null || actor === null || salt === null) {
    return [at, actor, object, row.detail, salt].every((part) => part === null);
  }
  const detail = parsedDetail(row.detail);
  const isMoment = !Number.isNaN(at.getTime());
  return detail !== undefined && isMoment && commit({ at, actor, object, detail, salt }) === row.commitment;
}

/** Whether the entry is the one after `seq`, and nothing of it was changed. */
export function follows(row: StoredEntry, seq: number, prev: string): boolean {
  return (
    row.seq === seq + 1 &&
    row.prev === prev &&
    row.hash === link(prev, row.seq, row.action, row.commitment) &&
    personalPartFits(row)
  );
}

/** SQLite stores JSON as text, PostgreSQL gives it parsed; undefined for text that is not JSON. */
function parsedDetail(stored: unknown): unknown {
  if (typeof stored !== "string") return stored;
  try {
    return JSON.parse(stored);
  } catch {
    return undefined;
  }
}

/** Columns of an entry. SQLite would parse the detail, and fail where somebody made it no JSON. */
export function entryColumns(auditLog: Tables["auditLog"]) {
  return { ...getTableColumns(auditLog), detail: sql<unknown>`${auditLog.detail}` };
}
