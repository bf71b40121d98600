/** Time as a dependency: every promise with a deadline is tested by walking a clock. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Milliseconds that only run forward, whatever is done to the machine's clock; their zero means nothing. */
export interface Monotonic {
  now(): number;
}

export const systemMonotonic: Monotonic = { now: () => performance.now() };

/** A clock that moves only when told to. For tests. */
export class ManualClock implements Clock {
  #now: number;
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }
  now(): number {
    return this.#now;
  }
  advance(ms: number): void {
    this.#now += ms;
  }
}
