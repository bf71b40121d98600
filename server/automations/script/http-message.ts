/** What a script's request must look like before it goes anywhere, and what of it goes along to another origin. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { z } from "zod";

/** Bytes of a body, in either direction. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** Bytes of all header lines together, in either direction. */
export const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADERS = 64;
const MAX_URL_LENGTH = 8_192;

/** A request as the script wrote it. */
export const scriptRequest = z.object({
  url: z.string(),
  method: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string().optional(),
});
export type ScriptRequest = z.infer<typeof scriptRequest>;

/** A request that may be sent, once its target is admitted. */
export interface OutgoingRequest {
  readonly url: URL;
  readonly method: string;
  /** Lower-case names; nothing about the connection or the framing. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** A reason in words for people, as the script's own error. */
export class HttpRefusal extends Error {
  override readonly name = "HttpRefusal";
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** About the connection, its framing or its target: ours to say, or two readers could understand the request differently. */
const OURS: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What another origin may see after a redirect: any other header may hold a key that was meant for the first one. */
const FOR_ANY_ORIGIN: ReadonlySet<string> = new Set(["accept", "accept-language", "content-type", "user-agent"]);

/**
 * Throws `HttpRefusal` for anything but a clean request.
 *
 * @param idempotencyKey Sent with methods that change something, unless the script sends one itself.
 */
export function readRequest(request: ScriptRequest, idempotencyKey: string | undefined): OutgoingRequest {
  const method = request.method.toUpperCase();
  if (!METHODS.has(method)) throw new HttpRefusal(`Scripts can send ${[...METHODS].join(", ")}, and no other method.`);
  const body = request.body === undefined ? undefined : Buffer.from(request.body);
  if (body !== undefined && body.length > MAX_BODY_BYTES)
    throw new HttpRefusal("A request's body may be 1 MB at most.");
  if (body !== undefined && method === "GET") throw new HttpRefusal("A GET request has no body. Use http.post.");
  const headers: Record<string, string> = { "user-agent": "Perch", accept: "*/*", ...readHeaders(request.headers) };
  if (idempotencyKey !== undefined && !SAFE_METHODS.has(method)) headers["idempotency-key"] ??= idempotencyKey;
  return { url: readUrl(request.url), method, headers, body };
}

/** The request that a redirect (RFC 9110 §15.4) asks for. Throws `HttpRefusal` when it leads to no web address. */
export function redirected(request: OutgoingRequest, status: number, location: string): OutgoingRequest {
  const url = readUrl(location, request.url);
  const sameOrigin = url.origin === request.url.origin;
  const toGet =
    (status === 303 && request.method !== "HEAD") || ((status === 301 || status === 302) && request.method === "POST");
  const kept = Object.entries(request.headers).filter(
    ([name]) =>
      (sameOrigin || FOR_ANY_ORIGIN.has(name)) && !(toGet && (name === "content-type" || name === "idempotency-key")),
  );
  return {
    url,
    method: toGet ? "GET" : request.method,
    headers: Object.fromEntries(kept),
    body: toGet ? undefined : request.body,
  };
}

function readUrl(text: string, base?: URL): URL {
  if (text.length > MAX_URL_LENGTH) throw new HttpRefusal(`An address may be ${MAX_URL_LENGTH} characters at most.`);
  if (!URL.canParse(text, base)) {
    throw new HttpRefusal("This is not a web address. Write it whole, starting with https:// or http://.");
  }
  const url = new URL(text, base);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new HttpRefusal("Scripts reach only addresses that start with https:// or http://.");
  }
  if (url.username !== "" || url.password !== "") {
    throw new HttpRefusal("An address cannot hold a name and password. Send them in an Authorization header.");
  }
  return url;
}

function readHeaders(given: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = {};
  let bytes = 0;
  for (const [raw, value] of Object.entries(given)) {
    const name = raw.toLowerCase();
    bytes += name.length + value.length;
    if (bytes > MAX_HEADER_BYTES) throw new HttpRefusal("A request's headers may be 16 KB at most, all together.");
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new HttpRefusal(`The header ${JSON.stringify(raw.slice(0, 100))} has characters that cannot be sent.`);
    }
    if (OURS.has(name) || name.startsWith("proxy-")) throw new HttpRefusal(`Scripts cannot set the header "${name}".`);
    headers[name] = value;
  }
  if (Object.keys(headers).length > MAX_HEADERS) throw new HttpRefusal(`A request may have ${MAX_HEADERS} headers.`);
  return headers;
}
