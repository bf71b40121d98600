/**
 * The pictures of a video: H.264 in Annex B, one access unit a frame, decoded by WebCodecs (w3.org/TR/webcodecs) without a
 * description, so that parameter sets come before each key frame. What cannot be decoded is never waited for: the
 * decoder begins anew with the next key frame, and a browser that fails again and again gets pictures that stand alone.
 */
import type { FrameHeader } from "../../../../shared/screen-protocol.ts";
import { codecOf, withConfig } from "./h264.ts";
import type { ScreenFrame } from "./screen-connection.ts";

/** A frame not drawn by now is acknowledged all the same: some decoders hold one back until the next arrives. */
const DRAWN_WITHIN_MS = 150;
/** More frames than these before the decoder, and it will not catch up: it goes on from the next key frame. */
const MOST_QUEUED = 6;
/** A decoder that takes so many frames and shows none has failed, though it does not say so. */
const MOST_UNANSWERED = 90;
/** With the second failure the browser's own decoder is asked for, with the last it is no use. */
const SOFTWARE_FROM_FAILURE = 2;
const MOST_FAILURES = 4;
/** Parameter sets take some tens of bytes. */
const MOST_CONFIG_BYTES = 4096;
/** Failures are forgotten after so many frames. */
const FORGIVEN_AFTER_FRAMES = 300;
/** A key frame that was asked for and did not come is asked for again. */
const ASK_AGAIN_MS = 2_000;
/** Time between two frames as the decoder is told, in microseconds; only the order matters. */
const TICK_US = 1_000;

/** `refresh`: a whole picture is needed. `pictures`: video is of no use here. */
export type PictureRequest = "refresh" | "pictures";

/** The part of a `VideoFrame` that is used. */
export interface DecodedFrame {
  readonly timestamp: number;
  close(): void;
}
/** The part of a `VideoDecoder` that is used. */
export interface DecoderLike {
  readonly decodeQueueSize: number;
  decode(chunk: EncodedVideoChunkInit): void;
  close(): void;
}
export interface DecoderEvents<F extends DecodedFrame> {
  readonly onFrame: (frame: F) => void;
  /** The decoder is closed. */
  readonly onError: () => void;
}

export interface VideoParts<F extends DecodedFrame> {
  readonly supported: (config: VideoDecoderConfig) => Promise<boolean>;
  /** A configured decoder. Throws what it cannot be configured for. */
  readonly decoder: (config: VideoDecoderConfig, events: DecoderEvents<F>) => DecoderLike;
  /** Draws and closes. */
  readonly show: (frame: F, header: FrameHeader) => void;
  readonly ask: (request: PictureRequest) => void;
  readonly now: () => number;
  readonly later: (ms: number, callback: () => void) => () => void;
}

export interface Video {
  /** Settles when the frame is drawn, or will not be. */
  take(frame: ScreenFrame): Promise<void>;
  /** What comes now begins anew: the connection does. */
  restart(): void;
  close(): void;
}

interface Pending {
  readonly header: FrameHeader;
  readonly settle: () => void;
}

