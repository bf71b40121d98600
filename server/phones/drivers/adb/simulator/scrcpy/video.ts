/**
 * The screen as video, the way scrcpy's `SurfaceEncoder` has it from Android's MediaCodec: a picture when something
 * changed, the last one once more after 100 ms of rest, a new encoder (config and key frame) after a turn or a reset.
 */
import type { Phone } from "../phone.ts";
import { VideoEncoder, type VideoFormat } from "./encoder.ts";
import type { VideoUnit } from "./flv.ts";

export interface VideoOptions {
  /** Of the longer side; 0: as it is. */
  readonly maxSize: number;
  readonly bitRate: number;
  /** 0: as fast as it changes, up to 60. */
  readonly maxFps: number;
  /** The exact size instead. */
  readonly size?: { readonly width: number; readonly height: number } | undefined;
}
/** `KEY_REPEAT_PREVIOUS_FRAME_AFTER`. */
const REPEAT_AFTER_MS = 100;
const DISPLAY_FPS = 60;
/** What may wait to be taken before pictures are left out: about what a socket of the phone holds. */
const MAX_WAITING = 256 * 1024;

/** scrcpy's `Size.limit` and `round8`: the longer side at most `maxSize`, both a multiple of eight. */
export function videoSize(width: number, height: number, maxSize: number) {
  const longer = Math.max(width, height);
  const by = maxSize > 0 && longer > maxSize ? maxSize / longer : 1;
  const eights = (length: number) => Math.max(8, Math.floor((length * by) / 8) * 8);
  return { width: eights(width), height: eights(height) };
}

export class ScreenVideo {
  readonly #phone: Phone;
  readonly #options: VideoOptions;
  readonly #write: (unit: VideoUnit, ptsUs: bigint) => Promise<void>;
  readonly #failed: () => void;
  readonly #startedAt = performance.now();
  readonly #unwatch: () => void;
  #encoder: VideoEncoder | undefined;
  #encoding = false;
  #pending = true;
  #repeating = false;
  #waiting = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  #due: NodeJS.Timeout | undefined;
  #repeat: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    phone: Phone,
    options: VideoOptions,
    write: (unit: VideoUnit, ptsUs: bigint) => Promise<void>,
    failed: () => void,
  ) {
    this.#phone = phone;
    this.#options = options;
    this.#write = write;
    this.#failed = failed;
    this.#unwatch = phone.watch(() => this.#changed());
    this.#next();
  }

  /** Of the pictures now. */
  get size(): { readonly width: number; readonly height: number } {
    const { width, height } = this.#phone.size;
    return this.#options.size ?? videoSize(width, height, this.#options.maxSize);
  }

  /** A new encoder: parameter sets and a key frame. */
  reset(): void {
    this.#encoder?.close();
    this.#encoder = undefined;
    this.#encoding = false;
    this.#pending = true;
    this.#next();
  }
  /** The encoder breaks, as one of a phone does. */
  die(): void {
    this.close();
    this.#failed();
  }

  #changed(): void {
    this.#pending = true;
    this.#next();
  }

  #next(): void {
    if (this.#closed || !this.#pending || this.#encoding || this.#waiting > MAX_WAITING) return;
    const fps = this.#options.maxFps > 0 ? this.#options.maxFps : DISPLAY_FPS;
    const wait = this.#lastAt + 1000 / fps - performance.now();
    if (wait > 0) {
      this.#due ??= setTimeout(() => {
        this.#due = undefined;
        this.#next();
      }, wait);
      return;
    }
    this.#pending = false;
    this.#encode();
  }

  #encode(): void {
    const frame = this.#phone.frame();
    const { from } = this.#encoder?.format ?? {};
    if (from?.width !== frame.width || from.height !== frame.height) {
      this.#encoder?.close();
      this.#encoder = this.#open({ width: frame.width, height: frame.height });
    }
    this.#encoding = true;
    this.#lastAt = performance.now();
    this.#encoder?.encode(frame);
  }

  #open(from: VideoFormat["from"]): VideoEncoder {
    const { bitRate, maxFps } = this.#options;
    const fps = maxFps > 0 ? maxFps : DISPLAY_FPS;
    const encoder = new VideoEncoder({ from, ...this.size, bitRate, fps }, (unit) => {
      if (this.#encoder === encoder) this.#unit(unit);
    });
    void encoder.ended.then(() => {
      if (this.#encoder === encoder && !this.#closed) this.die();
    });
    return encoder;
  }

  #unit(unit: VideoUnit): void {
    const ptsUs = BigInt(Math.round((this.#lastAt - this.#startedAt) * 1000));
    this.#waiting += unit.bytes.length;
    void this.#write(unit, ptsUs).then(() => {
      this.#waiting -= unit.bytes.length;
      this.#next();
    });
    if (unit.kind === "config") return;
    this.#encoding = false;
    this.#rest();
    this.#next();
  }

  /** Once more what is there, when it stays. */
  #rest(): void {
    clearTimeout(this.#repeat);
    const repeated = this.#repeating;
    this.#repeating = false;
    if (repeated || this.#pending) return;
    this.#repeat = setTimeout(() => {
      if (this.#closed || this.#encoding || this.#pending) return;
      this.#repeating = true;
      this.#encode();
    }, REPEAT_AFTER_MS);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#due);
    clearTimeout(this.#repeat);
    this.#unwatch();
    this.#encoder?.close();
  }
}
