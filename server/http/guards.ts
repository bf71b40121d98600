/** Who may talk to the server at all: by name (`Host`), by origin, by kind of body, and from which address. */
import type { IncomingMessage } from "node:http";
import type { Context, MiddlewareHandler } from "hono";
import type { ErrorBody } from "../../shared/errors.ts";
import { HTTP_STATUS, PerchError } from "../errors.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

export interface Doors {
  hostAllowed(host: string): boolean;
  /** Origins of extensions that may call the API. Never a wildcard for Chrome; Firefox's are random per install. */
  extensionOrigin(origin: string): boolean;
  readonly ownOrigin: string;
}

const FIREFOX_ORIGIN = /^moz-extension:\/\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createDoors(options: { publicUrl: URL; port: number; extensionIds: readonly string[] }): Doors {
  const hosts = new Set([
    options.publicUrl.host,
    ...["localhost", "127.0.0.1", "[::1]"].map((name) => (options.port === 80 ? name : `${name}:${options.port}`)),
  ]);
  const chrome = new Set(options.extensionIds.map((id) => `chrome-extension://${id}`));
  return {
    hostAllowed: (host) => hosts.has(host.toLowerCase()),
    extensionOrigin: (origin) => chrome.has(origin) || FIREFOX_ORIGIN.test(origin),
    ownOrigin: options.publicUrl.origin,
  };
}

/** What a name that is not ours hears (421, RFC 9110 §15.5.20): the operator reads the cause in it, 403 would mean the caller. */
export const MISDIRECTED = "This server does not answer under that name. Use its configured address.";

/** Refuses names that are not ours: a page that rebinds its own name to this machine gets nothing. */
export function hostGuard(doors: Doors): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header("host");
    if (host === undefined || !doors.hostAllowed(host)) throw new PerchError("misdirected", MISDIRECTED);
    await next();
  };
}

/**
 * Refuses what a browser fetches for a page by itself, a picture, a script, a frame or a navigation: programs and the
 * extension make calls, and nothing else has business here. Programs that are no browser do not say (`Sec-Fetch-Mode`).
 */
export const callsOnly: MiddlewareHandler = async (c, next) => {
  const mode = c.req.header("sec-fetch-mode");
  if (mode !== undefined && mode !== "cors" && mode !== "same-origin") {
    throw new PerchError("forbidden", "This is called by programs. It cannot be opened or embedded as a page.");
  }
  await next();
};

/**
 * CORS for the extension, by hand because the rule is short: the exact origin is echoed, credentials are never allowed,
 * and a request that names another origin is refused before anything runs.
 */
export function extensionCors(doors: Doors): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header("origin");
    if (origin !== undefined && origin !== doors.ownOrigin && !doors.extensionOrigin(origin)) {
      throw new PerchError("forbidden", "This site may not call Perch.");
    }
    if (c.req.method === "OPTIONS") c.res = new Response(null, { status: 204, headers: PREFLIGHT });
    else await next();
    c.res.headers.append("Vary", "Origin");
    if (origin !== undefined && doors.extensionOrigin(origin)) {
      c.res.headers.set("Access-Control-Allow-Origin", origin);
      // So that the extension can tell when the person's clock is wrong, and where an upload goes on.
      c.res.headers.set("Access-Control-Expose-Headers", "Date, Upload-Offset");
    }
    return c.res;
  };
}

/**
 * For addresses that are themselves the right to what is behind them, once: a form of ours or of the extension leads
 * there. A form that a page of an extension sends names its origin in Firefox and says `null` in Chromium, as sandboxed
 * pages do, so a navigation may say that; a script gets nothing anywhere, for no answer is shared with it (CORS).
 */
export function formDoor(doors: Doors): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header("origin") ?? doors.ownOrigin;
    const isForm = (c.req.header("sec-fetch-mode") ?? "navigate") === "navigate";
    if (origin !== doors.ownOrigin && !doors.extensionOrigin(origin) && !(origin === "null" && isForm)) {
      throw new PerchError("forbidden", "This site may not download from Perch.");
    }
    await next();
  };
}

const PREFLIGHT = {
  "Access-Control-Allow-Methods": "GET, POST, PATCH",
  "Access-Control-Allow-Headers": "authorization, content-type, last-event-id, trpc-accept, upload-offset",
  "Access-Control-Max-Age": "7200",
};

/** Calls are JSON and nothing else: a plain form cannot make one (research: a multipart POST ran a mutation). */
export const jsonOnly: MiddlewareHandler = async (c, next) => {
  if (c.req.method === "POST") {
    const type = (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
    if (type !== "application/json")
      throw new PerchError("unsupported_media_type", "Calls must be sent as application/json.");
  }
  await next();
};

/** The caller's address: the socket's, or what a trusted proxy says it was. */
export function clientAddress(incoming: IncomingMessage, trustedProxies: TrustedProxies): string {
  const plain = (ip: string) => ip.replace(/^::ffff:(?=\d+\.)/, "");
  let address = plain(incoming.socket.remoteAddress ?? "");
  if (!trustedProxies.includes(address)) return address;
  const header = incoming.headers["x-forwarded-for"];
  const hops = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",").map((hop) => plain(hop.trim()));
  while (trustedProxies.includes(address)) {
    const hop = hops.pop();
    if (hop === undefined || hop === "") break;
    address = hop;
  }
  return address;
}

/** An error as JSON, for everything that is not a page. */
export function errorAnswer(c: Context, error: PerchError, requestId: string): Response {
  const { retryAfterMs } = error;
  const wait = retryAfterMs !== undefined;
  const body: ErrorBody = { code: error.code, message: error.message, requestId, ...(wait && { retryAfterMs }) };
  return c.json(
    { error: body },
    HTTP_STATUS[error.code],
    wait ? { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) } : {},
  );
}
