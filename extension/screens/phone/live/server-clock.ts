/** The server's clock as seen from here, so that a frame's age can be told without the two clocks agreeing. */

export interface ServerClock {
  /** The server said it was `serverMs`; heard at `localMs` (both Unix milliseconds). */
  hello(serverMs: number, localMs: number): void;
  /** A measured round trip in ms; the shortest counts. */
  roundTrip(ms: number): void;
  /** Age at `localMs` of something that happened at `serverMs`, in ms; `undefined` before the first hello. */
  age(serverMs: number, localMs: number): number | undefined;
}

export function createServerClock(): ServerClock {
  /** Local minus server clock, plus the way from there to here. */
  let helloLag: number | undefined;
  let shortestMs = Number.POSITIVE_INFINITY;
  return {
    hello(serverMs, localMs) {
      helloLag = localMs - serverMs;
      shortestMs = Number.POSITIVE_INFINITY;
    },
    roundTrip(ms) {
      shortestMs = Math.min(shortestMs, ms);
    },
    age(serverMs, localMs) {
      if (helloLag === undefined) return undefined;
      const oneWayMs = Number.isFinite(shortestMs) ? shortestMs / 2 : 0;
      return Math.max(0, localMs - serverMs - (helloLag - oneWayMs));
    },
  };
}
