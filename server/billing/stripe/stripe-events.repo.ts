/** Events that Stripe told us of, by id: each is taken once, however often it comes. */
import { desc, eq, inArray } from "drizzle-orm";
import type { Database, Writer } from "../../db/database.ts";

export type StripeEventRow = Database["t"]["stripeEvents"]["$inferSelect"];

export interface StripeEventsRepo {
  /** False when it came before. */
  insert(tx: Writer, row: StripeEventRow): Promise<boolean>;
  processed(tx: Writer, id: string, at: Date): Promise<void>;
  /** Which of these came before. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>;
  newest(): Promise<StripeEventRow | undefined>;
}

export function createStripeEventsRepo(db: Database): StripeEventsRepo {
  const { stripeEvents } = db.t;
  return {
    async insert(tx, row) {
      const rows = await tx.insert(stripeEvents).values(row).onConflictDoNothing().returning({ id: stripeEvents.id });
      return rows.length === 1;
    },
    async processed(tx, id, at) {
      await tx.update(stripeEvents).set({ processedAt: at }).where(eq(stripeEvents.id, id));
    },
    async known(ids) {
      if (ids.length === 0) return new Set();
      const rows = await db.read
        .select({ id: stripeEvents.id })
        .from(stripeEvents)
        .where(inArray(stripeEvents.id, [...ids]));
      return new Set(rows.map(({ id }) => id));
    },
    async newest() {
      const [row] = await db.read.select().from(stripeEvents).orderBy(desc(stripeEvents.createdAt)).limit(1);
      return row;
    },
  };
}
