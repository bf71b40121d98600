/** Stored rate limits and idempotency keys. */
import { and, eq, sql } from "drizzle-orm";
import type { Database, Writer } from "../db/database.ts";

export interface LimitsRepo {
  /** Milliseconds to wait, or 0 when the call was counted. */
  takeToken(input: { key: string; now: number; everyMs: number; burst: number }): Promise<number>;
  findResult(tx: Writer, at: IdempotencyRef): Promise<{ inputHash: string; result: unknown } | undefined>;
  storeResult(tx: Writer, at: IdempotencyRef, inputHash: string, result: unknown, createdAt: Date): Promise<void>;
  forgetResult(tx: Writer, at: IdempotencyRef): Promise<void>;
}
export interface IdempotencyRef {
  readonly scope: string;
  readonly procedure: string;
  readonly key: string;
}

export function createLimitsRepo(db: Database): LimitsRepo {
  const { rateLimits, idempotencyKeys } = db.t;
  const refersTo = (at: IdempotencyRef) =>
    and(
      eq(idempotencyKeys.scope, at.scope),
      eq(idempotencyKeys.procedure, at.procedure),
      eq(idempotencyKeys.key, at.key),
    );
  return {
    async takeToken({ key, now, everyMs, burst }) {
      const tolerance = everyMs * (burst - 1);
      return db.tx(async (tx) => {
        const [row] = await tx.select().from(rateLimits).where(eq(rateLimits.key, key));
        const arrival = Math.max(row?.theoreticalArrivalAt ?? 0, now);
        if (arrival - now > tolerance) return arrival - tolerance - now;
        await tx
          .insert(rateLimits)
          .values({ key, theoreticalArrivalAt: arrival + everyMs })
          .onConflictDoUpdate({
            target: rateLimits.key,
            set: { theoreticalArrivalAt: sql`excluded.theoretical_arrival_at` },
          });
        return 0;
      });
    },
    async findResult(tx, at) {
      const [row] = await tx.select().from(idempotencyKeys).where(refersTo(at));
      return row && { inputHash: row.inputHash, result: row.result };
    },
    async storeResult(tx, at, inputHash, result, createdAt) {
      await tx.insert(idempotencyKeys).values({ ...at, inputHash, result, createdAt });
    },
    async forgetResult(tx, at) {
      await tx.delete(idempotencyKeys).where(refersTo(at));
    },
  };
}
