/**
 * How many transactions of this process try at once. PostgreSQL notices conflicts by page of an index, so that in small tables
 * transactions disturb each other which have nothing in common, and many at once lose more work than they do (PostgreSQL
 * manual, §13.2.3). Each loss halves how many may try, ten successes let one more in (additive increase, multiplicative
 * decrease). Who lost goes first, and who keeps losing goes alone.
 */
export interface Crowding {
  /** Waits for a place of the so-manieth try, from 1. What it gives is called when the try is over, however it ended. */
  enter(attempt: number): Promise<(outcome: "done" | "lost") => void>;
}

interface Waiting {
  readonly attempt: number;
  readonly enter: (isAlone: boolean) => void;
}

/** A try that takes longer keeps nobody out any more: it may be at work for seconds. */
const SHORT_MS = 100;
const ALONE_FROM = 4;

export function createCrowding(most: number): Crowding {
  let room = most;
  let inside = 0;
  let isAlone = false;
  const waiting: Waiting[] = [];
  function letIn(): void {
    for (let next = waiting[0]; next !== undefined && !isAlone; next = waiting[0]) {
      isAlone = next.attempt >= ALONE_FROM && inside === 0;
      if (!isAlone && (next.attempt >= ALONE_FROM || inside >= Math.floor(room))) return;
      inside += 1;
      waiting.shift();
      next.enter(isAlone);
    }
  }
  return {
    async enter(attempt) {
      const wasAlone = await new Promise<boolean>((enter) => {
        const place = waiting.findIndex((other) => other.attempt < attempt);
        waiting.splice(place < 0 ? waiting.length : place, 0, { attempt, enter });
        letIn();
      });
      let isInside = true;
      const leave = () => {
        if (!isInside) return;
        isInside = false;
        inside -= 1;
        if (wasAlone) isAlone = false;
        letIn();
      };
      const long = setTimeout(leave, SHORT_MS);
      return (outcome) => {
        clearTimeout(long);
        room = outcome === "lost" ? Math.max(1, room / 2) : Math.min(most, room + 0.1);
        leave();
      };
    },
  };
}
