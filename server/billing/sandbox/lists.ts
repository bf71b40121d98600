/** Lists as Stripe pages them, the newest first, and the search language's one sentence: `metadata['a']:'b'`. */
import { invalid } from "./errors.ts";
import type { AnyObj } from "./objects.ts";

export interface Paging {
  readonly limit?: number | undefined;
  readonly starting_after?: string | undefined;
  readonly ending_before?: string | undefined;
  readonly expand?: string[] | undefined;
}
export interface Page<T> {
  readonly object: "list";
  readonly data: T[];
  readonly has_more: boolean;
  readonly url: string;
}

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

/** `all`: in the order they were made in. */
export function page<T extends { id: string }>(all: readonly T[], url: string, paging: Paging): Page<T> {
  const { limit = DEFAULT_LIMIT, starting_after: after, ending_before: before } = paging;
  if (limit < 1 || limit > MAX_LIMIT) throw invalid(`This value must be between 1 and ${MAX_LIMIT}.`, "limit");
  if (after !== undefined && before !== undefined) {
    throw invalid("You can not have both starting_after and ending_before.", "starting_after");
  }
  const newest = [...all].reverse();
  const index = (id: string, param: string) => {
    const at = newest.findIndex((one) => one.id === id);
    if (at < 0) throw invalid(`No such object: '${id}'`, param, "resource_missing");
    return at;
  };
  if (before !== undefined) {
    const end = index(before, "ending_before");
    const start = Math.max(0, end - limit);
    return { object: "list", data: newest.slice(start, end), has_more: start > 0, url };
  }
  const start = after === undefined ? 0 : index(after, "starting_after") + 1;
  return { object: "list", data: newest.slice(start, start + limit), has_more: newest.length > start + limit, url };
}

export interface Moment {
  readonly gt?: number | undefined;
  readonly gte?: number | undefined;
  readonly lt?: number | undefined;
  readonly lte?: number | undefined;
}
export function within(at: number, range: Moment | undefined): boolean {
  if (range === undefined) return true;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return at > gt && at >= gte && at < lt && at <= lte;
}

const CLAUSE = /^\s*(metadata\["([^"]+)"\]|metadata\['([^']+)'\]|[a-z_]+)\s*:\s*(?:"([^"]*)"|'([^']*)')\s*$/;

/** Clauses joined by AND, each `field:"value"` or `metadata["key"]:"value"`. */
export function search<T extends AnyObj>(all: readonly T[], query: string): T[] {
  const clauses = query.split(/\s+AND\s+/i).map((clause) => {
    const match = CLAUSE.exec(clause);
    if (match === null) throw invalid(`The billing sandbox cannot read this search: ${clause}`, "query");
    return { key: match[2] ?? match[3], field: match[1] ?? "", value: match[4] ?? match[5] ?? "" };
  });
  const holds = (object: T) =>
    clauses.every(({ key, field, value }) => {
      const fields: Record<string, unknown> = { ...object };
      const metadata: Record<string, unknown> = { ...Object(fields["metadata"]) };
      return (key === undefined ? fields[field] : metadata[key]) === value;
    });
  return all.filter(holds);
}

export function found<T extends { id: string }>(all: readonly T[], url: string, limit = DEFAULT_LIMIT) {
  const newest = [...all].reverse();
  return {
    object: "search_result",
    data: newest.slice(0, limit),
    has_more: newest.length > limit,
    next_page: null,
    url,
  };
}
