/** A viewer of an Android's video: the panel's own connection, decoder and painter, and what they took. */
import { createPainter } from "../extension/screens/phone/live/painter.ts";
import { createPictureOf } from "../extension/screens/phone/live/picture.ts";
import {
  openScreen,
  type ScreenConnection,
  type ScreenPass,
} from "../extension/screens/phone/live/screen-connection.ts";
import { createVideo } from "../extension/screens/phone/live/video.ts";
import { CODE_BITS, codeAge } from "./time-code.ts";

export interface SeenVideo {
  /** From the phone's drawing to ours, of every picture with a readable time, in ms. */
  readonly drawn: readonly number[];
  /** From the server's having a picture to our drawing, in ms. */
  readonly received: readonly number[];
  readonly frames: number;
  /** So many of them stood alone: this machine could not decode the video in time. */
  readonly pictures: number;
}
export interface AndroidPage {
  watch(settleMs: number, measureMs: number): Promise<SeenVideo>;
  /** Ms from each touch to another colour on the canvas. */
  touch(times: number): Promise<number[]>;
}
declare global {
  interface Window {
    android: AndroidPage;
    /** Given by the benchmark: a new ticket. */
    getTicket(): Promise<ScreenPass>;
  }
}

/** Below the status bar, in the strip the moving app writes its time into; fraction of the height. */
const CODE_Y = 0.06;
const REST_MS = 250;
const SETTLE_MS = 500;
const GIVE_UP_MS = 3_000;

interface Shown {
  readonly drawnAtMs: number;
  /** Undefined of a picture that stands alone, which a browser too slow for the video gets. */
  readonly capturedAtMs: number | undefined;
  /** One row of pixels. */
  readonly row: Uint8ClampedArray;
}

/** One connection for all: who comes while another is still leaving does not have the phone's control. */
let opened: Promise<ScreenConnection> | undefined;
let onShown: (shown: Shown) => void = () => {};

async function open(): Promise<ScreenConnection> {
  const canvas = document.querySelector("canvas");
  const reader = new OffscreenCanvas(360, 1).getContext("2d", { willReadFrequently: true });
  if (canvas === null || reader === null) throw new Error("This page has no canvas.");
  const painter = createPainter(canvas);
  let connection: ScreenConnection | undefined;
  const ask = (type: "refresh" | "pictures") => connection?.send({ type });
  const picture = createPictureOf<ImageBitmap>({
    decode: (blob) => createImageBitmap(blob),
    show(bitmap) {
      reader.drawImage(bitmap, 0, Math.round(CODE_Y * bitmap.height), bitmap.width, 1, 0, 0, 360, 1);
      painter.image(bitmap);
      onShown({ drawnAtMs: Date.now(), capturedAtMs: undefined, row: reader.getImageData(0, 0, 360, 1).data });
    },
    video: async (drawn) =>
      createVideo((frame, header) => {
        // Painting closes it. The time is taken before the row is read, which no panel does.
        const copy = frame.clone();
        painter.video(frame);
        const drawnAtMs = Date.now();
        drawn(header);
        reader.drawImage(copy, 0, Math.round(CODE_Y * copy.displayHeight), copy.displayWidth, 1, 0, 0, 360, 1);
        copy.close();
        onShown({ drawnAtMs, capturedAtMs: header.capturedAtMs, row: reader.getImageData(0, 0, 360, 1).data });
      }, ask),
    ask,
    snapshot: painter.snapshot,
    now: () => Date.now(),
  });
  connection = openScreen(await window.getTicket(), {
    onMessage: (message) => message.type === "hello" && picture.begin(message.codec),
    onFrame: picture.draw,
    onSound: () => {},
    onClose: () => picture.close(),
  });
  return connection;
}

function grey(row: Uint8ClampedArray, x: number): number {
  const at = 4 * Math.floor(x * 360);
  return ((row[at] ?? 0) + (row[at + 1] ?? 0) + (row[at + 2] ?? 0)) / 3;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

window.android = {
  async watch(settleMs, measureMs) {
    const seen = { drawn: [] as number[], received: [] as number[], frames: 0, pictures: 0 };
    let counting = false;
    let shown = false;
    onShown = ({ drawnAtMs, capturedAtMs, row }) => {
      shown = true;
      if (!counting) return;
      seen.frames += 1;
      if (capturedAtMs === undefined) seen.pictures += 1;
      else seen.received.push(drawnAtMs - capturedAtMs);
      const greys = Array.from({ length: CODE_BITS }, (_, cell) => grey(row, (cell + 0.5) / CODE_BITS));
      const age = codeAge(greys, drawnAtMs);
      if (age !== undefined) seen.drawn.push(age);
    };
    opened ??= open();
    await opened;
    while (!shown) await pause(20);
    await pause(settleMs);
    counting = true;
    await pause(measureMs);
    counting = false;
    return seen;
  },
  async touch(times) {
    let colour: string | undefined;
    let changed = () => {};
    onShown = ({ row }) => {
      const now = row
        .slice(40, 43)
        .map((part) => part >> 4)
        .join();
      if (now === colour) return;
      colour = now;
      changed();
    };
    opened ??= open();
    const connection = await opened;
    const taken: number[] = [];
    while (colour === undefined) await pause(20);
    await pause(SETTLE_MS);
    for (let touch = 0; touch < times; touch += 1) {
      await pause(REST_MS + Math.random() * 50);
      const answered = new Promise<void>((resolve) => {
        changed = resolve;
      });
      const from = performance.now();
      for (const phase of ["start", "end"] as const) {
        connection.send({ type: "touch", phase, id: 0, x: 0.5, y: 0.5, seq: 0 });
      }
      await Promise.race([answered, pause(GIVE_UP_MS)]);
      taken.push(performance.now() - from);
    }
    return taken;
  },
};
