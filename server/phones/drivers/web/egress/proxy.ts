/**
 * The egress proxy of one phone: an HTTP/1.1 forward proxy on loopback that every connection of the phone's browser
 * goes through. Plain http comes in absolute form; https and WebSockets come as CONNECT tunnels, whose bytes are
 * passed on unread. Addresses a person visits are never logged.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type EgressTarget, parseAuthority } from "../../../../egress/host.ts";
import { createReach, type ReachOptions } from "../../../../egress/reach.ts";
import { answerRefusal, forward, hasSoundHead, readForwardRequest } from "./forward.ts";
import { type EgressReason, refusal } from "./refusal.ts";

export interface EgressLimits {
  /** Connections from the phone's browser at one time; more are closed unanswered. Chromium itself opens at most 32 per proxy, and 255 WebSockets. */
  readonly connections: number;
  /** A connection on which nothing moves in either direction is closed after this long. */
  readonly idleMs: number;
  /** From request to open connection, name resolution included. */
  readonly connectMs: number;
  /** Largest head of a request or an answer. */
  readonly headerBytes: number;
  /** Most bytes one connection to a site may receive; no limit when absent. */
  readonly bytesPerConnection?: number;
}

const DEFAULT_LIMITS: EgressLimits = { connections: 320, idleMs: 300_000, connectMs: 15_000, headerBytes: 64 * 1024 };

export interface EgressLog {
  info(message: string, fields: Readonly<Record<string, string | number>>): void;
}

export interface EgressOptions extends ReachOptions {
  readonly log: EgressLog;
  readonly limits?: Partial<EgressLimits>;
  /** Told of each refusal, to show the person what happened. Not for logs: the host is what somebody visited. */
  readonly onRefused?: (host: string, port: number, reason: EgressReason) => void;
}

export interface EgressProxy {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Requests refused since the start, for any reason. */
  refused(): number;
  /** Bytes received from and sent to sites since the start. */
  bytes(): { in: number; out: number };
  /** While cut off, every connection ends at once and unanswered, as without a network. */
  cutOff(on: boolean): void;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startEgressProxy(options: EgressOptions): Promise<EgressProxy> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const connect = createReach(options);
  const clients = new Set<Socket>();
  const sites = new Set<Socket>();
  const refusals = new Map<EgressReason, number>();
  const closing = new AbortController();
  let cut = false;
  const finished = { in: 0, out: 0, connections: 0 };

  const count = (reason: EgressReason, target: EgressTarget | undefined): void => {
    const before = refusals.get(reason) ?? 0;
    refusals.set(reason, before + 1);
    // Once per reason: a hostile page can be refused thousands of times a second.
    if (before === 0) options.log.info("A phone's request was refused by the egress proxy.", { reason });
    if (target !== undefined) options.onRefused?.(target.host, target.port, reason);
  };

  /** The open connection to the site, or why there is none. */
  const reach = async (target: EgressTarget, client: Socket): Promise<Socket | EgressReason> => {
    if (client.destroyed || closing.signal.aborted) return "unreachable";
    const giveUp = new AbortController();
    const abort = () => giveUp.abort();
    const timer = setTimeout(abort, limits.connectMs);
    client.once("close", abort);
    client.once("end", abort);
    closing.signal.addEventListener("abort", abort);
    try {
      const site = await connect(target, giveUp.signal);
      if (typeof site === "string") return site;
      adopt(site);
      if (giveUp.signal.aborted) site.destroy();
      return site;
    } finally {
      clearTimeout(timer);
      client.off("close", abort);
      client.off("end", abort);
      closing.signal.removeEventListener("abort", abort);
    }
  };

  const adopt = (site: Socket): void => {
    sites.add(site);
    finished.connections += 1;
    site.on("error", () => site.destroy());
    site.once("close", () => {
      sites.delete(site);
      finished.in += site.bytesRead;
      finished.out += site.bytesWritten;
    });
  };

