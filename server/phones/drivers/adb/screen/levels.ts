/** What each level of the ladder means to scrcpy's encoder. */
import type { ScreenLevel } from "../../../driver.ts";
import type { Size } from "./scrcpy-session.ts";

export interface Encoding {
  /** Of the longer side, a multiple of 8; 0: as it is. */
  readonly maxSize: number;
  readonly bitRate: number;
  readonly maxFps: number;
}

/**
 * A side panel is 360–400 CSS pixels wide, so 1920 on the longer side is sharp on a display of twice that density.
 * Screens at rest cost almost nothing at any level; the bit rate is what a moving one may take.
 */
const LADDER: Readonly<Record<ScreenLevel, Encoding>> = {
  4: { maxSize: 1920, bitRate: 8_000_000, maxFps: 60 },
  3: { maxSize: 1600, bitRate: 4_000_000, maxFps: 60 },
  2: { maxSize: 1280, bitRate: 2_000_000, maxFps: 30 },
  1: { maxSize: 1024, bitRate: 1_000_000, maxFps: 30 },
  0: { maxSize: 800, bitRate: 400_000, maxFps: 20 },
};

/** Sizes tried one after the other when an encoder fails, as scrcpy does (`SurfaceEncoder.MAX_SIZE_FALLBACK`). */
const SMALLER = [1600, 1280, 1024, 800] as const;

/** @param failures encoders that failed in a row so far; the first may have had any reason. */
export function encodingOf(level: ScreenLevel, failures: number): Encoding {
  const encoding = LADDER[level];
  const cap = failures < 2 ? undefined : (SMALLER[failures - 2] ?? SMALLER.at(-1));
  return cap === undefined || encoding.maxSize <= cap ? encoding : { ...encoding, maxSize: cap };
}

/** Physical pixels as CSS pixels: what the same screen would be to a web page. */
export function cssSize({ width, height }: Size, density: number): Size {
  const dpr = Math.max(0.5, density / 160);
  return { width: Math.max(1, Math.round(width / dpr)), height: Math.max(1, Math.round(height / dpr)) };
}

/** What all who look need together; the cheapest when nobody does. */
export function bestLevel(levels: Iterable<ScreenLevel>): ScreenLevel {
  let best: ScreenLevel = 0;
  for (const level of levels) if (level > best) best = level;
  return best;
}
