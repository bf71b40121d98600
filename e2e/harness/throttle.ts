/** A TCP proxy that limits what comes down, and cuts and restores the connection. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

const TICK_MS = 10;

export interface ThrottleProxy {
  readonly port: number;
  /** Bytes a second from server to client, all connections together; undefined: no limit. */
  limit(bytesPerSecond: number | undefined): void;
  /** Ends every connection and refuses new ones, as a lost network does. */
  cut(): void;
  restore(): void;
  /** Bytes that came from the server so far. */
  received(): number;
  close(): Promise<void>;
}

/** Listens on a loopback port, or the one given, and forwards to `target` on loopback. */
export async function startThrottle(target: number): Promise<ThrottleProxy> {
  let rate: number | undefined;
  let open = true;
  let received = 0;
  let allowance = 0;
  const pairs = new Map<Socket, { readonly upstream: Socket; readonly queue: Buffer[] }>();

  const drain = () => {
    if (rate === undefined) return;
    // No savings: a link that rested is not faster afterwards.
    allowance = Math.min(allowance + (rate * TICK_MS) / 1_000, (rate * TICK_MS * 2) / 1_000);
    for (const [client, { upstream, queue }] of pairs) {
      while (allowance > 0 && queue.length > 0) {
        const [chunk] = queue;
        if (chunk === undefined) break;
        const part = chunk.subarray(0, Math.ceil(allowance));
        allowance -= part.length;
        client.write(part);
        if (part.length === chunk.length) queue.shift();
        else queue[0] = chunk.subarray(part.length);
      }
      if (queue.length === 0) upstream.resume();
    }
  };
  const timer = setInterval(drain, TICK_MS);

  const server: Server = createServer((client) => {
    if (!open) return void client.destroy();
    const upstream = connect(target, "127.0.0.1");
    const queue: Buffer[] = [];
    pairs.set(client, { upstream, queue });
    client.on("data", (chunk) => upstream.write(chunk));
    upstream.on("data", (chunk) => {
      received += chunk.length;
      if (rate === undefined && queue.length === 0) return void client.write(chunk);
      queue.push(chunk);
      // Backpressure reaches the server, as on a real slow link, once one small buffer is full.
      if (queue.reduce((sum, { length }) => sum + length, 0) > 32_768) upstream.pause();
    });
    const end = () => {
      pairs.delete(client);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on("error", end).on("close", end);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has an address.");

  const cutAll = () => {
    for (const [client, { upstream }] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  return {
    port: address.port,
    limit(bytesPerSecond) {
      rate = bytesPerSecond;
      if (rate !== undefined) return;
      for (const [client, { upstream, queue }] of pairs) {
        for (const chunk of queue.splice(0)) client.write(chunk);
        upstream.resume();
      }
    },
    cut() {
      open = false;
      cutAll();
    },
    restore() {
      open = true;
    },
    received: () => received,
    async close() {
      clearInterval(timer);
      cutAll();
      server.close();
      await once(server, "close");
    },
  };
}
