/** Archives of phones in the database. For the machine itself: nobody is asked for. */
import { and, eq, inArray, ne } from "drizzle-orm";
import type { PhoneId, TeamId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";

export interface PhoneArchivesRepo {
  /** Whose the phone is, and its archive where it has one. Undefined when there is no such phone. */
  find(id: PhoneId): Promise<{ readonly teamId: TeamId; readonly archive: string | undefined } | undefined>;
  /** The archive holds what the phone keeps now, if it is still there. */
  set(tx: Writer, id: PhoneId, archive: string, at: Date): Promise<boolean>;
  drop(tx: Writer, id: PhoneId): Promise<void>;
  /** Which of these phones are there. */
  known(ids: readonly PhoneId[]): Promise<ReadonlySet<PhoneId>>;
}

/** Rows of one statement; engines bound the values it may carry. */
const AT_ONCE = 500;

export function createPhoneArchivesRepo(db: Database): PhoneArchivesRepo {
  const { phones, phoneArchives } = db.t;
  return {
    async find(id) {
      const [row] = await db.read
        .select({ teamId: phones.teamId, archive: phoneArchives.archive })
        .from(phones)
        .leftJoin(phoneArchives, eq(phoneArchives.phoneId, phones.id))
        .where(eq(phones.id, id));
      return row && { teamId: row.teamId, archive: row.archive ?? undefined };
    },
    async set(tx, phoneId, archive, archivedAt) {
      const [phone] = await tx
        .select({ id: phones.id })
        .from(phones)
        .where(and(eq(phones.id, phoneId), ne(phones.state, "removed")));
      if (phone === undefined) return false;
      await tx.delete(phoneArchives).where(eq(phoneArchives.phoneId, phoneId));
      await tx.insert(phoneArchives).values({ phoneId, archive, archivedAt });
      return true;
    },
    async drop(tx, id) {
      await tx.delete(phoneArchives).where(eq(phoneArchives.phoneId, id));
    },
    async known(ids) {
      const found = new Set<PhoneId>();
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const rows = await db.read
          .select({ id: phones.id })
          .from(phones)
          .where(and(inArray(phones.id, ids.slice(at, at + AT_ONCE)), ne(phones.state, "removed")));
        for (const { id } of rows) found.add(id);
      }
      return found;
    },
  };
}
