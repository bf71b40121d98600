/**
 * How good a picture one viewer's link can carry: a level from 4 (best) to 0 (cheapest), moved by the time from
 * sending a frame to its acknowledgement. Pure: every call says what time it is.
 */
import type { ScreenLevel } from "../phones/driver.ts";

const STEP_DOWN_ABOVE_MS = 110;
const STEP_UP_BELOW_MS = 60;
const STEP_UP_AFTER_MS = 2_000;
/** A step up that had to be taken back makes the next try wait longer, up to this. */
const STEP_UP_AFTER_MAX_MS = 32_000;
/** A step up that lasts this long was right, and the next may come soon. */
const STEP_UP_HELD_MS = 5_000;
const BETWEEN_CHANGES_MS = 700;
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
}

export function createLadder(now: number): Ladder {
  let max: ScreenLevel = 4;
  let level: ScreenLevel = 4;
  let average: number | undefined;
  let samples = 0;
  let changedAt = now - BETWEEN_CHANGES_MS;
  let goodSince: number | undefined;
  let upAfterMs = STEP_UP_AFTER_MS;
  let steppedUpAt: number | undefined;

  function change(at: number, next: ScreenLevel): boolean {
    if (next === level) return false;
    level = next;
    changedAt = at;
    average = undefined;
    samples = 0;
    goodSince = undefined;
    return true;
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
        upAfterMs = STEP_UP_AFTER_MS;
      }
      if (average >= STEP_UP_BELOW_MS) goodSince = undefined;
      else goodSince ??= at;
      if (samples < SAMPLES || at - changedAt < BETWEEN_CHANGES_MS) return false;
      if (average > STEP_DOWN_ABOVE_MS) {
        const tookBack = steppedUpAt !== undefined;
        upAfterMs = tookBack ? Math.min(upAfterMs * 2, STEP_UP_AFTER_MAX_MS) : STEP_UP_AFTER_MS;
        steppedUpAt = undefined;
        return change(at, down(level, average > 2 * STEP_DOWN_ABOVE_MS ? 2 : 1));
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
