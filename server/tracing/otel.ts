/**
 * Traces through OpenTelemetry's own SDK, sent as OTLP over HTTP in JSON (opentelemetry.io/docs/specs/otlp). Loaded only
 * where OTEL_EXPORTER_OTLP_ENDPOINT is set; nothing global is registered. Headers a collector asks for come from
 * OTEL_EXPORTER_OTLP_HEADERS, which the exporter reads by itself.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { type Context, SpanKind as OtelKind, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { PRODUCT_VERSION } from "../../shared/version.ts";
import type { Log } from "../log.ts";
import type { SpanKind, Tracing } from "./tracing.ts";

const KINDS: Readonly<Record<SpanKind, OtelKind>> = {
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  internal: OtelKind.INTERNAL,
};
const EXPORT_LIMIT_MS = 10_000;
const CLOSE_LIMIT_MS = 3_000;
/** A collector that is away is worth a line now and then, not one a batch. */
const QUIET_MS = 60_000;

export function startTracing(options: {
  readonly endpoint: string;
  readonly log: Log;
  /** How long spans wait for company. */
  readonly everyMs?: number;
}): Tracing {
  const { endpoint, log, everyMs = 5_000 } = options;
  const exporter = new OTLPTraceExporter({
    url: new URL("/v1/traces", endpoint).href,
    timeoutMillis: EXPORT_LIMIT_MS,
    ...(endpoint.startsWith("https:") && { httpAgentOptions: { keepAlive: true, minVersion: "TLSv1.3" } }),
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "perch", "service.version": PRODUCT_VERSION }),
    spanProcessors: [
      new BatchSpanProcessor({
        ...{ exporter: telling(exporter, log), scheduledDelayMillis: everyMs, exportTimeoutMillis: EXPORT_LIMIT_MS },
      }),
    ],
  });
  const tracer = provider.getTracer("perch", PRODUCT_VERSION);
  const current = new AsyncLocalStorage<Context>();
  return {
    on: true,
    span(name, kind, attributes, work) {
      const parent = current.getStore() ?? ROOT_CONTEXT;
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, parent);
      const failed = () => {
        span.setStatus({ code: SpanStatusCode.ERROR });
      };
      return current.run(trace.setSpan(parent, span), async () => {
        try {
          return await work({ set: (more) => void span.setAttributes({ ...more }), failed });
        } catch (error) {
          failed();
          throw error;
        } finally {
          span.end();
        }
      });
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_LIMIT_MS);
      });
      await Promise.race([provider.shutdown().catch(() => {}), limit]);
      clearTimeout(timer);
    },
  };
}

/** The exporter, with a line in the log when the collector does not take what it is sent. */
function telling(exporter: SpanExporter, log: Log): SpanExporter {
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code !== 0 && performance.now() - toldAt > QUIET_MS) {
          toldAt = performance.now();
          log.warn("Traces were not taken by their collector", { count: spans.length });
        }
        done(result);
      });
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
