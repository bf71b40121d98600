/** Rows of what the operator tells everybody. */
import { and, asc, desc, eq, gt, lte } from "drizzle-orm";
import type { AnnouncementLevel } from "../../shared/announcements.ts";
import type { AnnouncementId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";

export interface AnnouncementRow {
  readonly id: AnnouncementId;
  readonly level: AnnouncementLevel;
  readonly text: string;
  readonly from: Date;
  readonly until: Date;
  readonly createdAt: Date;
}

export interface AnnouncementsRepo {
  insert(tx: Writer, row: AnnouncementRow): Promise<void>;
  /** False when there is no such one. */
  end(tx: Writer, id: AnnouncementId, at: Date): Promise<boolean>;
  /** Those in force, the oldest first. */
  at(moment: Date, limit: number): Promise<readonly AnnouncementRow[]>;
  /** All there are, the newest first. */
  all(limit: number): Promise<readonly AnnouncementRow[]>;
}

export function createAnnouncementsRepo(db: Database): AnnouncementsRepo {
  const { announcements } = db.t;
  return {
    async insert(tx, row) {
      await tx.insert(announcements).values(row);
    },
    async end(tx, id, at) {
      const rows = await tx
        .update(announcements)
        .set({ until: at })
        .where(and(eq(announcements.id, id), gt(announcements.until, at)))
        .returning({ id: announcements.id });
      return rows.length === 1;
    },
    at: (moment, limit) =>
      db.read
        .select()
        .from(announcements)
        .where(and(lte(announcements.from, moment), gt(announcements.until, moment)))
        .orderBy(asc(announcements.from))
        .limit(limit),
    all: (limit) => db.read.select().from(announcements).orderBy(desc(announcements.from)).limit(limit),
  };
}
