/** Plain http requests in absolute form (RFC 9112 §3.2.2): read, judged, and sent on with nothing added. */
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";
import { type EgressTarget, parseAuthority } from "../../../../egress/host.ts";
import { type EgressReason, REASON_HEADER, refusal } from "./refusal.ts";

/** A plain request that may be sent on once its target is admitted. */
export interface ForwardRequest {
  readonly target: EgressTarget;
  /** Path and query, as it goes to the site. */
  readonly path: string;
  /** Value of the Host header, made from the request target and not from what the client claims. */
  readonly authority: string;
}

/** Meaningful on one connection only (RFC 9110 §7.6.1), with the proxy's own. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** `undefined` for whatever is not a clean request for an http:// address: nothing doubtful is passed on. */
export function readForwardRequest(incoming: IncomingMessage): ForwardRequest | undefined {
  const text = incoming.url ?? "";
  const authority = /^http:\/\/([^/?#\\]*)/i.exec(text)?.[1];
  if (authority === undefined || !URL.canParse(text)) return undefined;
  // parseAuthority knows no user names, so credentials end here too.
  const target = parseAuthority(authority, 80);
  if (target === undefined || !hasSoundHead(incoming, target, 80)) return undefined;
  const url = new URL(text);
  return { target, path: url.pathname + url.search, authority: url.host };
}

/**
 * HTTP/1.1, exactly one Host header that agrees with the target, and a body framed in one unambiguous way. Node's
 * parser already refuses most of this; request smuggling lives in what a parser lets through.
 */
export function hasSoundHead(
  incoming: IncomingMessage,
  target: EgressTarget,
  defaultPort: number | undefined,
): boolean {
  if (incoming.httpVersion !== "1.1") return false;
  const counts = new Map<string, number>();
  for (const [name] of pairs(incoming.rawHeaders)) counts.set(name, (counts.get(name) ?? 0) + 1);
  if (counts.get("host") !== 1) return false;
  const claimed = parseAuthority(incoming.headers.host ?? "", defaultPort ?? target.port);
  if (claimed?.host !== target.host || claimed.port !== target.port) return false;
  const lengths = counts.get("content-length") ?? 0;
  const encodings = counts.get("transfer-encoding") ?? 0;
  if (lengths + encodings > 1) return false;
  return encodings === 0 || incoming.headers["transfer-encoding"]?.toLowerCase() === "chunked";
}

/** Sends the request over a connection that is already open, and the answer back. Never throws. */
export function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { path, authority }: ForwardRequest,
  socket: Socket,
  headerBytes: number,
): void {
  outgoing.sendDate = false;
  const upstream = request({
    createConnection: () => socket,
    method: incoming.method,
    path,
    headers: requestHeaders(incoming, authority),
    setHost: false,
    maxHeaderSize: headerBytes,
    insecureHTTPParser: false,
  });
  outgoing.once("close", () => upstream.destroy());
  upstream.once("error", () => answerRefusal(outgoing, "unreachable"));
  // Nobody asked for another protocol: upgrades were dropped from the request.
  upstream.once("upgrade", (_response, switched) => {
    switched.destroy();
    answerRefusal(outgoing, "unreachable");
  });
  upstream.once("response", (response) => {
    const encoding = response.headers["transfer-encoding"];
    if (encoding !== undefined && encoding.toLowerCase() !== "chunked") {
      upstream.destroy();
      return answerRefusal(outgoing, "unreachable");
    }
    try {
      outgoing.writeHead(response.statusCode ?? 502, response.statusMessage ?? "", responseHeaders(response));
    } catch {
      // A head that may be read and yet not be written again, such as control characters in the status text.
      upstream.destroy();
      return answerRefusal(outgoing, "unreachable");
    }
    // A body cut short must end the client's connection too, or a part would pass for the whole.
    pipeline(response, outgoing, () => upstream.destroy());
  });
  pipeline(incoming, upstream, () => {});
}

/** Answers with a refusal unless an answer has begun; then only cutting it off is honest. */
export function answerRefusal(outgoing: ServerResponse, reason: EgressReason): void {
  if (outgoing.headersSent || outgoing.destroyed) {
    outgoing.destroy();
    return;
  }
  const { status, statusText, headers, body } = refusal(reason);
  outgoing.writeHead(status, statusText, headers).end(body);
}

function requestHeaders(incoming: IncomingMessage, authority: string): string[] {
  const headers = ["Host", authority];
  const dropped = connectionNames(incoming.headers.connection);
  for (const [name, value, raw] of pairs(incoming.rawHeaders)) {
    // `Expect: 100-continue` was already answered by this server.
    if (name === "host" || name === "expect" || HOP_BY_HOP.has(name) || dropped.has(name)) continue;
    headers.push(raw, value);
  }
  if (incoming.headers["transfer-encoding"] !== undefined) headers.push("Transfer-Encoding", "chunked");
  else if (incoming.headers["content-length"] === undefined) headers.push(...emptyBodyHeaders(incoming.method));
  headers.push("Connection", "close");
  return headers;
}

/** Methods that expect a body say that there is none, as browsers do. */
function emptyBodyHeaders(method: string | undefined): string[] {
  return method === "POST" || method === "PUT" || method === "PATCH" ? ["Content-Length", "0"] : [];
}

function responseHeaders(response: IncomingMessage): string[] {
  const headers: string[] = [];
  const dropped = connectionNames(response.headers.connection);
  for (const [name, value, raw] of pairs(response.rawHeaders)) {
    if (name === REASON_HEADER || HOP_BY_HOP.has(name) || dropped.has(name)) continue;
    headers.push(raw, value);
  }
  return headers;
}

/** Headers that the sender declared to be for this connection only. Framing and Host are never dropped this way. */
function connectionNames(connection: string | undefined): ReadonlySet<string> {
  const names = new Set((connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  names.delete("content-length");
  names.delete("host");
  return names;
}

function* pairs(raw: readonly string[]): Generator<[name: string, value: string, rawName: string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    yield [name.toLowerCase(), raw[index + 1] ?? "", name];
  }
}
