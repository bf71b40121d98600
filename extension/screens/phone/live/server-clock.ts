/**
 * The server's clock as seen from here, so that a frame's age can be told without the two clocks agreeing. What arrives
 * fastest tells most: everything else was held up on its way.
 */

export interface ServerClock {
  /** Forgets what was learned; to call for each new connection. */
  reset(): void;
  /** Something the server did at `serverMs` arrived at `localMs` (both Unix milliseconds). */
  arrived(serverMs: number, localMs: number): void;
  /** A measured round trip in ms, or anything that took at least one. */
  roundTrip(ms: number): void;
  /** Age at `localMs` of something that happened at `serverMs`, in ms; `undefined` before anything arrived. */
  age(serverMs: number, localMs: number): number | undefined;
}

export function createServerClock(): ServerClock {
  /** Local minus server clock, plus the way from there to here. */
  let shortestLag = Number.POSITIVE_INFINITY;
  let shortestRoundTrip = Number.POSITIVE_INFINITY;
  return {
    reset() {
      shortestLag = Number.POSITIVE_INFINITY;
      shortestRoundTrip = Number.POSITIVE_INFINITY;
    },
    arrived(serverMs, localMs) {
      shortestLag = Math.min(shortestLag, localMs - serverMs);
    },
    roundTrip(ms) {
      shortestRoundTrip = Math.min(shortestRoundTrip, ms);
    },
    age(serverMs, localMs) {
      if (!Number.isFinite(shortestLag)) return undefined;
      const oneWayMs = Number.isFinite(shortestRoundTrip) ? shortestRoundTrip / 2 : 0;
      return Math.max(0, localMs - serverMs - (shortestLag - oneWayMs));
    },
  };
}
