/**
 * Whether video fits one viewer's link. Others may need a better picture than it can take; what it then gets is a key frame
 * now and then, and pictures that stand alone serve it better until its link is good again. Pure: every call says what
 * time it is.
 */
import type { ScreenLevel } from "../phones/driver.ts";

/** Runs lost within this time, at a level that should be easy, say that video does not fit. */
const LOST_RUNS = 4;
const WITHIN_MS = 30_000;
const EASY: ScreenLevel = 1;
/** Pictures at their best for this long: video is tried again; twice as long after each try. */
const GOOD_MS = 20_000;
const LONGEST_GOOD_MS = 320_000;

export interface Fit {
  /** A run of video was lost. Returns true when this viewer is better off with pictures. */
  lost(now: number, level: ScreenLevel): boolean;
  /** A picture arrived. Returns true when video is worth another try. */
  arrived(now: number, level: ScreenLevel): boolean;
}

export function createFit(): Fit {
  let losses: number[] = [];
  let goodSince: number | undefined;
  let goodMs = GOOD_MS;
  return {
    lost(now, level) {
      losses = [...losses.filter((at) => now - at <= WITHIN_MS), now];
      if (level > EASY || losses.length < LOST_RUNS) return false;
      losses = [];
      goodSince = undefined;
      return true;
    },
    arrived(now, level) {
      if (level < 4) goodSince = undefined;
      else goodSince ??= now;
      if (goodSince === undefined || now - goodSince < goodMs) return false;
      goodMs = Math.min(goodMs * 2, LONGEST_GOOD_MS);
      goodSince = undefined;
      return true;
    },
  };
}
