/**
 * When one viewer may have a key frame made for it, which everybody pays for: at once the first time, then more and more
 * seldom, and again at once after it got along for a while. Pure: every call says what time it is.
 */

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 8_000;
/** Without asking for this long, a viewer gets along. */
const FORGIVEN_AFTER_MS = 15_000;

export interface KeyFrames {
  /** This viewer cannot go on without one. */
  need(): void;
  /** One came, for whomever. */
  came(): void;
  /** Whether one is to be asked for now; then it counts as asked. */
  ask(now: number): boolean;
}

export function createKeyFrames(): KeyFrames {
  let needed = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  let waitMs = 0;
  return {
    need() {
      needed = true;
    },
    came() {
      needed = false;
    },
    ask(now) {
      if (!needed || now - askedAt < waitMs) return false;
      waitMs = now - askedAt > FORGIVEN_AFTER_MS ? FIRST_WAIT_MS : Math.min(LONGEST_WAIT_MS, waitMs * 2);
      askedAt = now;
      needed = false;
      return true;
    },
  };
}
