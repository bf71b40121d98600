/**
 * How much video may be on its way to one viewer: what its link carries in a round trip and a little more, learned from
 * what it acknowledges. Pure: every call says what time it is. Rate and limit as BBR has them
 * (draft-ietf-ccwg-bbr, §4.1.1.2 and §4.6.4), for frames instead of packets.
 */
import type { Window } from "./credit.ts";

/** Rates older than this say nothing any more. */
const MEMORY_MS = 2_500;
/** What waits in the line on top of the round trip. */
const QUEUE_MS = 150;
const LEAST_BYTES = 24 * 1024;
const MOST_BYTES = 1024 * 1024;
const MOST_FRAMES = 90;
/** Of a link nothing is known about. */
const FIRST_BYTES = 128 * 1024;

export interface Pace {
  /** `bytes` arrived within `ms`. */
  delivered(now: number, bytes: number, ms: number): void;
  window(baseMs: number): Window;
}

export function createPace(): Pace {
  let rates: { readonly at: number; readonly bytesPerMs: number }[] = [];
  return {
    delivered(now, bytes, ms) {
      const bytesPerMs = bytes / Math.max(1, ms);
      // Whatever is older and lower is of no use any more.
      rates = rates.filter((rate) => now - rate.at <= MEMORY_MS && rate.bytesPerMs > bytesPerMs);
      rates.push({ at: now, bytesPerMs });
    },
    window(baseMs) {
      const [best] = rates;
      if (best === undefined) return { frames: MOST_FRAMES, bytes: FIRST_BYTES };
      const bytes = best.bytesPerMs * (baseMs + QUEUE_MS);
      return { frames: MOST_FRAMES, bytes: Math.max(LEAST_BYTES, Math.min(MOST_BYTES, bytes)) };
    },
  };
}
