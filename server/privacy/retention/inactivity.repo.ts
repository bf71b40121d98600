/** Accounts nobody signs in to. */
import { and, asc, eq, gt, isNull, lte, or } from "drizzle-orm";
import type { UserId } from "../../../shared/ids.ts";
import type { Database, Writer } from "../../db/database.ts";

export interface QuietAccount {
  readonly id: UserId;
  readonly email: string;
  readonly lastSeenAt: Date;
  readonly notice: number | null;
  readonly deletionAt: Date | null;
}
export interface InactivityRepo {
  /** Starts the count for accounts made before there was one; gives how many. */
  begin(today: Date, limit: number): Promise<number>;
  /** Accounts last seen at or before the day, after `after` in the order of ids. */
  quiet(since: Date, after: UserId | undefined, limit: number): Promise<QuietAccount[]>;
  /** False when they signed in meanwhile. */
  note(
    tx: Writer,
    account: QuietAccount,
    change: { readonly notice: number; readonly deletionAt: Date },
  ): Promise<boolean>;
  /** Takes back all notices: the rule is off. */
  forgetNotices(limit: number): Promise<number>;
  deletionOf(userId: UserId): Promise<Date | undefined>;
}

export function createInactivityRepo(db: Database): InactivityRepo {
  const { users } = db.t;
  const { id, lastSeenAt, inactiveNotice: notice, inactiveDeletionAt: deletionAt } = users;
  return {
    async begin(today, limit) {
      const unknown = and(isNull(lastSeenAt), isNull(users.deletedAt));
      const found = await db.read.select({ id }).from(users).where(unknown).limit(limit);
      for (const one of found) {
        await db.tx((tx) =>
          tx
            .update(users)
            .set({ lastSeenAt: today })
            .where(and(eq(id, one.id), unknown)),
        );
      }
      return found.length;
    },
    async quiet(since, after, limit) {
      const rows = await db.read
        .select({ id, email: users.emailShown, lastSeenAt, notice, deletionAt })
        .from(users)
        .where(and(lte(lastSeenAt, since), isNull(users.deletedAt), after === undefined ? undefined : gt(id, after)))
        .orderBy(asc(id))
        .limit(limit);
      return rows.flatMap((row) => (row.lastSeenAt === null ? [] : [{ ...row, lastSeenAt: row.lastSeenAt }]));
    },
    async note(tx, account, change) {
      const asBefore = and(
        eq(id, account.id),
        eq(lastSeenAt, account.lastSeenAt),
        account.notice === null ? isNull(notice) : eq(notice, account.notice),
      );
      const rows = await tx
        .update(users)
        .set({ inactiveNotice: change.notice, inactiveDeletionAt: change.deletionAt })
        .where(asBefore)
        .returning({ id });
      return rows.length > 0;
    },
    async forgetNotices(limit) {
      const noticed = or(gt(notice, -1), gt(deletionAt, new Date(0)));
      const found = await db.read.select({ id }).from(users).where(noticed).limit(limit);
      for (const one of found) {
        await db.tx((tx) =>
          tx.update(users).set({ inactiveNotice: null, inactiveDeletionAt: null }).where(eq(id, one.id)),
        );
      }
      return found.length;
    },
    async deletionOf(userId) {
      const [row] = await db.read.select({ deletionAt }).from(users).where(eq(id, userId));
      return row?.deletionAt ?? undefined;
    },
  };
}
