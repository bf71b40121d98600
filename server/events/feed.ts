/** Following a numbered log: what is there after a number, then what comes, nothing missed and nothing twice. */
import { type Database, HEARD_AGAIN } from "../db/database.ts";

export interface Feed {
  /** Makes followers of this node look at once. */
  wake(topic: string): void;
  /** Endless: pages read by `read` after `after`, in order. Ends when `signal` aborts or the feed closes. */
  follow<T extends { readonly seq: number }>(
    topic: string,
    after: number,
    signal: AbortSignal,
    read: (after: number, limit: number) => Promise<readonly T[]>,
  ): AsyncGenerator<T, void, undefined>;
  close(): void;
}

const PAGE = 200;
/** Covers announcements that were lost while the listening connection was down. */
const POLL_MS = 15_000;

export function createFeed(db: Pick<Database, "onAnnounced">): Feed {
  const waiting = new Map<string, Set<() => void>>();
  const wake = (topic: string) => {
    for (const resolve of waiting.get(topic) ?? []) resolve();
  };
  const stopListening = db.onAnnounced((topic) => {
    // Whatever was missed is read now.
    for (const one of topic === HEARD_AGAIN ? [...waiting.keys()] : [topic]) wake(one);
  });
  const closing = new AbortController();
  return {
    wake,
    async *follow(topic, after, signal, read) {
      const ended = AbortSignal.any([signal, closing.signal]);
      let seen = after;
      let pending = false;
      let resume = () => {};
      const onWake = () => {
        pending = true;
        resume();
      };
      const set = waiting.get(topic) ?? new Set();
      waiting.set(topic, set.add(onWake));
      const poll = setInterval(onWake, POLL_MS);
      ended.addEventListener("abort", onWake);
      try {
        while (!ended.aborted) {
          pending = false;
          const rows = await read(seen, PAGE);
          for (const row of rows) {
            seen = row.seq;
            yield row;
            if (ended.aborted) return;
          }
          if (rows.length === PAGE) continue;
          if (!pending)
            await new Promise<void>((resolve) => {
              resume = resolve;
            });
        }
      } finally {
        clearInterval(poll);
        ended.removeEventListener("abort", onWake);
        set.delete(onWake);
        if (set.size === 0) waiting.delete(topic);
      }
    },
    close() {
      closing.abort();
      stopListening();
    },
  };
}