  /** Called once the site's bytes have somewhere to go: a listener alone would start them flowing. */
  const capBytes = (site: Socket): void => {
    const most = limits.bytesPerConnection;
    if (most === undefined) return;
    site.on("data", () => {
      if (site.bytesRead > most) site.destroy();
    });
  };

  const onRequest = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const asked = readForwardRequest(incoming);
    const site = asked === undefined ? "bad-request" : await reach(asked.target, incoming.socket);
    if (asked === undefined || typeof site === "string") {
      const reason = typeof site === "string" ? site : "bad-request";
      count(reason, asked?.target);
      answerRefusal(outgoing, reason);
      return;
    }
    forward(incoming, outgoing, asked, site, limits.headerBytes);
    capBytes(site);
  };

  const onConnect = async (incoming: IncomingMessage, head: Buffer): Promise<void> => {
    const client = incoming.socket;
    client.on("error", () => client.destroy());
    client.setTimeout(limits.idleMs, () => client.destroy());
    const target = parseAuthority(incoming.url ?? "");
    const sound = target !== undefined && hasSoundHead(incoming, target, undefined);
    const stopNoticing = noticeEnd(client);
    const site = target !== undefined && sound ? await reach(target, client) : "bad-request";
    stopNoticing();
    if (typeof site === "string") {
      count(site, target);
      return refuseTunnel(client, site);
    }
    if (client.destroyed) {
      site.destroy();
      return;
    }
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    if (head.length > 0) site.write(head);
    client.pipe(site);
    site.pipe(client);
    capBytes(site);
    // One side gone for good takes the other along; a half-close alone does not.
    client.once("close", () => site.destroy());
    site.once("close", (failed: boolean) => (failed ? client.destroy() : client.destroySoon()));
  };

  const server = createServer({
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: 30_000,
    requestTimeout: 0,
    keepAliveTimeout: limits.idleMs,
    noDelay: true,
  });
  server.maxConnections = limits.connections;
  server.timeout = limits.idleMs;
  server.on("connection", (client: Socket) => {
    if (cut) return void client.destroy();
    clients.add(client);
    client.once("close", () => clients.delete(client));
  });
  server.on("request", (incoming, outgoing) => {
    onRequest(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.on("connect", (incoming, socket, head) => {
    onConnect(incoming, head).catch(() => socket.destroy());
  });
  server.on("clientError", (_error, socket) => {
    count("bad-request", undefined);
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    else socket.destroy();
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });

  const refused = () => [...refusals.values()].reduce((sum, value) => sum + value, 0);
  const bytes = () => {
    const total = { in: finished.in, out: finished.out };
    for (const site of sites) {
      total.in += site.bytesRead;
      total.out += site.bytesWritten;
    }
    return total;
  };
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    closing.abort();
    for (const socket of [...clients, ...sites]) socket.destroy();
    await ended;
    options.log.info("The egress proxy of a phone has closed.", {
      connections: finished.connections,
      refused: refused(),
      bytesIn: bytes().in,
      bytesOut: bytes().out,
    });
  };
  return {
    port: listeningPort(server.address()),
    refused,
    bytes,
    cutOff(on) {
      cut = on;
      if (on) for (const socket of [...clients, ...sites]) socket.destroy();
    },
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

/**
 * A socket nobody reads does not notice that the other side left: reads on, up to the stream's own buffer, until told
 * to stop. What came in stays in the stream for the pipe.
 */
function noticeEnd(client: Socket): () => void {
  const onReadable = () => {
    if (client.readableLength === 0) client.read();
  };
  client.on("readable", onReadable);
  return () => client.off("readable", onReadable);
}

/** Says why, then lets go: what the client still sends is thrown away. */
function refuseTunnel(client: Socket, reason: EgressReason): void {
  const { status, statusText, headers, body } = refusal(reason);
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  client.setTimeout(1_000, () => client.destroy());
  client.resume();
  client.end(`HTTP/1.1 ${status} ${statusText}\r\n${head.join("")}\r\n${body}`);
}

function listeningPort(address: string | AddressInfo | null): number {
  if (address === null || typeof address === "string") throw new Error("The egress proxy is not listening.");
  return address.port;
}
