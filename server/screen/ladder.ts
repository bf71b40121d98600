/**
 * How good a picture one viewer's link can carry: a level from 4 (best) to 0 (cheapest), moved by the time from
 * sending a frame to its acknowledgement. Pure: every call says what time it is.
 */
import type { ScreenLevel } from "../phones/driver.ts";

const STEP_DOWN_ABOVE_MS = 110;
const STEP_UP_BELOW_MS = 60;

/** How soon a level follows the link. */
export interface LadderRules {
  /** Between two changes. */
  readonly betweenMs: number;
  /** Good for this long: a step up. */
  readonly upAfterMs: number;
  /** Bad for this long: a step down. */
  readonly downAfterMs: number;
}
export const PICTURE_RULES: LadderRules = { betweenMs: 700, upAfterMs: 2_000, downAfterMs: 0 };
/**
 * Another level of video takes another encoder, so it changes seldom, and one key frame that took its time is no reason.
 */
export const VIDEO_RULES: LadderRules = { betweenMs: 3_000, upAfterMs: 8_000, downAfterMs: 600 };

/** A step up that had to be taken back makes the next try wait longer, up to this. */
const STEP_UP_AFTER_MAX_MS = 32_000;
/** A step up that lasts this long was right, and the next may come soon. */
const STEP_UP_HELD_MS = 5_000;
/** Part of a new sample in the moving average. */
const WEIGHT = 0.3;
/** Samples at the new level before it is judged. */
const SAMPLES = 2;
/** Both limits were measured at this round trip; a longer way is not a busy link and is taken off. */
const NEAR_ROUND_TRIP_MS = 40;

export interface Ladder {
  level(): ScreenLevel;
  /** Moving average of send→acknowledgement, in ms; `undefined` before the first sample at this level. */
  average(): number | undefined;
  /** One acknowledged frame. `baseMs`: round trip of the empty link. Returns true when the level changed. */
  sample(now: number, ackMs: number, baseMs: number): boolean;
  /** The viewer's own limit; never exceeded. Returns true when the level changed. */
  limit(now: number, max: ScreenLevel): boolean;
  /** Frames had to be left out: the link carries less than it is sent. Returns true when the level changed. */
  strained(now: number): boolean;
}

export function createLadder(now: number, rules: LadderRules = PICTURE_RULES): Ladder {
  let max: ScreenLevel = 4;
  let level: ScreenLevel = 4;
  let average: number | undefined;
  let samples = 0;
  let changedAt = now - rules.betweenMs;
  let goodSince: number | undefined;
  let badSince: number | undefined;
  let upAfterMs = rules.upAfterMs;
  let steppedUpAt: number | undefined;

  function change(at: number, next: ScreenLevel): boolean {
    if (next === level) return false;
    level = next;
    changedAt = at;
    average = undefined;
    samples = 0;
    goodSince = undefined;
    badSince = undefined;
    return true;
  }

  function stepDown(at: number, steps: number): boolean {
    const tookBack = steppedUpAt !== undefined;
    upAfterMs = tookBack ? Math.min(upAfterMs * 2, STEP_UP_AFTER_MAX_MS) : rules.upAfterMs;
    steppedUpAt = undefined;
    return change(at, down(level, steps));
  }

  return {
    level: () => level,
    average: () => average,
    sample(at, ackMs, baseMs) {
      const ms = ackMs - Math.max(0, baseMs - NEAR_ROUND_TRIP_MS);
      average = average === undefined ? ms : average + WEIGHT * (ms - average);
      samples += 1;
      if (steppedUpAt !== undefined && at - steppedUpAt >= STEP_UP_HELD_MS) {
        steppedUpAt = undefined;
        upAfterMs = rules.upAfterMs;
      }
      if (average >= STEP_UP_BELOW_MS) goodSince = undefined;
      else goodSince ??= at;
      if (average <= STEP_DOWN_ABOVE_MS) badSince = undefined;
      else badSince ??= at;
      if (samples < SAMPLES || at - changedAt < rules.betweenMs) return false;
      if (badSince !== undefined && at - badSince >= rules.downAfterMs) {
        return stepDown(at, average > 2 * STEP_DOWN_ABOVE_MS ? 2 : 1);
      }
      if (level < max && goodSince !== undefined && at - goodSince >= upAfterMs) {
        steppedUpAt = at;
        return change(at, up(level));
      }
      return false;
    },
    limit(at, next) {
      // At the old limit it was the person who held back, not the link: the new limit is tried at once.
      const heldBack = level === max;
      max = next;
      return level > max || heldBack ? change(at, max) : false;
    },
    strained: (at) => (at - changedAt < rules.betweenMs ? false : stepDown(at, 1)),
  };
}

const LEVELS = [0, 1, 2, 3, 4] as const satisfies readonly ScreenLevel[];
function down(level: ScreenLevel, steps: number): ScreenLevel {
  return LEVELS[Math.max(0, level - steps)] ?? 0;
}
function up(level: ScreenLevel): ScreenLevel {
  return LEVELS[Math.min(4, level + 1)] ?? 4;
}

/** The best of the levels asked for; the cheapest when nobody asks. */
export function best(levels: Iterable<ScreenLevel>): ScreenLevel {
  let found: ScreenLevel = 0;
  for (const level of levels) if (level > found) found = level;
  return found;
}
