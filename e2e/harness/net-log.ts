/** What a browser did on the network, from its own log (`--log-net-log`): what it asked for, for whom, and every byte it sent. */
import { readFileSync } from "node:fs";

export interface NetLog {
  /** Each address asked for, and which origin asked; the browser's own requests have none. */
  readonly requests: readonly { readonly url: string; readonly initiator: string }[];
  /** All that was sent over sockets whose requests name this host, as text. */
  sentTo(host: string): string;
}

interface LoggedEvent {
  readonly type: number;
  readonly source: { readonly id: number };
  readonly params?: Readonly<Record<string, unknown>>;
}

export function readNetLog(path: string): NetLog {
  // The browser's own format (chromium: net/log/net_log_util.cc).
  const { constants, events } = JSON.parse(readFileSync(path, "utf8")) as {
    constants: { logEventTypes: Readonly<Record<string, number>> };
    events: readonly LoggedEvent[];
  };
  const { URL_REQUEST_START_JOB: asked, SOCKET_BYTES_SENT: sent } = constants.logEventTypes;
  const sockets = new Map<number, Buffer[]>();
  for (const { type, source, params } of events) {
    const bytes = type === sent ? params?.["bytes"] : undefined;
    if (typeof bytes !== "string") continue;
    sockets.set(source.id, [...(sockets.get(source.id) ?? []), Buffer.from(bytes, "base64")]);
  }
  const texts = [...sockets.values()].map((pieces) => Buffer.concat(pieces).toString("utf8"));
  return {
    requests: events.flatMap(({ type, params }) =>
      type === asked && typeof params?.["url"] === "string"
        ? [{ url: params["url"], initiator: String(params["initiator"] ?? "") }]
        : [],
    ),
    sentTo: (host) => texts.filter((text) => text.includes(`\r\nHost: ${host}\r\n`)).join("\n"),
  };
}
