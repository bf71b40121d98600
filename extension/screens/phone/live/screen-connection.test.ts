import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type WebSocket as ServerSocket, WebSocketServer } from "ws";
import { encodeFrameHeader, SCREEN_PROTOCOL, type ServerMessage } from "../../../../shared/screen-protocol.ts";
import { type ConnectionClose, openScreen, type ScreenFrame } from "./screen-connection.ts";

describe("screen connection", () => {
  let server: WebSocketServer;
  let url: string;
  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => SCREEN_PROTOCOL });
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not a TCP port");
    url = `ws://127.0.0.1:${address.port}/screen`;
  });
  afterEach(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });

  async function open(onFrame: (frame: ScreenFrame) => Promise<void> = async () => {}) {
    const messages: ServerMessage[] = [];
    const closes: ConnectionClose[] = [];
    const sounds: number[] = [];
    const accepted = new Promise<{ socket: ServerSocket; protocols: string | undefined }>((resolve) => {
      server.once("connection", (socket, request) =>
        resolve({ socket, protocols: request.headers["sec-websocket-protocol"] }),
      );
    });
    const connection = openScreen(
      { url, protocol: SCREEN_PROTOCOL, ticket: "secret" },
      {
        onMessage: (message) => messages.push(message),
        onFrame,
        onSound: ({ header }) => sounds.push(header.seq),
        onClose: (close) => closes.push(close),
      },
    );
    const { socket, protocols } = await accepted;
    const received: unknown[] = [];
    socket.on("message", (data) => received.push(JSON.parse(data.toString())));
    return { connection, socket, protocols, messages, closes, received, sounds };
  }
  function frame(seq: number): Buffer {
    const header = encodeFrameHeader({ kind: "image", format: "jpeg", flags: 0, seq, capturedAtMs: 5 });
    return Buffer.concat([header, Buffer.from("jpeg")]);
  }

  it("brings the ticket as a subprotocol", async () => {
    const { protocols } = await open();
    expect(protocols?.split(/, ?/)).toEqual([SCREEN_PROTOCOL, "ticket.secret"]);
  });
  it("acknowledges a frame when it is drawn, and also when drawing fails", async () => {
    const drawing: { seq: number; settle: { resolve: () => void; reject: (error: Error) => void } }[] = [];
    const { socket, received } = await open(
      ({ header }) =>
        new Promise<void>((resolve, reject) => drawing.push({ seq: header.seq, settle: { resolve, reject } })),
    );
    socket.send(frame(7));
    socket.send(frame(8));
    await vi.waitFor(() => expect(drawing.map((one) => one.seq)).toEqual([7, 8]));
    expect(received).toEqual([]);
    drawing[0]?.settle.resolve();
    await vi.waitFor(() => expect(received).toEqual([{ type: "ack", seq: 7 }]));
    drawing[1]?.settle.reject(new Error("no picture"));
    await vi.waitFor(() => expect(received).toHaveLength(2));
  });
  it("passes on sound and never acknowledges it", async () => {
    const { socket, sounds, received } = await open();
    const header = encodeFrameHeader({ kind: "audio", format: "opus", flags: 0, seq: 3, capturedAtMs: 5 });
    socket.send(Buffer.concat([header, Buffer.from("opus")]));
    socket.send(frame(4));
    await vi.waitFor(() => expect(received).toEqual([{ type: "ack", seq: 4 }]));
    expect(sounds).toEqual([3]);
  });
  it("passes on messages it knows and leaves out what it does not", async () => {
    const { socket, messages } = await open();
    socket.send('{"type":"from_the_future"}');
    socket.send("{");
    socket.send("null");
    socket.send(Buffer.from([9, 9]));
    socket.send('{"type":"resize","width":800,"height":360}');
    await vi.waitFor(() => expect(messages).toEqual([{ type: "resize", width: 800, height: 360 }]));
  });
  it("says how it ended, once, and nothing after its own close", async () => {
    const first = await open();
    first.socket.close(4410, "parked");
    await vi.waitFor(() => expect(first.closes).toEqual([{ code: 4410, opened: true }]));
    const second = await open();
    second.connection.close();
    await new Promise((resolve) => second.socket.once("close", resolve));
    expect(second.closes).toEqual([]);
    second.connection.send({ type: "rotate" });
  });
  it("reports a refused connection as never opened", async () => {
    server.close();
    const closes: ConnectionClose[] = [];
    openScreen(
      { url, protocol: SCREEN_PROTOCOL, ticket: "secret" },
      { onMessage: () => {}, onFrame: async () => {}, onSound: () => {}, onClose: (close) => closes.push(close) },
    );
    await vi.waitFor(() => expect(closes).toEqual([{ code: 1006, opened: false }]));
  });
});
