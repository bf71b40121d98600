/** Announced versions of the policy, and who got which notice. */
import { and, asc, count, eq, inArray, isNull, lte, sql } from "drizzle-orm";
import type { UserId } from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";

export type AnnouncedVersion = Database["t"]["policyVersions"]["$inferSelect"];
export type NoticeRow = Database["t"]["policyNotices"]["$inferSelect"];
export type NoticeMoment = "shownAt" | "acknowledgedAt" | "objectedAt";

export interface PolicyRepo {
  announced(reader?: Reader): Promise<AnnouncedVersion[]>;
  announce(tx: Writer, version: number, at: Date): Promise<void>;
  setStart(tx: Writer, version: number, noticedAt: Date, effectiveAt: Date): Promise<void>;
  /** Accounts there were at the announcement and that have no notice yet. */
  unnoticed(tx: Writer, version: AnnouncedVersion, limit: number): Promise<{ userId: UserId; email: string }[]>;
  /** `mailFailedAt` is set from the start where no mail leaves the server. */
  queueNotices(
    tx: Writer,
    version: number,
    people: readonly UserId[],
    dates: Pick<NoticeRow, "queuedAt" | "mailFailedAt">,
  ): Promise<void>;
  /** What became of mails since, some at a time. */
  settled(version: number, limit: number): Promise<{ userId: UserId; state: "sent" | "failed"; at: Date | null }[]>;
  setMailed(tx: Writer, version: number, userId: UserId, outcome: Partial<NoticeRow>): Promise<void>;
  /** Of the accounts there were at the announcement: how many have no notice that arrived, and when the last one did. */
  progress(version: AnnouncedVersion): Promise<{ waiting: number; lastAt: Date | null }>;
  counts(version: number): Promise<{ people: number; mailed: number; failed: number; shown: number; objected: number }>;
  noticeOf(userId: UserId, version: number): Promise<NoticeRow | undefined>;
  /** Writes the moment down unless one stands there. Makes the notice of who came after the announcement. */
  mark(tx: Writer, userId: UserId, version: number, moment: NoticeMoment, at: Date): Promise<void>;
}

export const policyNoticeKey = (version: number, userId: UserId) => `policy:${version}:${userId}`;

export function createPolicyRepo(db: Database): PolicyRepo {
  const { policyVersions, policyNotices, users, mailOutbox } = db.t;
  const ofPerson = (userId: UserId, version: number) =>
    and(eq(policyNotices.userId, userId), eq(policyNotices.version, version));
  const ofVersion = (version: number) => and(eq(policyNotices.version, version), eq(policyNotices.userId, users.id));
  return {
    announced: async (reader = db.read) => reader.select().from(policyVersions).orderBy(asc(policyVersions.version)),
    async announce(tx, version, at) {
      await tx.insert(policyVersions).values({ version, announcedAt: at });
    },
    async setStart(tx, version, noticedAt, effectiveAt) {
      await tx.update(policyVersions).set({ noticedAt, effectiveAt }).where(eq(policyVersions.version, version));
    },
    unnoticed: async (tx, { version, announcedAt }, limit) =>
      tx
        .select({ userId: users.id, email: users.email })
        .from(users)
        .leftJoin(policyNotices, ofVersion(version))
        .where(and(lte(users.createdAt, announcedAt), isNull(users.deletedAt), isNull(policyNotices.userId)))
        .limit(limit),
    async queueNotices(tx, version, people, dates) {
      if (people.length === 0) return;
      await tx.insert(policyNotices).values(people.map((userId) => ({ version, userId, ...dates })));
    },
    async settled(version, limit) {
      const key = sql`${`policy:${version}:`} || ${policyNotices.userId}`;
      const rows = await db.read
        .select({ userId: policyNotices.userId, state: mailOutbox.state, at: mailOutbox.sentAt })
        .from(policyNotices)
        .innerJoin(mailOutbox, sql`${mailOutbox.dedupeKey} = ${key}`)
        .where(
          and(
            eq(policyNotices.version, version),
            ...[isNull(policyNotices.mailedAt), isNull(policyNotices.mailFailedAt)],
            inArray(mailOutbox.state, ["sent", "failed"]),
          ),
        )
        .limit(limit);
      return rows.flatMap(({ userId, state, at }) => (state === "waiting" ? [] : [{ userId, state, at }]));
    },
    async setMailed(tx, version, userId, outcome) {
      await tx.update(policyNotices).set(outcome).where(ofPerson(userId, version));
    },
    async progress({ version, announcedAt }) {
      const arrived = sql`coalesce(${policyNotices.mailedAt}, ${policyNotices.mailFailedAt}, ${policyNotices.shownAt})`;
      const [row] = await db.read
        .select({
          people: count(),
          told: sql<number>`count(${arrived})`.mapWith(Number),
          lastAt: sql<Date | null>`max(${arrived})`.mapWith(policyNotices.queuedAt),
        })
        .from(users)
        .leftJoin(policyNotices, ofVersion(version))
        .where(and(lte(users.createdAt, announcedAt), isNull(users.deletedAt)));
      return { waiting: (row?.people ?? 0) - (row?.told ?? 0), lastAt: row?.lastAt ?? null };
    },
    async counts(version) {
      const [row] = await db.read
        .select({
          people: count(),
          mailed: count(policyNotices.mailedAt),
          failed: count(policyNotices.mailFailedAt),
          shown: count(policyNotices.shownAt),
          objected: count(policyNotices.objectedAt),
        })
        .from(policyNotices)
        .where(eq(policyNotices.version, version));
      return row ?? { people: 0, mailed: 0, failed: 0, shown: 0, objected: 0 };
    },
    async noticeOf(userId, version) {
      const [row] = await db.read.select().from(policyNotices).where(ofPerson(userId, version));
      return row;
    },
    async mark(tx, userId, version, moment, at) {
      const known = await tx
        .update(policyNotices)
        .set({ [moment]: sql`coalesce(${policyNotices[moment]}, ${sql.param(at, policyNotices[moment])})` })
        .where(ofPerson(userId, version))
        .returning({ version: policyNotices.version });
      if (known.length > 0) return;
      // Seen is told: who came after the announcement reads of both versions when they sign up.
      await tx.insert(policyNotices).values({ version, userId, queuedAt: at, shownAt: at, [moment]: at });
    },
  };
}
