/** Everything that can keep a call from working, told apart, each with words that say what to do. */
import { TRPCClientError } from "@trpc/client";
import * as z from "zod/mini";
import "../state/zod.ts";
import { ERROR_CODES, type ErrorBody, type ErrorCode } from "../../shared/errors.ts";

export type Failure =
  /** This computer has no network. */
  | { readonly kind: "offline" }
  /** Nothing answers at the address. */
  | { readonly kind: "server_unreachable"; readonly server: string }
  /** Something answers, and it is not Perch. */
  | { readonly kind: "not_perch"; readonly server: string }
  /** Perch, but too old or too new for this extension. */
  | { readonly kind: "wrong_version"; readonly server: string; readonly serverNewer: boolean }
  /** No token, or one the server no longer takes: then why, as far as that is known. */
  | { readonly kind: "signed_out"; readonly why?: "ended" | "expired" }
  /** The server understood and said no. */
  | { readonly kind: "refused"; readonly error: ErrorBody };

export type FailureKind = Failure["kind"];
type SignedOut = Extract<Failure, { kind: "signed_out" }>;

/** With why the session is over: what the server said, unless the token it refused had run out. */
export function withReason(failure: SignedOut, sent: { readonly expiresAt: string }): SignedOut {
  return Date.parse(sent.expiresAt) < Date.now() ? { ...failure, why: "expired" } : failure;
}

export interface FailureWords {
  readonly title: string;
  readonly detail: string;
  /** What the one button does; screens map it to their own action. */
  readonly action: "retry" | "change_server" | "sign_in" | "see_why" | "privacy" | "billing" | "none";
}

export function failureWords(failure: Failure): FailureWords {
  switch (failure.kind) {
    case "offline":
      return {
        title: "You are offline.",
        detail: "What you see is the last known state.",
        action: "retry",
      };
    case "server_unreachable":
      return {
        title: `The server at ${hostOf(failure.server)} does not answer.`,
        detail: "Start it, or change the address.",
        action: "retry",
      };
    case "not_perch":
      return {
        title: `${hostOf(failure.server)} is not a Perch server.`,
        detail: "Something else answers there. Check the address and the port.",
        action: "change_server",
      };
    case "wrong_version":
      return failure.serverNewer
        ? { title: "This extension is too old for the server.", detail: "Update the extension.", action: "none" }
        : {
            title: "The server is too old for this extension.",
            detail: `Ask who runs ${hostOf(failure.server)} to update it.`,
            action: "retry",
          };
    case "signed_out":
      return { title: "You are signed out.", detail: "Sign in to see your phones.", action: "sign_in" };
    case "refused":
      return {
        title: failure.error.message,
        detail: requestWords(failure.error),
        action: refusedAction(failure.error),
      };
  }
}

/** Whether the server said no for this very reason. */
export function isRefused(failure: Failure | undefined, code: ErrorCode): boolean {
  return failure?.kind === "refused" && failure.error.code === code;
}

/** One sentence, for a toast. */
export function failureSentence(failure: Failure): string {
  const { title, detail } = failureWords(failure);
  return `${title} ${detail}`.trim();
}

/** What to quote, where the log says more than the sentence. */
function requestWords({ code, requestId }: ErrorBody): string {
  return code === "internal" || code === "unavailable" ? `Reference ${requestId}.` : "";
}

function refusedAction(error: ErrorBody): FailureWords["action"] {
  switch (error.code) {
    case "held_for_review":
      return "see_why";
    // Both are the person's own decision, and taken back under Privacy.
    case "processing_restricted":
    case "account_closing":
      return "privacy";
    case "payment_required":
      return "billing";
    case "rate_limited":
    case "unavailable":
    case "phone_unavailable":
    case "internal":
    case "address_unreachable":
      return "retry";
    default:
      return "none";
  }
}

/** Host and port, as a person would say the address. */
export function hostOf(server: string): string {
  return URL.canParse(server) ? new URL(server).host : server;
}

const errorBody = z.object({
  code: z.enum(ERROR_CODES),
  message: z.string(),
  requestId: z.string(),
  fields: z.exactOptional(z.catchall(z.object({}), z.string())),
  retryAfterMs: z.exactOptional(z.number()),
});
const errorData = z.object({ perch: errorBody });

/** Sorts what a call threw. `online` is the browser's own opinion (`navigator.onLine`). */
export function classifyFailure(error: unknown, server: string, online: boolean): Failure {
  const data = error instanceof TRPCClientError ? errorData.safeParse(error.data) : undefined;
  if (data?.success === true) {
    const { perch } = data.data;
    if (perch.code === "unauthenticated") return { kind: "signed_out" };
    if (perch.code === "session_ended") return { kind: "signed_out", why: "ended" };
    if (perch.code === "version_mismatch") return { kind: "wrong_version", server, serverNewer: true };
    return { kind: "refused", error: perch };
  }
  if (!online && !isLoopback(server)) return { kind: "offline" };
  // An answer that is no tRPC answer: another program on that port, or a proxy's own page.
  const status = error instanceof TRPCClientError ? responseStatus(error.meta) : undefined;
  if (status !== undefined && !PROXY_STATUSES.has(status)) return { kind: "not_perch", server };
  return { kind: "server_unreachable", server };
}

/** What a proxy answers when the server behind it does not. */
const PROXY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/** A server on this very computer works without a network. */
export function isLoopback(server: string): boolean {
  if (!URL.canParse(server)) return false;
  const { hostname } = new URL(server);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function responseStatus(meta: Record<string, unknown> | undefined): number | undefined {
  const response = meta?.["response"];
  return response instanceof Response ? response.status : undefined;
}
