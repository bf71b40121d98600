/** Whether the picture of an Android stands still: three in a row that are the same, but for a caret or a clock. */
import { setTimeout as delay } from "node:timers/promises";
import { decode } from "fast-png";
import type { Clock } from "../../../../clock.ts";

const BETWEEN_MS = 150;
const ALIKE = 2;
/** Of all pixels; Maestro's `SCREENSHOT_DIFF_THRESHOLD`. */
const MAY_DIFFER = 0.005;
const MOST_PIXELS = 64_000_000;

export async function stoodStill(
  screenshot: () => Promise<Uint8Array>,
  withinMs: number,
  clock: Clock,
): Promise<boolean> {
  const until = clock.now() + withinMs;
  let before = await screenshot();
  for (let alike = 0; ; ) {
    if (clock.now() >= until) return false;
    await delay(BETWEEN_MS);
    const now = await screenshot();
    alike = sameScreen(before, now) ? alike + 1 : 0;
    if (alike >= ALIKE) return true;
    before = now;
  }
}

/** Two PNGs of one screen. */
export function sameScreen(one: Uint8Array, other: Uint8Array): boolean {
  if (Buffer.compare(one, other) === 0) return true;
  const [a, b] = [pixelsOf(one), pixelsOf(other)];
  if (a === undefined || b === undefined || a.width !== b.width || a.height !== b.height) return false;
  if (a.channels !== b.channels) return false;
  const most = a.width * a.height * MAY_DIFFER;
  let differ = 0;
  for (let at = 0; at < a.data.length; at += a.channels) {
    for (let channel = 0; channel < a.channels; channel += 1) {
      if (a.data[at + channel] === b.data[at + channel]) continue;
      differ += 1;
      break;
    }
    if (differ > most) return false;
  }
  return true;
}

function pixelsOf(png: Uint8Array) {
  // Width and height of the first chunk (PNG, §11.2.1), before anything is unpacked.
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  if (png.byteLength < 33 || view.getUint32(16) * view.getUint32(20) > MOST_PIXELS) return undefined;
  try {
    return decode(png);
  } catch {
    return undefined;
  }
}
