/** Who asks: a person at the machine itself, a person at all, or a script. For what strangers must never read. */
import type { HonoRequest } from "hono";

const LOOPBACK_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** Set by proxies: their presence means that the socket's address is not the person's. */
const FORWARDING_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/** True for whoever opens this in a browser or a program on this machine, under its own name. `ip` is where it came from. */
export function isAtTheMachine(request: HonoRequest, ip: string): boolean {
  const name = new URL(request.url).hostname;
  return (
    (ip === "::1" || /^127(\.\d{1,3}){3}$/.test(ip)) &&
    LOOPBACK_NAMES.has(name) &&
    FORWARDING_HEADERS.every((header) => request.header(header) === undefined) &&
    !isFetchedByScript(request)
  );
}

/**
 * Whether a script in a browser asks, not a person who opens the page. Another extension that may read this site gets the
 * page, with a Strict cookie even, and Firefox calls that same-origin; only what the answer is for tells it.
 */
export function isFetchedByScript(request: HonoRequest): boolean {
  return (request.header("sec-fetch-dest") ?? "document") !== "document";
}
