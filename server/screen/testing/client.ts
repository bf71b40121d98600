/** A viewer as a program: a real WebSocket that acknowledges as told and keeps what it was sent. */
import { WebSocket } from "ws";
import {
  decodeFrame,
  type FrameHeader,
  SCREEN_PROTOCOL,
  type ServerMessage,
  TICKET_PROTOCOL_PREFIX,
  type ViewerMessage,
} from "../../../shared/screen-protocol.ts";

export interface ReceivedFrame {
  readonly header: FrameHeader;
  readonly bytes: number;
  readonly text: string;
  /** Unix milliseconds. */
  readonly receivedAtMs: number;
}

export class TestViewer {
  readonly frames: ReceivedFrame[] = [];
  readonly messages: ServerMessage[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  acknowledges: boolean;
  readonly socket: WebSocket;

  constructor(socket: WebSocket, acknowledges: boolean) {
    this.socket = socket;
    this.acknowledges = acknowledges;
    socket.binaryType = "arraybuffer";
    socket.on("message", (data: ArrayBuffer | Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    socket.on("error", () => {});
  }
  #receive(data: ArrayBuffer | Buffer, isBinary: boolean): void {
    if (!isBinary) {
      this.messages.push(parseServerMessage(Buffer.from(data as Buffer).toString()));
      return;
    }
    const frame = decodeFrame(data as ArrayBuffer);
    if (frame === undefined) throw new Error("not a frame");
    const { header, payload } = frame;
    const text = Buffer.from(payload.subarray(0, 40)).toString();
    this.frames.push({ header, bytes: payload.length, text, receivedAtMs: Date.now() });
    if (this.acknowledges) this.ack(header.seq);
  }
  send(message: ViewerMessage): void {
    this.socket.send(JSON.stringify(message));
  }
  ack(seq: number): void {
    this.send({ type: "ack", seq });
  }
  texts(): string[] {
    return this.frames.map((frame) => frame.text);
  }
  last<T extends ServerMessage["type"]>(type: T): Extract<ServerMessage, { type: T }> | undefined {
    const isOfType = (one: ServerMessage): one is Extract<ServerMessage, { type: T }> => one.type === type;
    return this.messages.filter(isOfType).at(-1);
  }
}

/** The server only ever sends `ServerMessage` as text. */
function parseServerMessage(text: string): ServerMessage {
  return JSON.parse(text) as ServerMessage;
}

export interface ConnectOptions {
  readonly port: number;
  readonly ticket?: string;
  readonly path?: string;
  readonly origin?: string;
  readonly host?: string;
  readonly protocols?: readonly string[];
  readonly acknowledges?: boolean;
}

export interface RefusedUpgrade {
  readonly status: number;
  readonly message: string;
}

/** Connects; resolves with the viewer, or with the status and sentence of the refusal. */
export function connect(options: ConnectOptions): Promise<TestViewer | RefusedUpgrade> {
  const { port, ticket, path = "/screen", origin, host, acknowledges = true } = options;
  const ticketProtocols = ticket === undefined ? [] : [`${TICKET_PROTOCOL_PREFIX}${ticket}`];
  const socket = new WebSocket(
    `ws://127.0.0.1:${port}${path}`,
    [...(options.protocols ?? [SCREEN_PROTOCOL]), ...ticketProtocols],
    {
      perMessageDeflate: false,
      ...(origin === undefined ? {} : { origin }),
      ...(host === undefined ? {} : { headers: { Host: host } }),
    },
  );
  const viewer = new TestViewer(socket, acknowledges);
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(viewer));
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, message: body }));
    });
    socket.once("error", reject);
  });
}

/** Waits until `condition` holds; fails after `withinMs` with `what`. */
export async function until(condition: () => boolean, what: string, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
