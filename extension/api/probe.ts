/** Finds out what is at an address before anything else is sent there. */
import * as z from "zod/mini";
import "../state/zod.ts";
import { API_VERSION, type Health } from "../../shared/version.ts";
import { PRIVATE_REQUEST } from "./client.ts";
import { type Failure, isLoopback } from "./errors.ts";

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

export type Probe = { readonly ok: true; readonly health: Health } | { readonly ok: false; readonly failure: Failure };

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
async function diagnose(server: string, options: ProbeOptions): Promise<Failure> {
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
