/** "200 requests per minute, 24,000 requests per hour" for each path; beyond the hour two hours of nothing. */
import type { Clock } from "../../../../clock.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LOCK_MS = 2 * HOUR_MS;
const A_MINUTE: Readonly<Record<string, number>> = { "/open/v1/pay/wallet": 10, "/open/v1/pay/plan/info": 1 };

export interface Quota {
  /** The error code of a call that is one too many. */
  take(path: string): 40007 | 40014 | undefined;
  /** As if an hour had been used up. */
  lock(path: string): void;
}

export function createQuota(clock: Clock): Quota {
  const counts = new Map<string, number>();
  const locked = new Map<string, number>();
  const count = (path: string, ms: number): number => {
    const key = `${path} ${ms} ${Math.floor(clock.now() / ms)}`;
    const next = (counts.get(key) ?? 0) + 1;
    counts.set(key, next);
    return next;
  };
  return {
    take(path) {
      if ((locked.get(path) ?? 0) > clock.now()) return 40014;
      if (count(path, HOUR_MS) > 24_000) {
        locked.set(path, clock.now() + LOCK_MS);
        return 40014;
      }
      return count(path, MINUTE_MS) > (A_MINUTE[path] ?? 200) ? 40007 : undefined;
    },
    lock: (path) => void locked.set(path, clock.now() + LOCK_MS),
  };
}
