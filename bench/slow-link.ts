/** Slow links through the real phone, beside a server that sends every frame it gets. */
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import type { ScreenSource } from "../server/phones/driver.ts";
import { type Link, startThrottle } from "../server/screen/testing/throttle.ts";
import { encodeFrameHeader, FRAME_HEADER_BYTES } from "../shared/screen-protocol.ts";
import { type Benchmark, type Figure, median } from "./benchmark.ts";
import { benchSlowLinks, SLOW_LINKS } from "./screen.ts";
import { launch, startWorld } from "./world.ts";

const DELAY_MS = 20;
const SETTLE_MS = 6_000;
const MEASURE_MS = 6_000;
const SAMPLE_MS = 10;

export const slowLink: Benchmark = {
  name: "slow-link",
  title: "Slow links",
  about:
    `A phone with the moving page behind ${SLOW_LINKS.join(" and ")} kB/s and ${DELAY_MS} ms each way, after ` +
    `${SETTLE_MS / 1_000} s to settle: how old what is on the viewer's screen is at any moment. Beside it the same ` +
    "phone and link with a server that sends every frame.",
  run: benchSlowLink,
};

async function benchSlowLink(): Promise<readonly Figure[]> {
  const world = await startWorld({ env: { WARM_PHONES: "0" } });
  try {
    const id = await launch(await world.account(), world.site.moving);
    const source = world.server.drivers.need("web").screen(id);
    const ours = await benchSlowLinks(source);
    const figures: Figure[] = [];
    for (const one of ours) {
      const link = { bytesPerSecond: one.kilobytesPerSecond * 1_000, delayMs: DELAY_MS };
      const everything = await sendEverything(source, link);
      const name = `${one.kilobytesPerSecond} kB/s`;
      figures.push(
        {
          name: `${name}, staleness`,
          unit: "ms",
          median: one.staleP50,
          p95: one.staleP95,
          beside: { name: "every frame sent", median: everything.staleP50 },
          aim: { of: "p95", atMost: 160 },
        },
        {
          name: `${name}, rate`,
          unit: "fps",
          median: one.fps,
          beside: { name: "every frame sent", median: everything.fps },
        },
      );
    }
    return figures;
  } finally {
    await world.close();
  }
}

async function sendEverything(source: ScreenSource, link: Link): Promise<{ fps: number; staleP50: number }> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on("connection", (socket) => {
    const stop = source.listen(({ kind, format, capturedAtMs, bytes }) => {
      const header = encodeFrameHeader({ kind, format, flags: 0, seq: 0, capturedAtMs });
      socket.send(Buffer.concat([header, bytes]));
    });
    socket.on("close", stop);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const address = http.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has an address.");
  source.setLevel(4);
  const throttle = await startThrottle(address.port, link);
  const viewer = new WebSocket(`ws://127.0.0.1:${throttle.port}/`, { perMessageDeflate: false });
  viewer.binaryType = "arraybuffer";
  let shownAt: number | undefined;
  let frames = 0;
  viewer.on("message", (data: ArrayBuffer) => {
    frames += 1;
    shownAt = new DataView(data, 0, FRAME_HEADER_BYTES).getFloat64(8, true);
  });
  try {
    await pause(SETTLE_MS);
    frames = 0;
    const stale: number[] = [];
    const sampling = setInterval(() => {
      if (shownAt !== undefined) stale.push(Date.now() - shownAt);
    }, SAMPLE_MS);
    await pause(MEASURE_MS);
    clearInterval(sampling);
    return { fps: frames / (MEASURE_MS / 1_000), staleP50: median(stale) };
  } finally {
    viewer.terminate();
    for (const socket of sockets.clients) socket.terminate();
    await throttle.close();
    sockets.close();
    await new Promise((resolve) => http.close(resolve));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
