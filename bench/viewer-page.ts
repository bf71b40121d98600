/** The viewer of the screen benchmarks: an extension page with the panel's own API client, connection and picture. */
import { createApi } from "../extension/api/client.ts";
import { createPictureOf } from "../extension/screens/phone/live/picture.ts";
import { openScreen, type ScreenConnection } from "../extension/screens/phone/live/screen-connection.ts";
import type { PhoneId } from "../shared/ids.ts";
import { CODE_BITS, codeAge } from "./time-code.ts";

export interface FirstFrame {
  readonly phoneId: PhoneId;
  /** From the click, in ms: until the first picture of the phone, and until the page that was asked for is seen. */
  readonly firstMs: number;
  readonly pageMs: number;
}
export interface Watched {
  readonly fps: number;
  /** From the page's painting to our drawing, of every frame with a readable time, in ms. */
  readonly ages: readonly number[];
  readonly unreadable: number;
}
export interface BenchViewer {
  signIn(server: string, token: string): void;
  /** As a click does it: launch, ticket, socket, first frame. The page must be green. */
  launch(url: string, idempotencyKey: string): Promise<FirstFrame>;
  /** The same for a parked phone. */
  resume(phoneId: PhoneId): Promise<FirstFrame>;
  /** Watches phones that show the moving page, all at once. */
  watch(phoneIds: readonly PhoneId[], settleMs: number, measureMs: number): Promise<Watched[]>;
  /** Touches a phone that shows the touch page; ms from each touch to the other colour on the canvas. */
  touch(phoneId: PhoneId, times: number): Promise<number[]>;
}
declare global {
  interface Window {
    viewer: BenchViewer;
  }
}

/** One row of pixels through the time code, as drawn. */
interface Shown {
  readonly width: number;
  readonly pixels: Uint8ClampedArray;
}
interface Live {
  readonly connection: ScreenConnection;
  close(): void;
}

/** Height of the code's middle, as part of the page's height. */
const CODE_Y = 8 / 800;
const FIRST_FRAME_WITHIN_MS = 20_000;

let api: ReturnType<typeof createApi> | undefined;

function client(): ReturnType<typeof createApi> {
  if (api === undefined) throw new Error("The viewer is not signed in.");
  return api;
}

async function show(phoneId: PhoneId, onShown: (shown: Shown) => void): Promise<Live> {
  const canvas = document.body.appendChild(document.createElement("canvas"));
  const target = canvas.getContext("bitmaprenderer");
  const reader = new OffscreenCanvas(360, 1).getContext("2d", { willReadFrequently: true });
  if (target === null || reader === null) throw new Error("This browser has no canvas.");
  const picture = createPictureOf<ImageBitmap>({
    decode: (blob) => createImageBitmap(blob),
    show(bitmap) {
      const { width, height } = bitmap;
      reader.drawImage(bitmap, 0, Math.round(CODE_Y * height), width, 1, 0, 0, width, 1);
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      target.transferFromImageBitmap(bitmap);
      onShown({ width, pixels: reader.getImageData(0, 0, width, 1).data });
    },
    video: undefined,
    ask: () => {},
    snapshot: async () => undefined,
    now: () => Date.now(),
  });
  const pass = await client().screen.ticket.mutate({ phoneId, mode: "control" });
  const connection = openScreen(pass, {
    onMessage: () => {},
    onFrame: picture.draw,
    onSound: () => {},
    onClose: () => {},
  });
  return {
    connection,
    close() {
      connection.close();
      canvas.remove();
    },
  };
}

function colour({ width, pixels }: Shown): "red" | "green" | "blue" | "other" {
  const at = 4 * Math.floor(width / 2);
  const [red = 0, green = 0, blue = 0] = pixels.slice(at, at + 3);
  if (red > 180 && green < 90 && blue < 90) return "red";
  if (green > 150 && red < 90 && blue < 90) return "green";
  return blue > 180 && red < 90 && green < 90 ? "blue" : "other";
}

function age({ width, pixels }: Shown, nowMs: number): number | undefined {
  const greys = Array.from({ length: CODE_BITS }, (_, cell) => {
    const at = 4 * Math.floor(((cell + 0.5) * width) / CODE_BITS);
    return ((pixels[at] ?? 0) + (pixels[at + 1] ?? 0) + (pixels[at + 2] ?? 0)) / 3;
  });
  return codeAge(greys, nowMs);
}

async function firstFrame(click: () => Promise<{ readonly id: PhoneId }>): Promise<FirstFrame> {
  const clickedAt = performance.now();
  const { id: phoneId } = await click();
  let firstMs: number | undefined;
  let live: Live | undefined;
  try {
    const pageMs = await new Promise<number>((resolve, reject) => {
      setTimeout(() => reject(new Error("The page did not appear.")), FIRST_FRAME_WITHIN_MS);
      show(phoneId, (shown) => {
        firstMs ??= performance.now() - clickedAt;
        if (colour(shown) === "green") resolve(performance.now() - clickedAt);
      }).then((made) => {
        live = made;
      }, reject);
    });
    return { phoneId, firstMs: firstMs ?? pageMs, pageMs };
  } finally {
    live?.close();
  }
}

async function watchOne(phoneId: PhoneId, settleMs: number, measureMs: number): Promise<Watched> {
  const ages: number[] = [];
  let frames = 0;
  let counting = false;
  const live = await show(phoneId, (shown) => {
    if (!counting) return;
    frames += 1;
    const one = age(shown, Date.now());
    if (one !== undefined) ages.push(one);
  });
  await pause(settleMs);
  counting = true;
  const start = performance.now();
  await pause(measureMs);
  counting = false;
  const seconds = (performance.now() - start) / 1_000;
  live.close();
  return { fps: frames / seconds, ages, unreadable: frames - ages.length };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

window.viewer = {
  signIn(server, token) {
    api = createApi({ server, token: async () => token });
  },
  launch: (url, idempotencyKey) => firstFrame(() => client().phones.launch.mutate({ url, idempotencyKey })),
  resume: (phoneId) => firstFrame(() => client().phones.start.mutate({ phoneId })),
  watch: (phoneIds, settleMs, measureMs) => Promise.all(phoneIds.map((id) => watchOne(id, settleMs, measureMs))),
  async touch(phoneId, times) {
    const taken: number[] = [];
    let seen = "other";
    let changed = () => {};
    const live = await show(phoneId, (shown) => {
      const now = colour(shown);
      if (now === seen) return;
      seen = now;
      changed();
    });
    while (seen === "other") await pause(20);
    for (let count = 0; count < times; count += 1) {
      // People do not touch in step with a display: any moment of its 16.7 ms, and of the picture's coming to rest.
      await pause(200 + Math.random() * 500);
      const before = seen;
      const answered = new Promise<void>((resolve) => {
        changed = () => {
          if (seen !== before && seen !== "other") resolve();
        };
      });
      const touchedAt = performance.now();
      live.connection.send({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5, seq: 0 });
      live.connection.send({ type: "touch", phase: "end", id: 0, x: 0.5, y: 0.5, seq: 0 });
      await Promise.race([answered, pause(5_000)]);
      taken.push(performance.now() - touchedAt);
    }
    live.close();
    return taken;
  },
};
