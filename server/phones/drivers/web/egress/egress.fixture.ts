/** A proxy on a pretended internet, and clients that speak to it. */
import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { type Cleanup, type FakeInternet, NO_ALLOW } from "../../../../egress/internet.fixture.ts";
import { type EgressOptions, type EgressProxy, startEgressProxy } from "./proxy.ts";
import type { EgressReason } from "./refusal.ts";

export interface Refused {
  readonly host: string;
  readonly port: number;
  readonly reason: EgressReason;
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
