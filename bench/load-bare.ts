/** What is beside the server in the `load` benchmark: Hono on node's http, and ws, with nothing behind them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { WebSocketServer } from "ws";
import { encodeFrameHeader, SCREEN_PROTOCOL } from "../shared/screen-protocol.ts";
import { memoryMB, obey } from "./child.ts";
import type { Pictures } from "./load-screens.ts";

export type BareOrder =
  | { readonly do: "port" }
  /** What it answers: the JSON the server answered the same question with. */
  | { readonly do: "answer"; readonly with: unknown }
  | { readonly do: "pictures"; readonly of: Pictures | undefined }
  | { readonly do: "memory" };

const PING_MS = 15_000;
let answer: unknown = {};
let timer: NodeJS.Timeout | undefined;

const app = new Hono();
app.get("/healthz", (c) => c.text("ok"));
app.get("/answer", (c) => c.json(answer));
app.post("/answer", async (c) => {
  await c.req.json();
  return c.json(answer);
});
app.get("/stream", (c) =>
  streamSSE(c, async (stream) => {
    while (!stream.aborted) {
      await stream.writeSSE({ event: "ping", data: "" });
      await stream.sleep(PING_MS);
    }
  }),
);
const http = createServer(getRequestListener(app.fetch));
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false, handleProtocols: () => SCREEN_PROTOCOL });
await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));

let seq = 0;
function show(pictures: Pictures | undefined): void {
  clearInterval(timer);
  if (pictures === undefined) return;
  const payload = Buffer.alloc(pictures.bytes, 0x5a);
  timer = setInterval(() => {
    for (const socket of sockets.clients) {
      seq += 1;
      const header = { kind: "image", format: "jpeg", flags: 0, seq, capturedAtMs: Date.now() } as const;
      socket.send(encodeFrameHeader(header), { fin: false, binary: true });
      socket.send(payload, { fin: true, binary: true });
    }
  }, pictures.everyMs);
}

obey<BareOrder, number | undefined>(
  async (order) => {
    if (order.do === "port") return (http.address() as AddressInfo).port;
    if (order.do === "memory") return memoryMB();
    if (order.do === "pictures") show(order.of);
    else answer = order.with;
    return undefined;
  },
  async () => {
    clearInterval(timer);
    for (const socket of sockets.clients) socket.terminate();
    http.closeAllConnections();
    http.close();
  },
);
