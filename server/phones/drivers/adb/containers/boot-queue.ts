/**
 * Androids boot a few at a time on each host: one that boots takes all the CPU there is, and the ADB of others does not
 * answer meanwhile (redroid-doc #904).
 */
export interface BootQueue {
  /** Runs the work when it is its turn. @throws the signal's reason when that comes first */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  readonly waiting: number;
}

export function createBootQueue(atOnce: number): BootQueue {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (running < atOnce) {
      running += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => {
      const at = waiting.indexOf(resolve);
      if (at < 0) return;
      waiting.splice(at, 1);
      reject(signal.reason);
    };
    waiting.push(resolve);
    signal.addEventListener("abort", stop, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
  function done(): void {
    const next = waiting.shift();
    // Who waited takes over the place; it is never free in between.
    if (next === undefined) running -= 1;
    else next();
  }

  return {
    async run(signal, work) {
      await turn(signal);
      try {
        return await work();
      } finally {
        done();
      }
    },
    get waiting() {
      return waiting.length;
    },
  };
}
