/**
 * Events per topic, written in the business transaction. The counter row's lock makes sequence order the commit order,
 * so a subscriber that resumes after number n misses nothing and sees nothing twice.
 */
import { and, asc, eq, gt, lt, sql } from "drizzle-orm";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";

export interface TopicEvent {
  readonly seq: number;
  readonly data: unknown;
}

export interface Events {
  /** Appends in the caller's transaction. Call `wake` after the commit so that subscribers of this node read it at once. */
  publish(tx: Writer, topic: string, data: unknown): Promise<void>;
  wake(topic: string): void;
  /** The topic's newest number. */
  latest(topic: string): Promise<number>;
  /** Endless: what came after `after`, in order, then what comes. Ends when `signal` aborts. */
  subscribe(topic: string, after: number, signal: AbortSignal): AsyncGenerator<TopicEvent, void, undefined>;
  sweep(tx: Writer, before: Date): Promise<number>;
  close(): void;
}

const PAGE = 200;
/** Covers announcements that were lost while the listening connection was down. */
const POLL_MS = 15_000;

export function createEvents(db: Database, clock: Clock): Events {
  const { topics, events } = db.t;
  const waiting = new Map<string, Set<() => void>>();
  const wake = (topic: string) => {
    for (const resolve of waiting.get(topic) ?? []) resolve();
  };
  const stopListening = db.onAnnounced(wake);
  const closing = new AbortController();

  return {
    async publish(tx, topic, data) {
      const [row] = await tx
        .insert(topics)
        .values({ topic, seq: 1 })
        .onConflictDoUpdate({ target: topics.topic, set: { seq: sql`${topics.seq} + 1` } })
        .returning({ seq: topics.seq });
      if (row === undefined) throw new Error("The counter row of a topic was not returned.");
      await tx.insert(events).values({ topic, seq: row.seq, data, at: new Date(clock.now()) });
      if (db.engine === "postgres") await db.announce(tx, topic);
    },
    wake,
    async latest(topic) {
      const [row] = await db.read.select({ seq: topics.seq }).from(topics).where(eq(topics.topic, topic));
      return row?.seq ?? 0;
    },
    async *subscribe(topic, after, signal) {
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
          const rows = await db.read
            .select({ seq: events.seq, data: events.data })
            .from(events)
            .where(and(eq(events.topic, topic), gt(events.seq, seen)))
            .orderBy(asc(events.seq))
            .limit(PAGE);
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
    async sweep(tx, before) {
      const rows = await tx.delete(events).where(lt(events.at, before)).returning({ seq: events.seq });
      return rows.length;
    },
    close() {
      closing.abort();
      stopListening();
    },
  };
}
