/** A collector of traces on a port of its own: takes OTLP over HTTP in JSON, as opentelemetry.io/docs/specs/otlp says. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";

const value = z.looseObject({ stringValue: z.string().optional(), intValue: z.unknown().optional() });
const span = z.looseObject({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string().regex(/^\d+$/),
  endTimeUnixNano: z.string().regex(/^\d+$/),
  attributes: z.array(z.object({ key: z.string(), value })),
  status: z.looseObject({ code: z.int().optional(), message: z.string().optional() }),
  events: z.array(z.unknown()).optional(),
});
const attributes = z.array(z.object({ key: z.string(), value }));
const traces = z.object({
  resourceSpans: z.array(
    z.looseObject({
      resource: z.looseObject({ attributes }),
      scopeSpans: z.array(z.looseObject({ spans: z.array(span) })),
    }),
  ),
});
export type CollectedSpan = z.output<typeof span>;

export interface Collector {
  readonly endpoint: string;
  readonly spans: readonly CollectedSpan[];
  /** What was sent, as it came. */
  readonly bodies: readonly string[];
  /** What it answers from now on. */
  answer(status: number): void;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const bodies: string[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    if (status === 200 && request.url === "/v1/traces" && request.headers["content-type"] === "application/json") {
      bodies.push(body);
      const { resourceSpans } = traces.parse(JSON.parse(body));
      spans.push(...resourceSpans.flatMap((one) => one.scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    } else response.writeHead(status === 200 ? 404 : status).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans,
    bodies,
    answer(given) {
      status = given;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
