/** The outbox of calls to Stripe in the database. */
import { and, asc, desc, eq, lte } from "drizzle-orm";
import type { StripeCallId, TeamId } from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";

export type CallRow = Tables["stripeCalls"]["$inferSelect"];

export interface CallsRepo {
  /** False when a call with the same key is there. */
  insert(tx: Writer, row: CallRow): Promise<boolean>;
  find(reader: Reader, id: StripeCallId): Promise<CallRow | undefined>;
  byKey(reader: Reader, key: string): Promise<CallRow | undefined>;
  /** The team's newest call of a kind. */
  lastOf(reader: Reader, teamId: TeamId, kind: string): Promise<CallRow | undefined>;
  /** Of a call that is neither done nor failed; false when it was settled meanwhile. */
  settle(tx: Writer, id: StripeCallId, change: Partial<CallRow>): Promise<boolean>;
  /** Counts a try that had no clear end. */
  tried(tx: Writer, row: CallRow, error: string): Promise<void>;
  /** Cuts what was asked for from a team that goes. */
  cut(tx: Writer, teamId: TeamId): Promise<void>;
  /** Waiting since a moment or longer, the oldest first. */
  waiting(before: Date, limit: number): Promise<CallRow[]>;
  /** For the operator: what Stripe refused, the newest first. */
  failed(limit: number): Promise<CallRow[]>;
  counts(): Promise<{ readonly queued: number; readonly failed: number }>;
}

export function createCallsRepo(db: Database): CallsRepo {
  const { stripeCalls } = db.t;
  return {
    async insert(tx, row) {
      const rows = await tx
        .insert(stripeCalls)
        .values(row)
        .onConflictDoNothing({ target: stripeCalls.idempotencyKey })
        .returning({ id: stripeCalls.id });
      return rows.length === 1;
    },
    async find(reader, id) {
      const [row] = await reader.select().from(stripeCalls).where(eq(stripeCalls.id, id));
      return row;
    },
    async byKey(reader, key) {
      const [row] = await reader.select().from(stripeCalls).where(eq(stripeCalls.idempotencyKey, key));
      return row;
    },
    async lastOf(reader, teamId, kind) {
      const [row] = await reader
        .select()
        .from(stripeCalls)
        .where(and(eq(stripeCalls.teamId, teamId), eq(stripeCalls.kind, kind)))
        .orderBy(desc(stripeCalls.createdAt))
        .limit(1);
      return row;
    },
    async settle(tx, id, change) {
      const rows = await tx
        .update(stripeCalls)
        .set(change)
        .where(and(eq(stripeCalls.id, id), eq(stripeCalls.state, "queued")))
        .returning({ id: stripeCalls.id });
      return rows.length === 1;
    },
    async tried(tx, { id, attempts }, error) {
      await tx
        .update(stripeCalls)
        .set({ attempts: attempts + 1, error })
        .where(and(eq(stripeCalls.id, id), eq(stripeCalls.state, "queued")));
    },
    async cut(tx, teamId) {
      await tx.update(stripeCalls).set({ teamId: null }).where(eq(stripeCalls.teamId, teamId));
    },
    waiting: async (before, limit) =>
      db.read
        .select()
        .from(stripeCalls)
        .where(and(eq(stripeCalls.state, "queued"), lte(stripeCalls.createdAt, before)))
        .orderBy(asc(stripeCalls.createdAt))
        .limit(limit),
    failed: async (limit) =>
      db.read
        .select()
        .from(stripeCalls)
        .where(eq(stripeCalls.state, "failed"))
        .orderBy(desc(stripeCalls.createdAt))
        .limit(limit),
    async counts() {
      const [queued, failed] = await Promise.all(
        (["queued", "failed"] as const).map((state) => db.read.$count(stripeCalls, eq(stripeCalls.state, state))),
      );
      return { queued: queued ?? 0, failed: failed ?? 0 };
    },
  };
}

/** A row as it is written first. */
export function newCallRow(
  row: Pick<CallRow, "id" | "kind" | "idempotencyKey" | "input" | "createdAt"> & { teamId: TeamId | null },
): CallRow {
  return { ...row, state: "queued", attempts: 0, resultId: null, error: null, doneAt: null };
}
