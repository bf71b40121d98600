/** tRPC's batches of calls, taken apart by node and put together again (trpc.io, "HTTP RPC specification"). */
import type { ErrorBody } from "../../shared/errors.ts";
import { HTTP_STATUS, type PerchError } from "../errors.ts";

export interface Batch {
  readonly isBatch: boolean;
  readonly calls: readonly { readonly procedure: string; readonly input: unknown }[];
}

const MOST_CALLS = 20;

/** What calls a request makes; undefined for what tRPC itself has to refuse. */
export function readBatch(url: URL, body: string | undefined): Batch | undefined {
  const procedures = decoded(url.pathname.slice("/trpc/".length))?.split(",");
  if (procedures === undefined || procedures.length > MOST_CALLS) return undefined;
  const isBatch = url.searchParams.get("batch") === "1";
  if (!isBatch && procedures.length > 1) return undefined;
  const given = body ?? url.searchParams.get("input") ?? undefined;
  let inputs: unknown;
  try {
    inputs = given === undefined || given === "" ? undefined : JSON.parse(given);
  } catch {
    return undefined;
  }
  const of = (index: number) =>
    isBatch ? (typeof inputs === "object" && inputs !== null ? Reflect.get(inputs, String(index)) : undefined) : inputs;
  return { isBatch, calls: procedures.map((procedure, index) => ({ procedure, input: of(index) })) };
}

/** Places of the calls of each owner, in the order they first come. */
export function splitBatch<Owner>(owners: readonly Owner[]): number[][] {
  const groups = new Map<Owner, number[]>();
  for (const [place, owner] of owners.entries()) groups.set(owner, [...(groups.get(owner) ?? []), place]);
  return [...groups.values()];
}

/** The request for some of the calls. */
export function partOf(
  batch: Batch,
  places: readonly number[],
  isPost: boolean,
): { readonly path: string; readonly body: string | undefined } {
  const chosen = places.flatMap((place) => batch.calls[place] ?? []);
  const inputs = JSON.stringify(
    Object.fromEntries(chosen.flatMap(({ input }, index) => (input === undefined ? [] : [[String(index), input]]))),
  );
  const query = new URLSearchParams({ batch: "1", ...(!isPost && { input: inputs }) });
  const names = chosen.map(({ procedure }) => encodeURIComponent(procedure)).join(",");
  return { path: `/trpc/${names}?${query}`, body: isPost ? inputs : undefined };
}

/** One answer of several: each call's at its place, and a status for all, as tRPC does it. */
export async function joinAnswers(
  answers: readonly { readonly places: readonly number[]; readonly answer: Response }[],
  calls: number,
): Promise<Response> {
  const results = new Array<unknown>(calls);
  const statuses = new Set<number>();
  for (const { places, answer } of answers) {
    const given: unknown = await answer.json();
    statuses.add(answer.status);
    for (const [index, place] of places.entries()) results[place] = Array.isArray(given) ? given[index] : given;
  }
  const [only = 207] = statuses;
  return Response.json(results, { status: statuses.size === 1 ? only : 207 });
}

/** The answer to calls that nobody could do, in the shape of `base.router.ts`; `calls`: of a batch, how many. */
export function refusedCalls(error: PerchError, requestId: string, calls: number | undefined): Response {
  const { code, message } = error;
  const httpStatus = HTTP_STATUS[code];
  const perch = { code, message, requestId } satisfies ErrorBody;
  const result = { error: { message, code: -32603, data: { httpStatus, perch } } };
  return Response.json(calls === undefined ? result : new Array(calls).fill(result), { status: httpStatus });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
