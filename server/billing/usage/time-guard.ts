/**
 * Whether the time since the last beat can be believed: the wall clock, which people and NTP set, against one that only
 * runs forward. What cannot be believed is never billed.
 */
import type { Clock, Monotonic } from "../../clock.ts";

export const BEAT_MS = 5_000;
/** Phones that were not seen for so many beats are not billed for what came after. */
export const BEATS_MISSED = 3;
const MOST_DRIFT_MS = 2_000;

/** `clock_step`: the clocks disagree · `server_crash`: beats were missed, so nobody knows. */
export type Doubt = "clock_step" | "server_crash";

export interface TimeGuard {
  /** What is wrong with the time between the last beat and now. */
  doubt(): Doubt | undefined;
  /** A beat was done at this moment of the wall clock. */
  beaten(): void;
}

export function createTimeGuard(options: { clock: Clock; monotonic: Monotonic; beatMs: number }): TimeGuard {
  const { clock, monotonic, beatMs } = options;
  let last = { wall: clock.now(), steady: monotonic.now() };
  return {
    doubt() {
      const steady = monotonic.now() - last.steady;
      if (Math.abs(clock.now() - last.wall - steady) > MOST_DRIFT_MS) return "clock_step";
      return steady > BEATS_MISSED * beatMs ? "server_crash" : undefined;
    },
    beaten() {
      last = { wall: clock.now(), steady: monotonic.now() };
    },
  };
}
