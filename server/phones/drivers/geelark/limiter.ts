/**
 * Keeps within what the partner takes: 200 calls a minute and 24,000 an hour for each path ("Request Instructions"), fewer for
 * some. Counted in slices of a window, whole slices each, so never more than `most` stand in any window.
 */
import type { Clock } from "../../../clock.ts";
import type { Call } from "./troubles.ts";

export interface Window {
  readonly ms: number;
  readonly most: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const EVERYWHERE: readonly Window[] = [
  { ms: MINUTE_MS, most: 200 },
  { ms: HOUR_MS, most: 24_000 },
];
const FEWER: Partial<Readonly<Record<Call, readonly Window[]>>> = {
  wallet: [{ ms: MINUTE_MS, most: 10 }],
  plan: [{ ms: MINUTE_MS, most: 1 }],
};
const SLICES = 60;

export interface CallLimiter {
  /** Milliseconds until the call may be made; 0: it is counted, make it now. */
  take(call: Call): number;
  /** The partner itself said that it is one too many: nothing until its next minute. */
  refused(call: Call): void;
}

export function createCallLimiter(clock: Clock): CallLimiter {
  const windows = new Map<Call, readonly Counter[]>();
  const notBefore = new Map<Call, number>();
  const of = (call: Call) => {
    const there = windows.get(call) ?? (FEWER[call] ?? EVERYWHERE).map((window) => createCounter(window));
    windows.set(call, there);
    return there;
  };
  return {
    take(call) {
      const now = clock.now();
      const counters = of(call);
      const refusedFor = (notBefore.get(call) ?? 0) - now;
      // Further off than a minute it is of a clock that was set back since.
      const wait = Math.max(refusedFor > MINUTE_MS ? 0 : refusedFor, ...counters.map((one) => one.waitMs(now)));
      if (wait > 0) return wait;
      for (const one of counters) one.count(now);
      return 0;
    },
    refused(call) {
      notBefore.set(call, (Math.floor(clock.now() / MINUTE_MS) + 1) * MINUTE_MS);
    },
  };
}

interface Counter {
  waitMs(now: number): number;
  count(now: number): void;
}

function createCounter({ ms, most }: Window): Counter {
  const slice = ms / SLICES;
  /** Slice number to calls, the earliest first. */
  const counts = new Map<number, number>();
  const forget = (now: number) => {
    const last = Math.floor(now / slice);
    // A clock that was set back leaves slices of a time to come, which would stand forever.
    for (const at of counts.keys()) if (at < last - SLICES || at > last) counts.delete(at);
  };
  return {
    waitMs(now) {
      forget(now);
      let sum = 0;
      for (const count of counts.values()) sum += count;
      if (sum < most) return 0;
      let wait = 0;
      for (const [at, count] of counts) {
        sum -= count;
        wait = (at + SLICES + 1) * slice - now;
        if (sum < most) break;
      }
      return Math.max(1, Math.ceil(wait));
    },
    count(now) {
      const at = Math.floor(now / slice);
      counts.set(at, (counts.get(at) ?? 0) + 1);
    },
  };
}
