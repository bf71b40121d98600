/** What people chose about their data, and the statements they attached to it. */
import { and, count, desc, eq } from "drizzle-orm";
import { newId, type StatementId, type UserId } from "../../../shared/ids.ts";
import type { Database, Writer } from "../../db/database.ts";

export type StatementRow = Database["t"]["statements"]["$inferSelect"];

export interface Choices {
  readonly restrictedAt: Date | null;
  readonly leftMetricsAt: Date | null;
}

export interface PreferencesRepo {
  find(userId: UserId): Promise<Choices>;
  findIn(tx: Writer, userId: UserId): Promise<Choices>;
  set(tx: Writer, userId: UserId, choices: Choices, at: Date): Promise<void>;
  /** The newest first. */
  statements(userId: UserId): Promise<StatementRow[]>;
  countStatements(tx: Writer, userId: UserId): Promise<number>;
  insertStatement(tx: Writer, statement: Omit<StatementRow, "id">): Promise<StatementRow>;
  /** Gives whether it was the person's. */
  deleteStatement(tx: Writer, userId: UserId, id: StatementId): Promise<boolean>;
}

const NOTHING_CHOSEN: Choices = { restrictedAt: null, leftMetricsAt: null };

export function createPreferencesRepo(db: Database): PreferencesRepo {
  const { privacyPreferences, statements } = db.t;
  const find = async (from: Pick<Writer, "select">, userId: UserId) => {
    const { restrictedAt, leftMetricsAt } = privacyPreferences;
    const [row] = await from
      .select({ restrictedAt, leftMetricsAt })
      .from(privacyPreferences)
      .where(eq(privacyPreferences.userId, userId));
    return row ?? NOTHING_CHOSEN;
  };
  return {
    find: (userId) => find(db.read, userId),
    findIn: find,
    async set(tx, userId, { restrictedAt, leftMetricsAt }, changedAt) {
      const set = { restrictedAt, leftMetricsAt, changedAt };
      await tx
        .insert(privacyPreferences)
        .values({ userId, ...set })
        .onConflictDoUpdate({ target: privacyPreferences.userId, set });
    },
    async statements(userId) {
      return db.read
        .select()
        .from(statements)
        .where(eq(statements.userId, userId))
        .orderBy(desc(statements.at), desc(statements.id));
    },
    async countStatements(tx, userId) {
      const [row] = await tx.select({ count: count() }).from(statements).where(eq(statements.userId, userId));
      return row?.count ?? 0;
    },
    async insertStatement(tx, statement) {
      const row = { ...statement, id: newId("statement") };
      await tx.insert(statements).values(await db.keys.row(tx, statements, row));
      return row;
    },
    async deleteStatement(tx, userId, id) {
      const gone = await tx
        .delete(statements)
        .where(and(eq(statements.id, id), eq(statements.userId, userId)))
        .returning({ id: statements.id });
      return gone.length > 0;
    },
  };
}
