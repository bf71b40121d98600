/**
 * How far this computer's clock is from the server's, as the `Date` field of its answers says (RFC 9110 §6.6.1, whole
 * seconds). Where they are minutes apart, "5 min ago" and "ends in 2 h" would be wrong.
 */

/** Below this the way an answer takes, and waiting at sleeping computers, may be all there is to it. */
export const WORTH_SAYING_MS = 2 * 60_000;

export interface ClockSkew {
  /** To call with each answer as it arrives. */
  heard(response: Response): void;
  /** Whole minutes this computer is ahead of the server (negative: behind); 0 while that is not worth saying. */
  minutes(): number;
  subscribe(listener: () => void): () => void;
}

export function createClockSkew(now: () => number = Date.now): ClockSkew {
  let minutes = 0;
  const listeners = new Set<() => void>();
  return {
    heard(response) {
      const serverMs = Date.parse(response.headers.get("date") ?? "");
      if (Number.isNaN(serverMs)) return;
      const aheadMs = now() - serverMs;
      const next = Math.abs(aheadMs) > WORTH_SAYING_MS ? Math.round(aheadMs / 60_000) : 0;
      if (next === minutes) return;
      minutes = next;
      for (const listener of listeners) listener();
    },
    minutes: () => minutes,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
