/** What a limit promises, checked on the moments at which calls got through. */
import { expect } from "vitest";

/** In no stretch of time, between any two of the moments, more than the burst and what the rate adds in it. */
export function expectWithinRate(
  passed: readonly number[],
  { burst, everyMs }: { burst: number; everyMs: number },
): void {
  const moments = passed.toSorted((a, b) => a - b);
  for (const [first, from] of moments.entries()) {
    for (const [index, to] of moments.slice(first).entries()) {
      const most = burst + Math.floor((to - from) / everyMs);
      if (index + 1 > most) expect.fail(`${index + 1} got through within ${to - from} ms, of ${most} at most.`);
    }
  }
}
