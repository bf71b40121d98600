/** Purchases on Stripe's page: what was asked for, and whether it was given. */
import { and, eq, isNull, or } from "drizzle-orm";
import { type CheckoutId, checkoutId } from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";

export type CheckoutRow = Database["t"]["checkouts"]["$inferSelect"];

export interface CheckoutsRepo {
  /** By the session, or by our own id where the session's was not written down yet. */
  bySession(reader: Reader, sessionId: string, reference: string | null): Promise<CheckoutRow | undefined>;
  /** What was bought is given now. False when it was before. */
  fulfil(tx: Writer, id: CheckoutId, sessionId: string, at: Date): Promise<boolean>;
  /** While it is neither paid nor given. */
  setState(tx: Writer, id: CheckoutId, state: CheckoutRow["state"]): Promise<void>;
}

export function createCheckoutsRepo(db: Database): CheckoutsRepo {
  const { checkouts } = db.t;
  const notGiven = (id: CheckoutId) => and(eq(checkouts.id, id), isNull(checkouts.fulfilledAt));
  return {
    async bySession(reader, sessionId, reference) {
      const own = checkoutId.safeParse(reference);
      const [row] = await reader
        .select()
        .from(checkouts)
        .where(
          or(
            eq(checkouts.sessionId, sessionId),
            own.success ? and(eq(checkouts.id, own.data), isNull(checkouts.sessionId)) : undefined,
          ),
        );
      return row;
    },
    async fulfil(tx, id, sessionId, at) {
      const rows = await tx
        .update(checkouts)
        .set({ state: "paid", fulfilledAt: at, sessionId })
        .where(notGiven(id))
        .returning({ id: checkouts.id });
      return rows.length === 1;
    },
    async setState(tx, id, state) {
      await tx.update(checkouts).set({ state }).where(notGiven(id));
    },
  };
}
