/** Asks about a text while it is typed: after a pause, and only the answer about the newest text counts. */

export interface FlowChecker {
  /** The text changed. */
  check(source: string): void;
  /** Nothing is called back any more, and what is on its way is given up. */
  stop(): void;
}

/** Long enough that quick typing sends one request a pause. */
export const CHECK_PAUSE_MS = 350;

export function flowChecker<T>(
  ask: (source: string, signal: AbortSignal) => Promise<T>,
  onAnswer: (answer: T) => void,
): FlowChecker {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | undefined;
  const stop = () => {
    clearTimeout(timer);
    asking?.abort();
    asking = undefined;
  };
  return {
    check(source) {
      stop();
      timer = setTimeout(() => {
        const mine = new AbortController();
        asking = mine;
        void ask(source, mine.signal).then((answer) => {
          if (!mine.signal.aborted) onAnswer(answer);
        });
      }, CHECK_PAUSE_MS);
    },
    stop,
  };
}
