/** One POST to the partner and its answer, bounded in time and size. TLS 1.3 to other machines; redirects are not followed. */
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent, request as tlsRequest } from "node:https";

export interface Posted {
  readonly status: number;
  readonly body: Buffer;
}
export type Post = (
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<Posted>;

export interface Transport {
  readonly post: Post;
  close(): void;
}

const TIMEOUT_MS = 30_000;
/** A page of 1,000 charges is some 200 KB, 100 phones less. */
const MAX_BYTES = 4 * 1024 * 1024;

export function createTransport(base: string, limits: { timeoutMs?: number; maxBytes?: number } = {}): Transport {
  const { timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = limits;
  const { protocol, hostname, port } = new URL(base);
  const isPlain = protocol === "http:";
  const settings = { keepAlive: true, maxSockets: 8, timeout: timeoutMs };
  const agent = isPlain ? new PlainAgent(settings) : new Agent({ ...settings, minVersion: "TLSv1.3" });
  const request = isPlain ? plainRequest : tlsRequest;
  return {
    post: (path, body, headers, signal) =>
      new Promise((resolve, reject) => {
        const bytes = Buffer.from(body);
        const call = request(
          {
            ...{ agent, path, method: "POST", hostname: hostname.replace(/^\[|\]$/g, ""), port: port || undefined },
            headers: { ...headers, "Content-Type": "application/json", "Content-Length": bytes.length },
            signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
          },
          (answer) => {
            const parts: Buffer[] = [];
            let size = 0;
            answer.on("data", (part: Buffer) => {
              size += part.length;
              if (size > maxBytes) answer.destroy(new Error("The partner's answer is too large."));
              else parts.push(part);
            });
            answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts) }));
            answer.on("error", reject);
          },
        );
        call.on("error", reject);
        call.end(bytes);
      }),
    close: () => agent.destroy(),
  };
}
