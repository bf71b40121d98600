/**
 * The screen as PNGs that stand alone, by `screencap -p`: for who cannot decode video, and for all when no encoder of the
 * device works. About two a second while somebody listens, and only when the screen changed. `screenrecord` would give
 * moving pictures without scrcpy, but ends after three minutes, turns wrong and has no control: not used.
 */
import { createHash } from "node:crypto";
import { PerchError } from "../../../../errors.ts";
import type { ScreenFrame, ScreenLevel, ScreenSource } from "../../../driver.ts";
import type { AndroidDevice } from "../ports.ts";
import type { Display } from "./display.ts";
import { bestLevel } from "./levels.ts";
import type { ScreenParts } from "./parts.ts";
import { smallerPng } from "./smaller-png.ts";

const EVERY_MS = 500;
/** What a touch does takes a moment to be drawn. */
const SOON_MS = 100;
/** After this many failures in a row it asks less often. */
const FAILURES_UNTIL_SLOW = 4;
const SLOW_MS = 5_000;
const TIMEOUT_MS = 8_000;
const MAX_PNG_BYTES = 16 * 1024 * 1024;
/** Part of the width at each level. */
const SCALES: Readonly<Record<ScreenLevel, number>> = { 4: 1, 3: 0.75, 2: 0.5, 1: 0.35, 0: 0.25 };
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export interface Pictures extends ScreenSource {
  /** True when two pictures differed within the last second. */
  readonly moving: boolean;
  readonly watched: boolean;
  /** Something was done to the phone: the next picture is taken at once. */
  soon(): void;
  close(): void;
}

/** @throws PerchError `phone_unavailable` */
export async function screencap(device: AndroidDevice): Promise<Uint8Array> {
  const { stdout, exitCode } = await device.run(["screencap", "-p"], {
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_PNG_BYTES,
  });
  if (exitCode === 0 && PNG_SIGNATURE.equals(stdout.subarray(0, PNG_SIGNATURE.length))) return stdout;
  throw new PerchError("phone_unavailable", "The phone gave no picture of its screen. Try again.");
}

interface Shot {
  readonly png: Uint8Array;
  readonly hash: string;
  readonly atMs: number;
  /** By scale. */
  readonly scaled: Map<number, Promise<Uint8Array>>;
}

export function createPictures({ device, clock, trouble }: ScreenParts, display: Display): Pictures {
  const listeners = new Map<(frame: ScreenFrame) => void, ScreenLevel | undefined>();
  let level: ScreenLevel = 4;
  let shot: Shot | undefined;
  let changedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let taking = false;
  let failures = 0;
  let wanted = false;
  let closed = false;

  async function take(): Promise<void> {
    if (taking || closed || listeners.size === 0) return;
    taking = true;
    clearTimeout(timer);
    timer = undefined;
    const forAll = wanted;
    wanted = false;
    try {
      const atMs = clock.now();
      const png = await screencap(device);
      failures = 0;
      const hash = createHash("sha1").update(png).digest("base64");
      const changed = hash !== shot?.hash;
      if (changed) {
        if (shot !== undefined) changedAt = clock.now();
        shot = { png, hash, atMs, scaled: new Map() };
        const size = sizeOf(png);
        if (size !== undefined) display.seen(size);
      }
      if (changed || forAll) await deliver(shot ?? { png, hash, atMs, scaled: new Map() });
    } catch (error) {
      failures += 1;
      if (failures === 1) trouble("no picture of the screen", error);
    } finally {
      taking = false;
      if (!closed && listeners.size > 0) {
        timer = setTimeout(take, wanted ? 0 : failures >= FAILURES_UNTIL_SLOW ? SLOW_MS : EVERY_MS);
      }
    }
  }

  /** Each listener gets it as large as the best level somebody asked for beside it. */
  async function deliver(one: Shot): Promise<void> {
    const best = bestLevel([...listeners.values()].map((own) => own ?? level));
    const scale = SCALES[best];
    let bytes = one.scaled.get(scale);
    if (bytes === undefined) {
      bytes = scale === 1 ? Promise.resolve(one.png) : smallerPng(one.png, scale);
      one.scaled.set(scale, bytes);
    }
    const frame: ScreenFrame = {
      format: "png",
      kind: "image",
      bytes: await bytes,
      capturedAtMs: one.atMs,
      crisp: false,
    };
    for (const listener of [...listeners.keys()]) listener(frame);
  }

  function refresh(): void {
    wanted = true;
    if (!taking) void take();
  }

  return {
    codec: "jpeg",
    size: () => display.css(),
    listen(listener, own) {
      listeners.set(listener, own);
      refresh();
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        clearTimeout(timer);
        timer = undefined;
        shot = undefined;
      };
    },
    setLevel(next) {
      if (next === level) return;
      level = next;
      if (listeners.size > 0) refresh();
    },
    refresh: () => {
      if (listeners.size > 0) refresh();
    },
    // A PNG loses nothing: there is no better one.
    still: async () => {},
    get moving() {
      return listeners.size > 0 && clock.now() - changedAt < 1_000;
    },
    get watched() {
      return listeners.size > 0;
    },
    soon() {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = setTimeout(take, SOON_MS);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      listeners.clear();
    },
  };
}

function sizeOf(png: Uint8Array): { width: number; height: number } | undefined {
  if (png.length < 24) return undefined;
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}
