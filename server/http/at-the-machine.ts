/** Whether who asks sits at the machine itself: for what strangers must never read, mail that waits and metrics. */
import type { HonoRequest } from "hono";

const LOOPBACK_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** Set by proxies: their presence means that the socket's address is not the person's. */
const FORWARDING_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/** `ip` is the address the request came from. */
export function isAtTheMachine(request: HonoRequest, ip: string): boolean {
  const name = new URL(request.url).hostname;
  return (
    (ip === "::1" || /^127(\.\d{1,3}){3}$/.test(ip)) &&
    LOOPBACK_NAMES.has(name) &&
    FORWARDING_HEADERS.every((header) => request.header(header) === undefined)
  );
}
