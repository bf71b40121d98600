/** A slow link between a viewer and the server: TCP on loopback with limited speed down and delay both ways. */
import { createConnection, createServer, type Socket } from "node:net";

export interface Throttle {
  readonly port: number;
  close(): Promise<void>;
}

export interface Link {
  readonly bytesPerSecond: number;
  /** One way, in ms. */
  readonly delayMs: number;
}

/** Bytes a bottleneck keeps before it holds the sender back. */
const QUEUE_BYTES = 64 * 1024;
const PIECE_BYTES = 2 * 1024;

/** Forwards connections to `targetPort` on loopback over a link as slow as described. */
export async function startThrottle(targetPort: number, link: Link): Promise<Throttle> {
  const sockets = new Set<Socket>();
  const server = createServer((viewer) => {
    const upstream = createConnection({ port: targetPort, host: "127.0.0.1" });
    for (const socket of [viewer, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    pipe(viewer, upstream, { bytesPerSecond: Number.POSITIVE_INFINITY, delayMs: link.delayMs });
    pipe(upstream, viewer, link);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP port");
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function pipe(from: Socket, to: Socket, { bytesPerSecond, delayMs }: Link): void {
  const line: { readonly piece: Buffer; readonly arrivesAt: number }[] = [];
  let lineFreeAt = 0;
  let queued = 0;
  let timer: NodeJS.Timeout | undefined;

  // One timer for the whole line: several would not always fire in the order of their pieces.
  function deliver(): void {
    timer = undefined;
    const now = performance.now();
    while (line[0] !== undefined && line[0].arrivesAt <= now) {
      const piece = line.shift()?.piece ?? Buffer.alloc(0);
      queued -= piece.length;
      if (!to.destroyed) to.write(piece);
    }
    if (queued < QUEUE_BYTES) from.resume();
    if (line[0] !== undefined) timer = setTimeout(deliver, Math.max(0, line[0].arrivesAt - now));
  }

  from.on("data", (data: Buffer) => {
    for (let offset = 0; offset < data.length; offset += PIECE_BYTES) {
      const piece = data.subarray(offset, offset + PIECE_BYTES);
      lineFreeAt = Math.max(performance.now(), lineFreeAt) + (piece.length * 1_000) / bytesPerSecond;
      queued += piece.length;
      line.push({ piece, arrivesAt: lineFreeAt + delayMs });
    }
    if (queued >= QUEUE_BYTES) from.pause();
    if (timer === undefined) timer = setTimeout(deliver, delayMs);
  });
  from.on("close", () => setTimeout(() => to.destroy(), delayMs));
}
