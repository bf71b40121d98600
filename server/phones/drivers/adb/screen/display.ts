/** The screen's size as it is turned now, kept up to date by whoever sees that it changed. */
import type { AndroidDevice } from "../ports.ts";
import { cssSize } from "./levels.ts";
import type { Size } from "./scrcpy-session.ts";

export interface Display {
  /** Physical pixels as turned. */
  pixels(): Size;
  /** CSS pixels as turned. */
  css(): Size;
  /** Turned against how the device was made. */
  rotated(): boolean;
  /** Asks the device, once for all who ask at the same time. */
  look(): Promise<Size>;
  /** A picture of this shape came: looks again when it is turned otherwise. */
  seen(size: Size): void;
}

const MAX_SIDE = 16_384;

/** @param onChanged told after the size changed, with CSS pixels. */
export async function createDisplay(device: AndroidDevice, onChanged: (css: Size) => void): Promise<Display> {
  const { facts } = device;
  let pixels: Size = { width: facts.width, height: facts.height };
  let looking: Promise<Size> | undefined;

  async function ask(): Promise<Size> {
    const { stdout } = await device.run(["dumpsys", "window", "displays"], { maxBytes: 1024 * 1024 });
    const found = parseDisplay(new TextDecoder().decode(stdout));
    if (found !== undefined) set(found);
    return pixels;
  }
  function set(found: Size): void {
    if (found.width === pixels.width && found.height === pixels.height) return;
    pixels = found;
    onChanged(css());
  }
  const css = () => cssSize(pixels, facts.density);
  const display: Display = {
    pixels: () => pixels,
    css,
    rotated: () => pixels.width > pixels.height !== facts.width > facts.height,
    look() {
      looking ??= ask().finally(() => {
        looking = undefined;
      });
      return looking;
    },
    seen(size) {
      if (size.width > size.height === pixels.width > pixels.height) return;
      // What the picture shows is true at once; the device says the rest.
      set({ width: pixels.height, height: pixels.width });
      display.look().catch(() => {});
    },
  };
  await display.look().catch(() => {});
  return display;
}

/**
 * `cur=1080x2400` of the first display: its size as turned, in every Android from 4 to 15
 * (AOSP `DisplayContent.dump`).
 */
export function parseDisplay(dump: string): Size | undefined {
  const [, width = "", height = ""] = /\bcur=(\d{1,5})x(\d{1,5})\b/.exec(dump) ?? [];
  const size = { width: Number(width), height: Number(height) };
  const fits = (side: number) => side > 0 && side <= MAX_SIDE;
  return fits(size.width) && fits(size.height) ? size : undefined;
}
