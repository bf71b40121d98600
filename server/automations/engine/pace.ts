/** The time runs wait by. */
import { setTimeout as wait } from "node:timers/promises";
import type { Pace } from "./ports.ts";

export const systemPace: Pace = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await wait(ms, undefined, { signal });
    } catch {
      // The run ends for its own reason, not for the timer's.
      signal.throwIfAborted();
    }
  },
};
