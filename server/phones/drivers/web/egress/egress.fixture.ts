/** Stand-ins for the internet: a fake resolver, and a connector that takes public addresses to loopback servers. No test leaves this machine. */
import { createServer, type IncomingHttpHeaders, type RequestListener, request, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import type { EgressAllow } from "./allow.ts";
import { parseEgressAllow } from "./allow.ts";
import { type Connector, tcpConnect } from "./dial.ts";
import { type EgressOptions, type EgressProxy, startEgressProxy } from "./proxy.ts";
import type { EgressReason } from "./refusal.ts";

/** Every way to write 127.0.0.1 that a browser or a C library would follow. */
export const LOOPBACK_SPELLINGS = [
  "127.0.0.1",
  "127.0.0.1.",
  "127.1",
  "127.0.1",
  "2130706433",
  "0x7f000001",
  "0x7F.1",
  "0x7f.0x0.0x0.0x1",
  "017700000001",
  "0177.0.0.1",
  "0177.0.0.01",
  "00000177.0.0.1",
  "127.0x0.0.1",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[0:0:0:0:0:ffff:7f00:0001]",
  "[::FFFF:127.0.0.1]",
] as const;

/** A public address that is only ever dialled through `FakeInternet`. */
export const PUBLIC = "11.22.33.44";
export const NO_ALLOW: EgressAllow = parseEgressAllow("");

export interface Dialled {
  readonly address: string;
  readonly port: number;
}

/** Names and routes of a pretended internet, and a record of everything asked of it. */
export class FakeInternet {
  readonly asked: string[] = [];
  readonly dialled: Dialled[] = [];
  readonly #names = new Map<string, () => readonly string[]>();
  readonly #routes = new Map<string, number>();

  /** The answers to successive questions; the last one is repeated. */
  name(name: string, ...answers: (readonly string[])[]): this {
    let next = 0;
    this.#names.set(name, () => answers[Math.min(next++, answers.length - 1)] ?? []);
    return this;
  }

  /** Connections to this address and port arrive at the loopback port. */
  route(address: string, port: number, loopbackPort: number): this {
    this.#routes.set(`${address} ${port}`, loopbackPort);
    return this;
  }

  readonly resolve = async (name: string): Promise<readonly string[]> => {
    this.asked.push(name);
    const answer = this.#names.get(name);
    if (answer === undefined) throw new Error("no such name");
    return answer();
  };

  readonly connect: Connector = (address, port, signal) => {
    this.dialled.push({ address, port });
    const loopbackPort = this.#routes.get(`${address} ${port}`);
    if (loopbackPort === undefined) return Promise.reject(new Error("no route"));
    return tcpConnect("127.0.0.1", loopbackPort, signal);
  };
}

export interface Refused {
  readonly host: string;
  readonly port: number;
  readonly reason: EgressReason;
}

/** Closes what a test started, last first. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];
  add(step: () => unknown): void {
    this.#steps.push(step);
  }
  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step();
  }
}

export interface Started {
  readonly proxy: EgressProxy;
  readonly refused: Refused[];
  readonly logged: string[];
}

/** A proxy on a pretended internet, closed by the cleanup. */
export async function startProxy(
  cleanup: Cleanup,
  internet: FakeInternet,
  options: Partial<EgressOptions> = {},
): Promise<Started> {
  const refused: Refused[] = [];
  const logged: string[] = [];
  const proxy = await startEgressProxy({
    allow: NO_ALLOW,
    resolve: internet.resolve,
    connect: internet.connect,
    log: { info: (message, fields) => void logged.push(`${message} ${JSON.stringify(fields)}`) },
    onRefused: (host, port, reason) => void refused.push({ host, port, reason }),
    ...options,
  });
  cleanup.add(() => proxy.close());
  return { proxy, refused, logged };
}

/** A loopback HTTP server; its port. */
export async function startSite(
  cleanup: Cleanup,
  listener: RequestListener,
): Promise<{ port: number; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanup.add(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: portOf(server.address()), server };
}

/** A loopback TCP server; its port. */
export async function startTcp(cleanup: Cleanup, onSocket: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanup.add(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return portOf(server.address());
}

/** A raw connection to the proxy. */
export async function rawClient(cleanup: Cleanup, port: number): Promise<RawClient> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  cleanup.add(() => socket.destroy());
  return new RawClient(socket);
}

export class RawClient {
  readonly socket: Socket;
  #received = "";
  readonly #changed = new Set<() => void>();
  #ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    const change = () => {
      for (const listener of this.#changed) listener();
    };
    socket.on("error", () => {});
    // Not setEncoding: the socket may be handed on to a parser that needs bytes.
    socket.on("data", (part: Buffer) => {
      this.#received += part.toString("latin1");
      change();
    });
    for (const event of ["end", "close"]) {
      socket.once(event, () => {
        this.#ended = true;
        change();
      });
    }
  }

  get received(): string {
    return this.#received;
  }

  /** Everything received, once it contains the text or matches; rejects when the other side ends first. */
  until(wanted: string | RegExp): Promise<string> {
    const found = () => (typeof wanted === "string" ? this.#received.includes(wanted) : wanted.test(this.#received));
    return this.#when(found, () => this.#ended && !found()).then(() => this.#received);
  }

  /** Everything received until the other side ended. */
  ended(): Promise<string> {
    return this.#when(
      () => this.#ended,
      () => false,
    ).then(() => this.#received);
  }

  #when(done: () => boolean, hopeless: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!done() && !hopeless()) return;
        this.#changed.delete(look);
        if (done()) resolve();
        else reject(new Error(`The connection ended after: ${this.#received}`));
      };
      this.#changed.add(look);
      look();
    });
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One plain request through the proxy, as a browser sends it. */
export function get(
  proxyPort: number,
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const host = /^\w+:\/\/([^/?#]*)/.exec(url)?.[1] ?? "";
    const asked = request(
      {
        host: "127.0.0.1",
        port: proxyPort,
        path: url,
        method: options.method ?? "GET",
        headers: { host, ...options.headers },
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
        );
      },
    );
    asked.on("error", reject);
    asked.end(options.body);
  });
}

/** Asks a proxy for a tunnel; the client is then connected to the site, or holds the refusal. */
export async function openTunnel(cleanup: Cleanup, port: number, authority: string): Promise<RawClient> {
  const client = await rawClient(cleanup, port);
  client.socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await client.until("\r\n\r\n");
  return client;
}

export function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === "string") throw new Error("This server is not listening on a port.");
  return address.port;
}
