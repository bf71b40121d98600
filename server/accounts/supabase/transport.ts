/**
 * The one way to a Supabase project's sign-in service: HTTP calls as `fetch` makes them, bounded in time and size, to one
 * origin alone. TLS 1.3 to other machines; redirects are not followed. A service that cannot be reached is an answer with
 * status 503, so that no library has an error with an address in it to print.
 */
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent, request as tlsRequest } from "node:https";

export interface Transport {
  readonly fetch: typeof fetch;
  close(): void;
}

const TIMEOUT_MS = 10_000;
/** A person with all their factors is some 4 KB; the picture of a new app's secret, which comes along unasked, is more. */
const MAX_BYTES = 2 * 1024 * 1024;
/** Bodies that a Response may not have (Fetch §2.2.4). */
const NO_BODY = new Set([101, 204, 205, 304]);
const UNREACHABLE = { code: "unreachable", message: "The sign-in service does not answer." };

export function createTransport(origin: string, limits: { timeoutMs?: number; maxBytes?: number } = {}): Transport {
  const { timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = limits;
  const isPlain = new URL(origin).protocol === "http:";
  const settings = { keepAlive: true, maxSockets: 32, timeout: timeoutMs };
  const agent = isPlain ? new PlainAgent(settings) : new Agent({ ...settings, minVersion: "TLSv1.3" });
  const request = isPlain ? plainRequest : tlsRequest;

  const call = (url: URL, init: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      const body = typeof init.body === "string" ? Buffer.from(init.body) : undefined;
      const headers = Object.fromEntries(new Headers(init.headers));
      const asked = request(
        url,
        {
          ...{ agent, method: init.method ?? "GET", signal: AbortSignal.timeout(timeoutMs) },
          headers: { ...headers, "content-length": body?.length ?? 0 },
        },
        (answer) => {
          const parts: Buffer[] = [];
          let size = 0;
          answer.on("data", (part: Buffer) => {
            size += part.length;
            if (size > maxBytes) answer.destroy(new Error("The answer is too large."));
            else parts.push(part);
          });
          answer.on("error", reject);
          answer.on("end", () => {
            const status = answer.statusCode ?? 0;
            if (status < 200 || status > 599) return reject(new Error("This is no answer."));
            const single = Object.entries(answer.headers).flatMap(([name, value]) =>
              typeof value === "string" ? [[name, value] as [string, string]] : [],
            );
            resolve(new Response(NO_BODY.has(status) ? null : Buffer.concat(parts), { status, headers: single }));
          });
        },
      );
      asked.on("error", reject);
      asked.end(body);
    });

  return {
    fetch: async (input, init = {}) => {
      const url = new URL(input instanceof Request ? input.url : input);
      if (url.origin !== origin) throw new Error("This is not the address of the sign-in service.");
      return call(url, init).catch(() => Response.json(UNREACHABLE, { status: 503 }));
    },
    close: () => agent.destroy(),
  };
}
