/** Draws the frames of a phone into a canvas; the newest frame wins. */
import type { ScreenFrame } from "./screen-connection.ts";

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
  /** Decodes and draws. Settles when drawn, overtaken by a newer frame, or not decodable. */
  draw(frame: ScreenFrame): Promise<void>;
  stats(): PictureStats;
  /** The frame on the canvas as an image file, for the dimmed picture of a phone that is not live. */
  lastFrame(): Blob | undefined;
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
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Draws into `canvas`, whose size in pixels follows the frames; its size on the page is the caller's CSS. */
export function createPicture(canvas: HTMLCanvasElement): Picture {
  const context = canvas.getContext("bitmaprenderer");
  return createPictureOf<ImageBitmap>({
    decode: (blob) => createImageBitmap(blob),
    show(bitmap) {
      if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
      if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
      context?.transferFromImageBitmap(bitmap);
    },
    now: () => Date.now(),
  });
}

/** The same without a canvas of its own. */
export function createPictureOf<D extends Drawable>({ decode, show, now }: PictureParts<D>): Picture {
  let started = 0;
  let drawn = 0;
  let seq = 0;
  let shown: PictureStats["shown"];
  let last: Blob | undefined;
  let drawnAt: number[] = [];

  return {
    async draw({ header, payload }) {
      started += 1;
      const order = started;
      // Video frames need a decoder with a memory, which web phones do not.
      if (header.kind !== "image" || header.format === "h264" || header.format === "opus") return;
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
      seq = header.seq;
      last = blob;
      const drawnAtMs = now();
      shown = { capturedAtMs: header.capturedAtMs, drawnAtMs };
      drawnAt = drawnAt.filter((at) => at > drawnAtMs - SECOND);
      drawnAt.push(drawnAtMs);
    },
    stats() {
      const since = now() - SECOND;
      return { fps: drawnAt.filter((at) => at > since).length, seq, shown };
    },
    lastFrame: () => last,
  };
}
