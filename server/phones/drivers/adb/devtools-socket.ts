/**
 * The DevTools sockets of Chrome and of apps with WebViews on a device: which pages they have, and a connection to one.
 * Chromium `content/browser/devtools/devtools_http_handler.cc` (`/json/version` names the app, `/json/list` comes newest
 * first); names of sockets: `chrome/browser/android/devtools_server.cc`, `android_webview/browser/aw_devtools_server.cc`.
 */
import { PassThrough, Writable } from "node:stream";
import { WebSocket } from "ws";
import { z } from "zod";
import { CdpConnection } from "../web/cdp.ts";
import { askDevice, openDeviceSocket } from "./device-http.ts";
import type { AndroidDevice } from "./ports.ts";

const ANSWER_MS = 2_000;
const MAX_LIST = 1024 * 1024;
const MAX_MESSAGE = 8 * 1024 * 1024;

const version = z.object({ "Android-Package": z.string() });
const targets = z.array(z.object({ id: z.string(), type: z.string(), description: z.string().catch("") })).max(500);
/** Answers alone: nothing is asked for that sends events or opens sessions. */
const message = z.object({
  id: z.number(),
  error: z.object({ message: z.string() }).optional(),
  sessionId: z.undefined().optional(),
});

export interface DevtoolsPage {
  readonly id: string;
  /** A WebView says in JSON where it is (`aw_devtools_manager_delegate.cc`); Chrome says nothing. */
  readonly description: string;
}

/** Its pages, the one used last first; none of a socket that is another app's. @throws PerchError, ZodError, SyntaxError */
export async function devtoolsPages(device: AndroidDevice, to: string, app: string): Promise<readonly DevtoolsPage[]> {
  const get = async (path: string): Promise<unknown> => {
    const answer = await askDevice(device, to, { method: "GET", path, timeoutMs: ANSWER_MS, maxBytes: MAX_LIST });
    return JSON.parse(answer.toString("utf8"));
  };
  if (version.parse(await get("/json/version"))["Android-Package"] !== app) return [];
  return targets.parse(await get("/json/list")).filter(({ id, type }) => type === "page" && /^[\w-]{1,100}$/.test(id));
}

/** What comes over it is the phone's word: messages of another shape end it. */
export async function openDevtools(device: AndroidDevice, to: string, page: DevtoolsPage): Promise<CdpConnection> {
  const socket = await openDeviceSocket(device, to);
  const web = new WebSocket(`ws://localhost/devtools/page/${page.id}`, {
    createConnection: () => socket,
    handshakeTimeout: ANSWER_MS,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: false,
  });
  // The client takes a stream with its messages parted by NUL, as the pipe of a browser of its own.
  const read = new PassThrough();
  const write = new Writable({
    write(chunk: Buffer, _encoding, done) {
      web.send(chunk.subarray(0, -1).toString("utf8"), (error) => done(error ?? null));
    },
    destroy(error, done) {
      web.terminate();
      done(error);
    },
  });
  web.on("message", (data, isBinary) => {
    const text = String(data);
    if (isBinary || !isMessage(text)) web.terminate();
    else read.write(`${text}\0`);
  });
  web.on("close", () => read.destroy());
  await new Promise<void>((resolve, reject) => {
    web.once("open", resolve);
    web.once("error", reject);
  }).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  web.on("error", () => web.terminate());
  return new CdpConnection(read, write);
}

function isMessage(text: string): boolean {
  try {
    return message.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
