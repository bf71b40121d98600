/** Draws the frames of a phone into a canvas: pictures that stand alone, where the newest wins, and video. */
import type { FrameHeader, ServerMessage } from "../../../../shared/screen-protocol.ts";
import { createPainter, type Painter } from "./painter.ts";
import type { ScreenFrame } from "./screen-connection.ts";
import type { PictureRequest, Video } from "./video.ts";

const SECOND = 1_000;
const MIME_TYPES = { jpeg: "image/jpeg", webp: "image/webp", png: "image/png" } as const;

export interface PictureStats {
  /** Frames drawn during the last second; 0 while the picture rests. */
  readonly fps: number;
  /** Number of the frame on the canvas; 0 before the first. */
  readonly seq: number;
  /** When the frame on the canvas was captured (server clock, Unix ms) and drawn (local clock, Unix ms). */
  readonly shown: { readonly capturedAtMs: number; readonly drawnAtMs: number } | undefined;
}

export interface Picture {
  /** A connection begins: what was of an earlier one is over. */
  begin(codec: Extract<ServerMessage, { type: "hello" }>["codec"]): void;
  /** Decodes and draws. Settles when drawn, overtaken by a newer frame, or not decodable. */
  draw(frame: ScreenFrame): Promise<void>;
  stats(): PictureStats;
  /** The frame on the canvas as an image file, for the dimmed picture of a phone that is not live. */
  lastFrame(): Promise<Blob | undefined>;
  close(): void;
}

/** A decoded picture, drawn once or closed. */
export interface Drawable {
  readonly width: number;
  readonly height: number;
  close(): void;
}

/** Turns one frame into something to draw. Rejects what it cannot decode. */
export type DecodeFrame<D extends Drawable> = (blob: Blob) => Promise<D>;

export interface PictureParts<D extends Drawable> {
  readonly decode: DecodeFrame<D>;
  readonly show: (drawable: D) => void;
  /** Makes the decoder for video once there is any; absent where the browser has none. `drawn`: to call for each frame. */
  readonly video: ((drawn: (header: FrameHeader) => void) => Promise<Video>) | undefined;
  readonly ask: (request: PictureRequest) => void;
  /** The canvas as a file. */
  readonly snapshot: () => Promise<Blob | undefined>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Draws into `canvas`, whose size in pixels follows the frames; its size on the page is the caller's CSS. */
export function createPicture(canvas: HTMLCanvasElement, ask: (request: PictureRequest) => void): Picture {
  const painter: Painter = createPainter(canvas);
  return createPictureOf<ImageBitmap>({
    decode: (blob) => createImageBitmap(blob),
    show: painter.image,
    video:
      typeof VideoDecoder === "undefined"
        ? undefined
        : async (drawn) => {
            const { createVideo } = await import("./video.ts");
            return createVideo((frame, header) => {
              painter.video(frame);
              drawn(header);
            }, ask);
          },
    ask,
    snapshot: painter.snapshot,
    now: () => Date.now(),
  });
}

/** The same without a canvas of its own. */
export function createPictureOf<D extends Drawable>(parts: PictureParts<D>): Picture {
  const { decode, show, ask, snapshot, now } = parts;
  let started = 0;
  let drawn = 0;
  let seq = 0;
  let shown: PictureStats["shown"];
  let last: Blob | undefined;
  let drawnAt: number[] = [];
  let video: Promise<Video> | undefined;

  function drew(header: FrameHeader): void {
    seq = header.seq;
    const drawnAtMs = now();
    shown = { capturedAtMs: header.capturedAtMs, drawnAtMs };
    drawnAt = drawnAt.filter((at) => at > drawnAtMs - SECOND);
    drawnAt.push(drawnAtMs);
  }
  function videoOf(make: NonNullable<typeof parts.video>): Promise<Video> {
    video ??= make((header) => {
      last = undefined;
      drew(header);
    });
    return video;
  }

  return {
    begin(codec) {
      if (codec === "jpeg") return;
      // Without its decoder, which is a file of the extension, there are pictures all the same.
      if (parts.video === undefined) ask("pictures");
      else
        void videoOf(parts.video).then(
          (made) => made.restart(),
          () => ask("pictures"),
        );
    },
    async draw(frame) {
      const { header, payload } = frame;
      started += 1;
      const order = started;
      if (header.format === "opus") return;
      if (header.kind !== "image" || header.format === "h264") {
        await (await video)?.take(frame);
        return;
      }
      const blob = new Blob([payload.slice()], { type: MIME_TYPES[header.format] });
      let drawable: D;
      try {
        drawable = await decode(blob);
      } catch {
        // A damaged frame is skipped: the next one is a whole picture again.
        return;
      }
      if (order < drawn) {
        drawable.close();
        return;
      }
      drawn = order;
      show(drawable);
      last = blob;
      drew(header);
    },
    stats() {
      const since = now() - SECOND;
      return { fps: drawnAt.filter((at) => at > since).length, seq, shown };
    },
    lastFrame: async () => (seq === 0 ? undefined : (last ?? (await snapshot()))),
    close() {
      void video?.then(
        (made) => made.close(),
        () => {},
      );
    },
  };
}
