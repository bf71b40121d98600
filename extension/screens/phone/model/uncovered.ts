/** When to warn that nothing will cover the phones that run. */

/** Time enough to top up. */
const UNCOVERED_SOON_MS = 10 * 60_000;

/** Whether nothing will cover what runs, soon. */
export function uncoveredSoon(coveredUntil: string | undefined, nowMs: number): boolean {
  return coveredUntil !== undefined && Date.parse(coveredUntil) - nowMs < UNCOVERED_SOON_MS;
}
