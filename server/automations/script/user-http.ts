/**
 * `http` of people's scripts: every connection, those of redirects too, goes through the guard that web phones use.
 * Nothing is kept between requests: no cookies, no open connections. Addresses are never logged.
 */
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { isIP, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { parseHost } from "../../egress/host.ts";
import { createReach, type Reach, type ReachOptions, type ReachReason } from "../../egress/reach.ts";
import {
  HttpRefusal,
  MAX_BODY_BYTES,
  MAX_HEADER_BYTES,
  type OutgoingRequest,
  readRequest,
  redirected,
  type ScriptRequest,
} from "./http-message.ts";

const MAX_REDIRECTS = 5;
const DEFAULT_TIMEOUT_MS = 30_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface ScriptResponse {
  readonly status: number;
  readonly body: string;
  /** Lower-case names; several values of one name are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
}

export type ScriptHttpOutcome =
  | { readonly ok: true; readonly response: ScriptResponse }
  | { readonly ok: false; readonly message: string };

/** One request with its redirects. Never rejects. What an abort of `signal` leaves is `ok: false`. */
export type UserHttp = (
  request: ScriptRequest,
  how: { readonly signal: AbortSignal; readonly idempotencyKey?: string },
) => Promise<ScriptHttpOutcome>;

export interface UserHttpOptions extends ReachOptions {
  /** For a request with all its redirects, to the last byte of the answer. 30 s by default. */
  readonly timeoutMs?: number;
}

const WORDS = {
  "private-address":
    "This address belongs to a private network, which scripts cannot reach. Whoever runs the server can open it with EGRESS_ALLOW.",
  "bad-port": "This address has a port that is not one of the web's.",
  dns: "There is no site at this address. Check how it is written.",
  unreachable: "The site did not answer. Check the address, or try again later.",
} as const satisfies Record<ReachReason, string>;

export function createUserHttp(options: UserHttpOptions): UserHttp {
  const reach = createReach(options);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return async (request, { signal, idempotencyKey }) => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const first = readRequest(request, idempotencyKey);
      return { ok: true, response: await follow(first, reach, AbortSignal.any([signal, late.signal])) };
    } catch (error) {
      if (late.signal.aborted) return { ok: false, message: `The site took longer than ${timeoutMs / 1000} seconds.` };
      return { ok: false, message: error instanceof HttpRefusal ? error.message : WORDS.unreachable };
    } finally {
      clearTimeout(timer);
    }
  };
}

async function follow(first: OutgoingRequest, reach: Reach, signal: AbortSignal): Promise<ScriptResponse> {
  let request = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const answer = await exchange(request, reach, signal);
    const { statusCode: status = 0, headers } = answer;
    if (!REDIRECTS.has(status) || headers.location === undefined) {
      const body = await readBody(answer);
      // A body that ends with its connection looks whole when it is we who ended it.
      signal.throwIfAborted();
      return { status, body, headers: flat(headers) };
    }
    answer.destroy();
    request = redirected(request, status, headers.location);
  }
  throw new HttpRefusal(`The site redirected more than ${MAX_REDIRECTS} times.`);
}

/** Sends one request over a connection of its own; the answer's body is still to be read. */
async function exchange(request: OutgoingRequest, reach: Reach, signal: AbortSignal): Promise<IncomingMessage> {
  const socket = await connectTo(request.url, reach, signal);
  return new Promise((resolve, reject) => {
    const { body } = request;
    const outgoing = httpRequest({
      createConnection: () => socket,
      method: request.method,
      path: request.url.pathname + request.url.search,
      headers: {
        host: request.url.host,
        ...request.headers,
        "accept-encoding": "identity",
        ...(body === undefined && (request.method === "GET" || request.method === "HEAD")
          ? {}
          : { "content-length": String(body?.length ?? 0) }),
        connection: "close",
      },
      setHost: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
      signal,
    });
    outgoing.once("response", resolve);
    outgoing.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "HPE_HEADER_OVERFLOW" ? new HttpRefusal("The site's headers are larger than 16 KB.") : error,
      ),
    );
    outgoing.once("upgrade", (_answer, switched) => {
      switched.destroy();
      reject(new HttpRefusal(WORDS.unreachable));
    });
    outgoing.end(body);
  });
}

async function connectTo(url: URL, reach: Reach, signal: AbortSignal): Promise<Socket> {
  const secure = url.protocol === "https:";
  const host = parseHost(url.hostname);
  if (host === undefined) throw new HttpRefusal(WORDS.dns);
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const socket = await reach({ ...host, port }, signal);
  if (typeof socket === "string") throw new HttpRefusal(WORDS[socket]);
  if (!secure) return socket;
  const name = isIP(host.host) === 0 ? { servername: host.host } : {};
  const encrypted = tlsConnect({ socket, host: host.host, ...name, ALPNProtocols: ["http/1.1"] });
  encrypted.on("error", () => socket.destroy());
  try {
    await once(encrypted, "secureConnect", { signal });
    return encrypted;
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? error : new HttpRefusal("The site cannot prove who it is: its certificate is not valid.");
  }
}

async function readBody(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new HttpRefusal("The site's answer is larger than 1 MB.");
  }
  return decoder(answer.headers["content-type"]).decode(Buffer.concat(parts));
}

function decoder(contentType: string | undefined): TextDecoder {
  const charset = /;\s*charset="?([\w-]{1,40})/i.exec(contentType ?? "")?.[1];
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

function flat(headers: IncomingMessage["headers"]): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]);
  return Object.fromEntries(entries);
}
