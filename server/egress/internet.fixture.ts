/** Stand-ins for the internet: a fake resolver, and a connector that takes public addresses to loopback servers. No test leaves this machine. */
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { type EgressAllow, parseEgressAllow } from "./allow.ts";
import { type Connector, tcpConnect } from "./dial.ts";

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

export function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === "string") throw new Error("This server is not listening on a port.");
  return address.port;
}
