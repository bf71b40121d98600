/** Signing in: authorization code with PKCE (RFC 7636, S256) against the server's `/connect` page. */
import * as z from "zod/mini";
import "../state/zod.ts";
import type { Exchanged } from "../../shared/accounts.ts";
import { base64Url } from "../../shared/id-values.ts";
import { launchSignIn, signInRedirectUrl } from "../platform/identity.ts";
import type { Api } from "./client.ts";
import { classifyFailure, type Failure } from "./errors.ts";

export type SignInProblem =
  /** The person closed the window or said no. */
  | { readonly kind: "closed" }
  | { readonly kind: "unsupported" }
  /** The window came back with something this extension did not ask for. */
  | { readonly kind: "bad_answer" }
  | { readonly kind: "call_failed"; readonly failure: Failure };

export type SignIn =
  | { readonly ok: true; readonly exchanged: Exchanged }
  | { readonly ok: false; readonly problem: SignInProblem };

const answer = z.object({ code: z.string().check(z.minLength(20), z.maxLength(128)), state: z.string() });

export interface SignInOptions {
  /** Turns the code into a token: with the client of a session that goes on, or of none. */
  readonly exchange: (input: Parameters<Api["account"]["exchange"]["mutate"]>[0]) => Promise<Exchanged>;
  /** Asks who is signed in there already to prove it anew (OpenID Connect Core §3.1.2.1). */
  readonly anew?: boolean;
}

/** Call within a gesture. */
export async function signIn(server: string, { exchange, anew = false }: SignInOptions): Promise<SignIn> {
  const redirectUri = signInRedirectUrl();
  if (redirectUri === undefined) return { ok: false, problem: { kind: "unsupported" } };
  const verifier = randomText();
  const state = randomText();
  const window = await launchSignIn(await connectUrl(server, { redirectUri, verifier, state, anew }));
  if (!window.ok) {
    if (window.reason === "closed") return { ok: false, problem: { kind: "closed" } };
    if (window.reason === "unsupported") return { ok: false, problem: { kind: "unsupported" } };
    const failure: Failure = navigator.onLine ? { kind: "server_unreachable", server } : { kind: "offline" };
    return { ok: false, problem: { kind: "call_failed", failure } };
  }
  const code = codeFrom(window.value, redirectUri, state);
  if (code === undefined) return { ok: false, problem: { kind: "bad_answer" } };
  try {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const exchanged = await exchange({ code, verifier, redirectUri, timeZone });
    return { ok: true, exchanged };
  } catch (error) {
    return { ok: false, problem: { kind: "call_failed", failure: classifyFailure(error, server, navigator.onLine) } };
  }
}

/** The address of the consent page (`connectQuery` in `shared/accounts.ts`). */
export async function connectUrl(
  server: string,
  flow: {
    readonly redirectUri: string;
    readonly verifier: string;
    readonly state: string;
    readonly anew?: boolean;
  },
): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.verifier));
  const url = new URL("/connect", server);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: "perch-extension",
    redirect_uri: flow.redirectUri,
    state: flow.state,
    code_challenge: base64Url(new Uint8Array(digest)),
    code_challenge_method: "S256",
    ...(flow.anew === true && { prompt: "login" }),
  }).toString();
  return url.href;
}

/** The code out of the address the window ended on; undefined unless it answers this very request. */
export function codeFrom(address: string, redirectUri: string, state: string): string | undefined {
  if (!URL.canParse(address) || !address.startsWith(redirectUri)) return undefined;
  const parsed = answer.safeParse(Object.fromEntries(new URL(address).searchParams));
  return parsed.success && parsed.data.state === state ? parsed.data.code : undefined;
}

/** 256 random bits as 43 characters of base64url. */
function randomText(): string {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}
