import { describe, expect, it } from "vitest";
import type { ScreenFrame } from "./screen-connection.ts";
import {
  createVideoOf,
  type DecodedFrame,
  type DecoderEvents,
  type DecoderLike,
  type PictureRequest,
} from "./video.ts";

const sps = (level: number) => Uint8Array.from([0, 0, 0, 1, 0x67, 0x42, 0xc0, level, 0xd9]);
const slice = (type: number) => Uint8Array.from([0, 0, 0, 1, type, 1, 2, 3]);

interface Made {
  readonly config: VideoDecoderConfig;
  readonly events: DecoderEvents<DecodedFrame>;
  readonly chunks: EncodedVideoChunkInit[];
  queue: number;
  closed: boolean;
}

/** A decoder that shows what it is told to show, in a world where time stands still. */
function setup({ supported = true, prompt = true } = {}) {
  const decoders: Made[] = [];
  const drawn: number[] = [];
  const asked: PictureRequest[] = [];
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  const world = { now: 0, supported, prompt, closedFrames: 0, throws: false };
  const frameAt = (timestamp: number): DecodedFrame => ({
    timestamp,
    close: () => {
      world.closedFrames += 1;
    },
  });
  const video = createVideoOf<DecodedFrame>({
    supported: async () => world.supported,
    decoder(config, events): DecoderLike {
      const made: Made = { config, events, chunks: [], queue: 0, closed: false };
      decoders.push(made);
      return {
        get decodeQueueSize() {
          return made.queue;
        },
        decode(chunk) {
          if (world.throws) throw new TypeError("A key frame is required");
          made.chunks.push(chunk);
          if (world.prompt) queueMicrotask(() => events.onFrame(frameAt(chunk.timestamp)));
        },
        close: () => {
          made.closed = true;
        },
      };
    },
    show(frame, header) {
      drawn.push(header.seq);
      frame.close();
    },
    ask: (request) => asked.push(request),
    now: () => world.now,
    later(ms, callback) {
      const timer = { at: world.now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  const advance = (ms: number) => {
    world.now += ms;
    for (const timer of [...timers]) if (timer.at <= world.now && timers.delete(timer)) timer.callback();
  };
  let seq = 0;
  const frame = (kind: ScreenFrame["header"]["kind"], payload: Uint8Array): ScreenFrame => {
    seq += 1;
    return { header: { kind, format: "h264", flags: 0, seq, capturedAtMs: seq * 10 }, payload };
  };
  const send = {
    config: (level = 0x1e) => video.take(frame("codecConfig", sps(level))),
    key: () => video.take(frame("keyFrame", slice(0x65))),
    delta: () => video.take(frame("delta", slice(0x41))),
  };
  const settle = async () => {
    for (let i = 0; i < 20; i += 1) await Promise.resolve();
  };
  return { video, decoders, drawn, asked, timers, world, advance, send, settle, frameAt };
}

describe("video", () => {
  it("tells the decoder the codec of its parameter sets and puts them before the key frame", async () => {
    const t = setup();
    await t.send.config();
    await t.send.key();
    await t.send.delta();
    expect(t.decoders).toHaveLength(1);
    expect(t.decoders[0]?.config).toEqual({ codec: "avc1.42c01e", optimizeForLatency: true });
    const chunks = t.decoders[0]?.chunks ?? [];
    expect(chunks.map(({ type }) => type)).toEqual(["key", "delta"]);
    expect([...new Uint8Array(chunks[0]?.data as ArrayBuffer)]).toEqual([...sps(0x1e), ...slice(0x65)]);
    expect(chunks[1]?.timestamp).toBeGreaterThan(chunks[0]?.timestamp ?? 0);
    expect(t.drawn).toEqual([2, 3]);
    expect({ closed: t.world.closedFrames, waiting: t.timers.size, asked: t.asked }).toEqual({
      closed: 2,
      waiting: 0,
      asked: [],
    });
  });
  it("asks for a whole picture once when it is joined in the middle, and waits for it", async () => {
    const t = setup();
    await t.send.delta();
    await t.send.config();
    await t.send.delta();
    await t.send.delta();
    expect(t.asked).toEqual(["refresh"]);
    expect(t.decoders).toHaveLength(0);
    t.advance(2_000);
    await t.send.delta();
    expect(t.asked).toEqual(["refresh", "refresh"]);
    await t.send.key();
    await t.send.delta();
    expect(t.drawn).toEqual([6, 7]);
  });
  it("takes parameter sets that come with the key frame alone", async () => {
    const t = setup();
    const whole = Uint8Array.from([...sps(0x28), ...slice(0x65)]);
    await t.video.take({
      header: { kind: "keyFrame", format: "h264", flags: 0, seq: 1, capturedAtMs: 0 },
      payload: whole,
    });
    expect(t.decoders[0]?.config.codec).toBe("avc1.42c028");
    expect(t.decoders[0]?.chunks[0]?.data).toEqual(whole);
    expect(t.drawn).toEqual([1]);
  });
  it("begins anew with another decoder when the encoder does", async () => {
    const t = setup();
    await t.send.config();
    await t.send.key();
    await t.send.config();
    await t.send.delta();
    expect(t.decoders).toHaveLength(1);
    await t.send.config(0x28);
    await t.send.delta();
    await t.send.key();
    expect(t.decoders.map(({ config, closed }) => [config.codec, closed])).toEqual([
      ["avc1.42c01e", true],
      ["avc1.42c028", false],
    ]);
    expect(t.drawn).toEqual([2, 4, 7]);
  });
  it("resets the decoder after an error, asks for a whole picture, and draws nothing until it comes", async () => {
    const t = setup();
    await t.send.config();
    await t.send.key();
    t.decoders[0]?.events.onError();
    expect(t.asked).toEqual(["refresh"]);
    await t.send.delta();
    await t.send.key();
    await t.send.delta();
    expect(t.drawn).toEqual([2, 4, 5]);
    expect(t.decoders.map(({ closed }) => closed)).toEqual([true, false]);
    // What the closed decoder still brings belongs to nothing.
    t.decoders[0]?.events.onFrame(t.frameAt(1_000));
    t.decoders[0]?.events.onError();
    expect([t.drawn.length, t.asked.length]).toEqual([3, 1]);
  });
  it("acknowledges what waits in a decoder that fails", async () => {
    const t = setup({ prompt: false });
    await t.send.config();
    const waiting = t.send.key();
    await t.settle();
    t.decoders[0]?.events.onError();
    await waiting;
    expect(t.timers.size).toBe(0);
  });
  it("does not wait for a frame the decoder holds back, and draws it when it comes", async () => {
    const t = setup({ prompt: false });
    await t.send.config();
    const held = t.send.key();
    await t.settle();
    expect(t.drawn).toEqual([]);
    t.advance(150);
    await held;
    t.decoders[0]?.events.onFrame(t.frameAt(1_000));
    expect(t.drawn).toEqual([2]);
  });
  it("goes on from the next key frame when the decoder does not keep up", async () => {
    const t = setup();
    await t.send.config();
    await t.send.key();
    const [first] = t.decoders;
    if (first !== undefined) first.queue = 7;
    await t.send.delta();
    await t.send.delta();
    expect([t.asked, first?.closed, t.drawn]).toEqual([["refresh"], true, [2]]);
    await t.send.key();
    expect(t.drawn).toEqual([2, 5]);
  });
  it("asks for the browser's own decoder after a second failure, and for pictures after the fourth", async () => {
    const t = setup();
    await t.send.config();
    for (let turn = 0; turn < 4; turn += 1) {
      await t.send.key();
      t.advance(2_000);
      t.decoders.at(-1)?.events.onError();
    }
    expect(t.decoders.map(({ config }) => config.hardwareAcceleration)).toEqual([
      undefined,
      undefined,
      "prefer-software",
      "prefer-software",
    ]);
    expect(t.asked).toEqual(["refresh", "refresh", "refresh", "pictures"]);
    await t.send.key();
    expect(t.decoders).toHaveLength(4);
    t.video.restart();
    expect(t.asked.at(-1)).toBe("pictures");
    expect(t.asked).toHaveLength(5);
  });
  it("counts a decoder that refuses or shows nothing as failed", async () => {
    const t = setup();
    t.world.throws = true;
    await t.send.config();
    await t.send.key();
    expect(t.asked).toEqual(["refresh"]);
    t.world.throws = false;
    t.world.prompt = false;
    t.advance(2_000);
    void t.send.key();
    for (let count = 0; count < 90; count += 1) void t.send.delta();
    await t.settle();
    for (let count = 0; count < 100; count += 1) await t.settle();
    expect(t.asked).toEqual(["refresh", "refresh"]);
    expect(t.timers.size).toBe(0);
  });
  it("asks for pictures where the browser does not play this kind of video", async () => {
    const t = setup({ supported: false });
    await t.send.config();
    await t.send.key();
    expect([t.asked, t.decoders.length]).toEqual([["pictures"], 0]);
  });
  it("begins anew with a new connection, and is over when closed", async () => {
    const t = setup();
    await t.send.config();
    await t.send.key();
    t.video.restart();
    await t.send.config();
    await t.send.key();
    expect([t.decoders.length, t.drawn, t.asked]).toEqual([1, [2, 4], []]);
    t.video.close();
    await t.send.key();
    expect([t.decoders[0]?.closed, t.drawn, t.asked]).toEqual([true, [2, 4], []]);
  });
});
