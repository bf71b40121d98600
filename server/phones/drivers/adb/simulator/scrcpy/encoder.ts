/** Encoders of the phone, which are ffmpeg: H.264 of the screen and Opus of a tone. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Canvas } from "../canvas.ts";
import { FlvReader, type VideoUnit } from "./flv.ts";
import { OggReader } from "./ogg.ts";

export interface VideoFormat {
  /** Of the pictures that come in. */
  readonly from: { readonly width: number; readonly height: number };
  readonly width: number;
  readonly height: number;
  readonly bitRate: number;
  readonly fps: number;
}
/** Seconds between key frames (scrcpy's SurfaceEncoder, DEFAULT_I_FRAME_INTERVAL). */
const KEY_FRAME_INTERVAL = 10;
const QUIET = ["-hide_banner", "-loglevel", "error"];

/** One H.264 encoder of one size. Every picture in gives one unit out, the first a `config` before it. */
export class VideoEncoder {
  readonly format: VideoFormat;
  readonly #child: ChildProcess;
  readonly ended: Promise<void>;

  constructor(format: VideoFormat, unit: (unit: VideoUnit) => void) {
    this.format = format;
    const { from, width, height, bitRate, fps } = format;
    const scale = from.width === width && from.height === height ? "" : `scale=${width}:${height}:flags=fast_bilinear,`;
    const { width: wide, height: high } = from;
    this.#child = spawn("ffmpeg", [
      ...[...QUIET, "-fpsprobesize", "0", "-probesize", "32", "-analyzeduration", "0"],
      // As pictures, not as `rawvideo`: ffmpeg holds one of those back until the next has come.
      ...["-f", "image2pipe", "-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", `${wide}x${high}`],
      ...["-frame_size", String((wide * high * 3) / 2), "-framerate", String(fps), "-i", "pipe:0"],
      ...["-an", "-vf", `${scale}format=yuv420p`],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-threads", "1"],
      ...["-b:v", String(bitRate), "-maxrate", String(bitRate), "-bufsize", String(bitRate)],
      ...["-g", String(KEY_FRAME_INTERVAL * fps), "-vsync", "passthrough", "-flush_packets", "1"],
      ...["-f", "flv", "-flvflags", "no_duration_filesize", "pipe:1"],
    ]);
    const reader = new FlvReader();
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      for (const one of reader.push(chunk)) unit(one);
    });
    this.#child.stdin?.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      this.#child.once("error", () => resolve());
      this.#child.once("close", () => resolve());
    });
  }

  /** Takes the picture as it is now; resolves when it may change again. */
  encode(canvas: Canvas): void {
    this.#child.stdin?.write(canvas.i420());
  }
  close(): void {
    this.#child.kill("SIGKILL");
  }
}

/** A tone, as Opus packets in real time; the first is the OpusHead. Returns what ends it. */
export function encodeTone(packet: (bytes: Buffer, config: boolean) => void): () => void {
  const child = spawn("ffmpeg", [
    ...QUIET,
    ...["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-ac", "2"],
    ...["-c:a", "libopus", "-b:a", "128k", "-frame_duration", "20"],
    ...["-f", "ogg", "-page_duration", "20000", "-flush_packets", "1", "pipe:1"],
  ]);
  const reader = new OggReader();
  child.stdout.on("data", (chunk: Buffer) => {
    for (const bytes of reader.push(chunk)) {
      const head = bytes.toString("latin1", 0, 8);
      if (head !== "OpusTags") packet(bytes, head === "OpusHead");
    }
  });
  child.on("error", () => undefined);
  return () => child.kill("SIGKILL");
}
