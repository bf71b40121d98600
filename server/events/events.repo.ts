/**
 * Events per topic, written in the business transaction. The counter row's lock makes sequence order the commit order,
 * so a subscriber that resumes after number n misses nothing and sees nothing twice.
 */
import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { createFeed } from "./feed.ts";

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
  close(): void;
}

export function createEvents(db: Database, clock: Clock): Events {
  const { topics, events } = db.t;
  const feed = createFeed(db);

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
    wake: feed.wake,
    async latest(topic) {
      const [row] = await db.read.select({ seq: topics.seq }).from(topics).where(eq(topics.topic, topic));
      return row?.seq ?? 0;
    },
    subscribe: (topic, after, signal) =>
      feed.follow(topic, after, signal, async (seen, limit) =>
        db.read
          .select({ seq: events.seq, data: events.data })
          .from(events)
          .where(and(eq(events.topic, topic), gt(events.seq, seen)))
          .orderBy(asc(events.seq))
          .limit(limit),
      ),
    close: feed.close,
  };
}
