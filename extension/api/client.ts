/** The typed client of one Perch server. Nothing here ever talks to another origin. */
import { createTRPCClient, httpBatchLink, type TRPCClient, type TRPCLink } from "@trpc/client";
import type { AppRouter } from "./app-router.ts";

export type Api = TRPCClient<AppRouter>;

/** A call that takes longer has failed. */
export const CALL_TIMEOUT_MS = 30_000;
/** Keeps batched reads in addresses every proxy takes. */
const MAX_URL_LENGTH = 2_000;

export interface ApiOptions {
  /** Origin of the server, e.g. `https://phones.example.org`. */
  readonly server: string;
  /** Read anew for every request, so a sign-in or sign-out elsewhere takes effect at once. */
  readonly token: Token;
}

export type Token = () => Promise<string | undefined>;

/** Calls only; events come by `stream.ts`. */
export function createApi(options: ApiOptions): Api {
  return createTRPCClient<AppRouter>({ links: [callLink(options)] });
}

/** How calls travel: several made at once go as one request. */
export function callLink(options: ApiOptions, change: Partial<CallLinkOptions> = {}): TRPCLink<AppRouter> {
  return httpBatchLink<AppRouter>({
    url: `${options.server}/trpc`,
    maxURLLength: MAX_URL_LENGTH,
    headers: async () => authorization(await options.token()),
    fetch: callFetch,
    ...change,
  });
}
type CallLinkOptions = Parameters<typeof httpBatchLink<AppRouter>>[0];
type CallFetch = NonNullable<CallLinkOptions["fetch"]>;

/** One request to the server, which has failed when it takes too long. */
export const callFetch = (input: Parameters<CallFetch>[0], init: Parameters<CallFetch>[1]): Promise<Response> => {
  const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const given = init?.signal;
  const signal = given === undefined || given === null ? timeout : AbortSignal.any([given, timeout]);
  return fetch(input, { ...requestOf(init), ...PRIVATE_REQUEST, signal });
};

/** No cookies, no cached answers of another account, and no following a redirect with the token in hand. */
export const PRIVATE_REQUEST = {
  credentials: "omit",
  cache: "no-store",
  redirect: "error",
  referrerPolicy: "no-referrer",
} as const satisfies RequestInit;

export function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

/** tRPC describes its requests with a structural subset of `RequestInit`; in a browser they are one and the same. */
function requestOf(init: unknown): RequestInit {
  return init as RequestInit;
}
