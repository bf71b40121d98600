/** Finds out what is at an address before anything else is sent there. */
import * as z from "zod/mini";
import "../state/zod.ts";
import { API_VERSION, type Health } from "../../shared/version.ts";
import { PRIVATE_REQUEST } from "./client.ts";
import { type Failure, type FailureWords, failureWords, hostOf, isLoopback } from "./errors.ts";

export const LOCAL_SERVER = "http://localhost:8787";
const PROBE_TIMEOUT_MS = 6_000;

/** Makes an origin of what a person typed; http for this computer and bare ports, else https. Undefined if it is no address. */
export function serverOrigin(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const typed = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : withScheme(trimmed);
  if (!URL.canParse(typed)) return undefined;
  const url = new URL(typed);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  if (url.username !== "" || url.password !== "" || !HOST.test(url.hostname)) return undefined;
  return url.origin;
}

/** A name or an address; some browsers let spaces through, escaped. */
const HOST = /^([a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\])$/i;

function withScheme(address: string): string {
  return isLoopback(`http://${address}`) ? `http://${address}` : `https://${address}`;
}

const health = z.object({ product: z.literal("perch"), apiVersion: z.int(), version: z.string() });

/** What a call cannot tell from a server that does not answer. */
export type ProbeFailure =
  | Failure
  /** Something answers, but the browser may not read it: certificate or cross-origin rules. */
  | { readonly kind: "tls_or_cors"; readonly server: string }
  /** The browser has not been given access to the server's origin, and the server does not allow it by itself. */
  | { readonly kind: "permission_missing"; readonly server: string };

export function probeWords(failure: ProbeFailure): Pick<FailureWords, "title" | "detail"> {
  switch (failure.kind) {
    case "tls_or_cors":
      return {
        title: `The browser may not read what ${hostOf(failure.server)} answers.`,
        detail: failure.server.startsWith("https:")
          ? "Open the address in a tab: if the browser warns about its certificate, that is the cause. If the page opens, a proxy in front of the server removes its CORS headers."
          : "A proxy in front of the server may remove its CORS headers. If the server uses https, write the address with https://.",
      };
    case "permission_missing":
      return {
        title: `Perch may not reach ${hostOf(failure.server)} yet.`,
        detail: "Allow it, and the browser will ask once.",
      };
    default:
      return failureWords(failure);
  }
}

export type Probe =
  | { readonly ok: true; readonly health: Health }
  | { readonly ok: false; readonly failure: ProbeFailure };

export interface ProbeOptions {
  readonly online: boolean;
  /** Whether the browser gave access to the origin: without it a refused answer may be for lack of permission. */
  readonly hasPermission: boolean;
}

/** Asks `/healthz`. `server` is an origin (`serverOrigin`). */
export async function probeServer(server: string, options: ProbeOptions): Promise<Probe> {
  const address = `${server}/healthz`;
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(address, { ...PRIVATE_REQUEST, signal });
  } catch {
    return { ok: false, failure: await diagnose(server, options) };
  }
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = health.safeParse(body);
  if (!response.ok || !parsed.success) return { ok: false, failure: { kind: "not_perch", server } };
  if (parsed.data.apiVersion !== API_VERSION) {
    return {
      ok: false,
      failure: { kind: "wrong_version", server, serverNewer: parsed.data.apiVersion > API_VERSION },
    };
  }
  return { ok: true, health: parsed.data };
}

/**
 * A failed fetch says nothing about why. An opaque request (`no-cors`) succeeds whenever something answers with a good
 * certificate, so it tells "nobody there" from "there, but not for us".
 */
async function diagnose(server: string, options: ProbeOptions): Promise<ProbeFailure> {
  if (!options.online && !isLoopback(server)) return { kind: "offline" };
  try {
    await fetch(`${server}/healthz`, {
      mode: "no-cors",
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
  } catch {
    // A certificate error looks like no answer at all; for https both are worth naming.
    return server.startsWith("https:") && !isLoopback(server)
      ? { kind: "tls_or_cors", server }
      : { kind: "server_unreachable", server };
  }
  return options.hasPermission ? { kind: "tls_or_cors", server } : { kind: "permission_missing", server };
}
