/** Waiting for a condition instead of for time. */
import { setTimeout as delay } from "node:timers/promises";

const LOOK_EVERY_MS = 25;

export interface UntilOptions {
  /** Milliseconds. */
  readonly timeout?: number;
  readonly everyMs?: number;
}

/**
 * Looks until `probe` gives something other than `undefined` and `false`, and returns it.
 * @throws an Error that names `what`, and the last failure of the probe, when the time is over.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { timeout = 15_000, everyMs = LOOK_EVERY_MS }: UntilOptions = {},
): Promise<T> {
  const end = Date.now() + timeout;
  let problem: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > end) throw new Error(`Waited ${timeout} ms for ${what}.`, { cause: problem });
    await delay(everyMs);
  }
}

/** The same, for a value that must equal what is expected; says what it was instead. */
export async function untilEqual<T>(
  what: string,
  read: () => Promise<T> | T,
  expected: T,
  timeout = 15_000,
): Promise<void> {
  let last: T | undefined;
  const wanted = JSON.stringify(expected);
  try {
    await until(
      what,
      async () => {
        last = await read();
        return JSON.stringify(last) === wanted;
      },
      { timeout },
    );
  } catch (error) {
    throw new Error(`${what}: expected ${wanted}, got ${JSON.stringify(last)}`, { cause: error });
  }
}
