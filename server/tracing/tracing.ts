/**
 * Spans of what this process does, for whoever set OTEL_EXPORTER_OTLP_ENDPOINT. Everybody else gets `untraced`, which
 * costs a call and loads nothing. Attributes are closed: kinds, names of procedures, counts. No id of a person, a team
 * or a phone, no address and no text anybody wrote goes into one.
 */
export interface SpanAttributes {
  readonly "http.request.method"?: string;
  readonly "http.route"?: string;
  readonly "http.response.status_code"?: number;
  readonly "rpc.method"?: string;
  readonly "rpc.system"?: string;
  readonly "db.system.name"?: string;
  readonly "perch.tries"?: number;
  readonly "perch.job"?: string;
  readonly "perch.driver"?: string;
  readonly "perch.result"?: string;
  /** Which outside service, never at which address. */
  readonly "peer.service"?: string;
  /** The same as in the log and in what the person sees. */
  readonly "perch.request_id"?: string;
}
export type SpanKind = "server" | "client" | "internal";

/** A span while its work runs. */
export interface Span {
  set(attributes: SpanAttributes): void;
  /** The work went wrong, though it threw nothing. */
  failed(): void;
}

export interface Tracing {
  /** False where nobody looks: what costs something to find out need not be found out. */
  readonly on: boolean;
  /** Runs the work inside a span of its own. What it throws marks the span as failed, without its message. */
  span<T>(name: string, kind: SpanKind, attributes: SpanAttributes, work: (span: Span) => Promise<T>): Promise<T>;
  /** Sends what is left, within a few seconds. */
  close(): Promise<void>;
}

const nothing: Span = { set() {}, failed() {} };
export const untraced: Tracing = {
  on: false,
  span: (_name, _kind, _attributes, work) => work(nothing),
  close: async () => {},
};

/** Where traces go, for the wall around this process. */
export function collectorOf(config: {
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
}): readonly { readonly host: string; readonly port: number }[] {
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return [];
  const { protocol, hostname, port } = new URL(config.OTEL_EXPORTER_OTLP_ENDPOINT);
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return [{ host, port: Number(port) || (protocol === "http:" ? 80 : 443) }];
}