export function createVideoOf<F extends DecodedFrame>(parts: VideoParts<F>): Video {
  const { supported, show, ask, now, later } = parts;
  let config: Uint8Array | undefined;
  let codec: string | undefined;
  let decoder: DecoderLike | undefined;
  /** Counts decoders, so that what belongs to an earlier one is recognised. */
  let generation = 0;
  let needsKey = true;
  let askedAt: number | undefined;
  let order = 0;
  let unanswered = 0;
  let failures = 0;
  let drawnSinceFailure = 0;
  let useless = false;
  const pending = new Map<number, Pending>();
  /** Frames are taken one after the other, however long a look at what the browser can do takes. */
  let turn: Promise<unknown> = Promise.resolve();

  function settleUntil(timestamp: number): void {
    for (const [at, { settle }] of pending) {
      if (at > timestamp) continue;
      pending.delete(at);
      settle();
    }
  }
  function drop(): void {
    generation += 1;
    decoder?.close();
    decoder = undefined;
    needsKey = true;
    settleUntil(Number.POSITIVE_INFINITY);
  }
  function askForKey(): void {
    if (askedAt !== undefined && now() - askedAt < ASK_AGAIN_MS) return;
    askedAt = now();
    ask("refresh");
  }
  function giveUp(): void {
    drop();
    useless = true;
    ask("pictures");
  }
  function failed(): void {
    drop();
    failures += 1;
    drawnSinceFailure = 0;
    unanswered = 0;
    if (failures >= MOST_FAILURES) giveUp();
    else askForKey();
  }

  function configOf(name: string): VideoDecoderConfig {
    return {
      codec: name,
      optimizeForLatency: true,
      ...(failures >= SOFTWARE_FROM_FAILURE && { hardwareAcceleration: "prefer-software" }),
    };
  }
  function makeDecoder(name: string): DecoderLike | undefined {
    generation += 1;
    const mine = generation;
    try {
      return parts.decoder(configOf(name), {
        onFrame(frame) {
          const header = pending.get(frame.timestamp)?.header;
          if (mine !== generation || header === undefined) return frame.close();
          unanswered = 0;
          drawnSinceFailure += 1;
          if (drawnSinceFailure >= FORGIVEN_AFTER_FRAMES) failures = 0;
          show(frame, header);
          settleUntil(frame.timestamp);
        },
        onError() {
          if (mine === generation) failed();
        },
      });
    } catch {
      return undefined;
    }
  }

  /** `sets`: what is put before key frames. */
  async function configure(name: string | undefined, sets: Uint8Array): Promise<void> {
    if (name === undefined || sets.length > MOST_CONFIG_BYTES || (config !== undefined && sameBytes(config, sets)))
      return;
    drop();
    config = sets;
    if (name !== codec && !(await supported(configOf(name)).catch(() => false))) return giveUp();
    codec = name;
  }

  /** What is returned is over when the frame is drawn. */
  async function feed({ header, payload }: ScreenFrame): Promise<() => Promise<void>> {
    const nothing = async () => {};
    if (useless) return nothing;
    if (header.kind === "codecConfig") {
      await configure(codecOf(payload), payload.slice());
      return nothing;
    }
    const isKey = header.kind === "keyFrame";
    // Some encoders send their parameter sets with each key frame and never alone.
    if (isKey && config === undefined) await configure(codecOf(payload), new Uint8Array());
    if (useless || config === undefined || codec === undefined || (needsKey && !isKey)) {
      if (!useless) askForKey();
      return nothing;
    }
    if (!isKey && decoder !== undefined && decoder.decodeQueueSize > MOST_QUEUED) {
      drop();
      askForKey();
      return nothing;
    }
    decoder ??= makeDecoder(codec);
    order += 1;
    const timestamp = order * TICK_US;
    const drawn = new Promise<void>((resolve) => {
      const stop = later(DRAWN_WITHIN_MS, resolve);
      pending.set(timestamp, {
        header,
        settle() {
          stop();
          resolve();
        },
      });
    });
    try {
      if (decoder === undefined) throw new Error("There is no decoder.");
      decoder.decode({
        type: isKey ? "key" : "delta",
        timestamp,
        data: isKey ? withConfig(config, payload) : payload,
      });
      unanswered += 1;
      if (isKey) {
        needsKey = false;
        askedAt = undefined;
      }
      if (unanswered > MOST_UNANSWERED) failed();
    } catch {
      failed();
    }
    return () => drawn;
  }

  return {
    take(frame) {
      const fed = turn.then(() => feed(frame));
      turn = fed.catch(() => {});
      return fed.then((drawn) => drawn());
    },
    restart() {
      settleUntil(Number.POSITIVE_INFINITY);
      needsKey = true;
      askedAt = undefined;
      if (useless) ask("pictures");
    },
    close() {
      useless = true;
      drop();
    },
  };
}

/** With the browser's own decoder. */
export function createVideo(
  show: (frame: VideoFrame, header: FrameHeader) => void,
  ask: (request: PictureRequest) => void,
): Video {
  return createVideoOf<VideoFrame>({
    supported: async (config) => (await VideoDecoder.isConfigSupported(config)).supported === true,
    decoder(config, { onFrame, onError }) {
      const decoder = new VideoDecoder({ output: onFrame, error: onError });
      decoder.configure(config);
      return {
        get decodeQueueSize() {
          return decoder.decodeQueueSize;
        },
        decode: (chunk) => decoder.decode(new EncodedVideoChunk(chunk)),
        close() {
          if (decoder.state !== "closed") decoder.close();
        },
      };
    },
    show,
    ask,
    now: () => Date.now(),
    later(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
