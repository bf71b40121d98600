/** What the egress proxy costs: the same work over loopback, straight and through the proxy. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { parseEgressAllow } from "../server/egress/allow.ts";
import { startEgressProxy } from "../server/phones/drivers/web/egress/proxy.ts";

export interface EgressFigure {
  readonly name: string;
  readonly unit: "ms" | "MB/s";
  /** Medians. */
  readonly direct: number;
  readonly proxied: number;
  /** Proxied time divided by direct time; 1 costs nothing. */
  readonly ratio: number;
}

const ROUNDS = 9;
const REQUESTS_A_ROUND = 50;
const TUNNEL_BYTES = 128 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 7);

/** Opening a tunnel, a request inside an open tunnel, and a long download. Everything runs in this one process. */
export async function benchEgress(): Promise<readonly EgressFigure[]> {
  const source = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    // One byte asks for one byte; "b" asks for the long download.
    socket.on("data", (part) => (part[0] === "b".charCodeAt(0) ? pour(socket, TUNNEL_BYTES) : socket.write("r")));
  });
  const port = await listen(source);
  const allow = parseEgressAllow(`127.0.0.1:${port}`);
  const proxy = await startEgressProxy({ allow, log: { info: () => {} } });
  const ways = { direct: () => open(port), proxied: () => openThrough(proxy.port, port) };
  try {
    return [
      await compare("open a connection", "ms", ways, timeOpening),
      await compare("round trip on an open connection", "ms", ways, timeRoundTrips),
      await compare("download", "MB/s", ways, timeDownload),
    ];
  } finally {
    await proxy.close();
    source.close();
  }
}

type Opener = () => Promise<Socket>;

async function compare(
  name: string,
  unit: EgressFigure["unit"],
  ways: { readonly direct: Opener; readonly proxied: Opener },
  measure: (opener: Opener) => Promise<number>,
): Promise<EgressFigure> {
  const direct: number[] = [];
  const proxied: number[] = [];
  await measure(ways.direct);
  await measure(ways.proxied);
  // Taken in turns, so that a busy machine slows both alike.
  for (let round = 0; round < ROUNDS; round += 1) {
    direct.push(await measure(ways.direct));
    proxied.push(await measure(ways.proxied));
  }
  const [straight, through] = [median(direct), median(proxied)];
  const shown = (ms: number) => (unit === "ms" ? ms : TUNNEL_BYTES / 1_000 / ms);
  return { name, unit, direct: shown(straight), proxied: shown(through), ratio: through / straight };
}

async function timeOpening(opener: Opener): Promise<number> {
  const start = performance.now();
  for (let count = 0; count < REQUESTS_A_ROUND; count += 1) (await opener()).destroy();
  return (performance.now() - start) / REQUESTS_A_ROUND;
}

async function timeRoundTrips(opener: Opener): Promise<number> {
  const socket = await opener();
  const start = performance.now();
  for (let count = 0; count < REQUESTS_A_ROUND; count += 1) {
    socket.write("a");
    await new Promise((resolve) => socket.once("data", resolve));
  }
  socket.destroy();
  return (performance.now() - start) / REQUESTS_A_ROUND;
}

async function timeDownload(opener: Opener): Promise<number> {
  const socket = await opener();
  const start = performance.now();
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (part) => {
      received += part.length;
      if (received >= TUNNEL_BYTES) resolve();
    });
    socket.write("b");
  });
  socket.destroy();
  return performance.now() - start;
}

function pour(socket: Socket, bytes: number): void {
  let left = bytes;
  const fill = () => {
    while (left > 0 && !socket.destroyed) {
      left -= CHUNK.length;
      if (!socket.write(CHUNK)) return;
    }
  };
  socket.on("drain", fill);
  fill();
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

async function openThrough(proxyPort: number, port: number): Promise<Socket> {
  const socket = await open(proxyPort);
  socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const answer = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
  if (!answer.toString("latin1").startsWith("HTTP/1.1 200 "))
    throw new Error("The egress proxy refused the benchmark.");
  return socket;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("The benchmark has no port."));
      else resolve(address.port);
    });
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
