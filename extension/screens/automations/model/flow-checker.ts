/** Checks a text while it is typed: after a pause, and only the answer about the newest text counts. */

export interface FlowChecker {
  /** The text changed. */
  check(source: string): void;
  /** Nothing is called back any more. */
  stop(): void;
}

/** Long enough that quick typing sends one request a pause. */
export const CHECK_PAUSE_MS = 350;

export function flowChecker<T>(ask: (source: string) => Promise<T>, onAnswer: (answer: T) => void): FlowChecker {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let newest = 0;
  const stop = () => {
    newest += 1;
    clearTimeout(timer);
  };
  return {
    check(source) {
      stop();
      const mine = newest;
      timer = setTimeout(() => {
        void ask(source).then((answer) => {
          if (mine === newest) onAnswer(answer);
        });
      }, CHECK_PAUSE_MS);
    },
    stop,
  };
}
