/** Erasures, their steps, the fence, and the teams of a person who goes. */
import { and, asc, eq, inArray, isNotNull, lt, lte, notInArray, or, type SQL, sql } from "drizzle-orm";
import { type ErasureId, newId, type TeamId, type UserId } from "../../../shared/ids.ts";
import type { ErasureState } from "../../../shared/privacy.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import { ERASED } from "../../db/sealed-fields.ts";
import type { Tables } from "../../db/tables.ts";
import type { UploadHome } from "../../files/upload-store.ts";
import type { Membership } from "./team-fates.ts";

export type ErasureRow = Tables["erasures"]["$inferSelect"];
export type StepRow = Tables["erasureSteps"]["$inferSelect"];
type ErasureChange = Partial<Omit<Tables["erasures"]["$inferInsert"], "id">>;

export interface LeavingPerson {
  readonly email: string;
  readonly emailShown: string;
  readonly fullName: string | null;
}

export interface ErasuresRepo {
  insert(tx: Writer, row: Omit<Tables["erasures"]["$inferInsert"], "id">): Promise<ErasureRow>;
  find(reader: Reader, id: ErasureId): Promise<ErasureRow | undefined>;
  /** In grace or at work. */
  live(reader: Reader, userId: UserId): Promise<ErasureRow | undefined>;
  byKey(reader: Reader, userId: UserId, key: string): Promise<ErasureRow | undefined>;
  byUndo(reader: Reader, hash: string): Promise<ErasureRow | undefined>;
  byCertificate(reader: Reader, hash: string): Promise<ErasureRow | undefined>;
  change(tx: Writer, id: ErasureId, from: ErasureState, change: ErasureChange): Promise<boolean>;
  /** Whose grace is over, and those begun. */
  due(now: Date): Promise<ErasureId[]>;
  addSteps(
    tx: Writer,
    id: ErasureId,
    steps: readonly { store: string; before: number | null; keptUntil: Date | null }[],
  ): Promise<void>;
  steps(id: ErasureId): Promise<StepRow[]>;
  stepDone(
    tx: Writer,
    id: ErasureId,
    store: string,
    at: Date,
    found: Partial<Pick<StepRow, "before" | "after" | "keptUntil">>,
  ): Promise<void>;
  stepFailed(tx: Writer, id: ErasureId, store: string, at: Date, late: boolean): Promise<void>;
  /** `teams`: closed with the person. */
  fence(tx: Writer, subject: UserId, since: Date, teams: readonly TeamId[]): Promise<void>;
  /** Everybody behind the fence whose erasure is done. */
  fenced(reader: Reader): Promise<{ readonly userId: UserId; readonly at: Date; readonly teams: readonly TeamId[] }[]>;
  dropFences(tx: Writer, before: Date): Promise<number>;
  dropCertificateLinks(tx: Writer, before: Date): Promise<number>;
  person(reader: Reader, userId: UserId): Promise<LeavingPerson | undefined>;
  /** Teams of the person with everybody else in them, the first to join first. */
  memberships(reader: Reader, userId: UserId): Promise<Membership[]>;
  phonesOf(teams: readonly TeamId[]): Promise<Tables["phones"]["$inferSelect"][]>;
  runsOf(teams: readonly TeamId[], after: string, limit: number): Promise<Tables["runs"]["$inferSelect"]["id"][]>;
  exportsOf(userId: UserId): Promise<Tables["dataExports"]["$inferSelect"]["id"][]>;
  /** Of the person, and of whoever sends to phones of these teams. */
  uploadsOf(userId: UserId, teams: readonly TeamId[]): Promise<UploadHome[]>;
  /** The state of the mail of this event; undefined when there is none. */
  mailState(dedupeKey: string): Promise<Tables["mailOutbox"]["$inferSelect"]["state"] | undefined>;
  /** Keeps a mail that stays here, and forgets whose it was. */
  unaddressMail(tx: Writer, dedupeKey: string): Promise<void>;
}

/** Stands where the address of the last mail stood. */
const NOBODY = "a deleted account";

export function createErasuresRepo(db: Database): ErasuresRepo {
  const {
    erasures,
    erasureSteps,
    erasureFence,
    users,
    teams,
    teamMembers,
    phones,
    runs,
    dataExports,
    mailOutbox,
    uploads,
  } = db.t;
  const one = async (reader: Reader, where: SQL | undefined) => {
    const [row] = await reader.select().from(erasures).where(where);
    return row;
  };
  const isStep = (id: ErasureId, store: string) => and(eq(erasureSteps.erasureId, id), eq(erasureSteps.store, store));
  const LIVE = ["grace", "purging"] as const;
  return {
    async insert(tx, row) {
      const [made] = await tx
        .insert(erasures)
        .values({ id: newId("erasure"), ...row })
        .returning();
      if (made === undefined) throw new Error("An inserted erasure was not returned.");
      return made;
    },
    find: (reader, id) => one(reader, eq(erasures.id, id)),
    live: (reader, userId) => one(reader, and(eq(erasures.userId, userId), inArray(erasures.state, LIVE))),
    byKey: (reader, userId, key) => one(reader, and(eq(erasures.userId, userId), eq(erasures.idempotencyKey, key))),
    byUndo: (reader, hash) => one(reader, and(eq(erasures.undoHash, hash), eq(erasures.state, "grace"))),
    byCertificate: (reader, hash) => one(reader, eq(erasures.certificateHash, hash)),
    async change(tx, id, from, change) {
      const rows = await tx
        .update(erasures)
        .set(change)
        .where(and(eq(erasures.id, id), eq(erasures.state, from)))
        .returning({ id: erasures.id });
      return rows.length === 1;
    },
    async due(now) {
      const rows = await db.read
        .select({ id: erasures.id })
        .from(erasures)
        .where(and(inArray(erasures.state, LIVE), lte(erasures.purgeAt, now)));
      return rows.map(({ id }) => id);
    },
    async addSteps(tx, id, steps) {
      for (const [position, step] of steps.entries()) {
        await tx.insert(erasureSteps).values({ erasureId: id, position, state: "waiting", ...step });
      }
    },
    steps: async (id) =>
      db.read.select().from(erasureSteps).where(eq(erasureSteps.erasureId, id)).orderBy(asc(erasureSteps.position)),
    async stepDone(tx, id, store, at, found) {
      await tx
        .update(erasureSteps)
        .set({ state: "done", doneAt: at, ...found })
        .where(isStep(id, store));
    },
    async stepFailed(tx, id, store, at, late) {
      await tx
        .update(erasureSteps)
        .set({
          ...(late && { state: "late" as const }),
          attempts: sql`${erasureSteps.attempts} + 1`,
          firstTriedAt: sql`coalesce(${erasureSteps.firstTriedAt}, ${sql.param(at, erasureSteps.firstTriedAt)})`,
        })
        .where(isStep(id, store));
    },
    async fence(tx, subject, since, teams) {
      await tx
        .insert(erasureFence)
        .values({ subject, since, teams })
        .onConflictDoNothing({ target: erasureFence.subject });
    },
    async fenced(reader) {
      const going = reader.select({ id: erasures.userId }).from(erasures).where(inArray(erasures.state, LIVE));
      const rows = await reader.select().from(erasureFence).where(notInArray(erasureFence.subject, going));
      // Only erasures put anybody behind the fence.
      return rows.map(({ subject, since, teams }) => ({ userId: subject as UserId, at: since, teams }));
    },
    async dropFences(tx, before) {
      const rows = await tx
        .delete(erasureFence)
        .where(lt(erasureFence.since, before))
        .returning({ subject: erasureFence.subject });
      return rows.length;
    },
    async dropCertificateLinks(tx, before) {
      const rows = await tx
        .update(erasures)
        .set({ certificateHash: null })
        .where(and(isNotNull(erasures.certificateHash), lt(erasures.doneAt, before)))
        .returning({ id: erasures.id });
      return rows.length;
    },
    async person(reader, userId) {
      const [row] = await reader
        .select({ email: users.email, emailShown: users.emailShown, fullName: users.fullName })
        .from(users)
        .where(eq(users.id, userId));
      // Their key is gone already: a backup that was put back does not say who they were.
      return row?.email === ERASED ? { email: "", emailShown: "", fullName: null } : row;
    },
    async memberships(reader, userId) {
      const mine = await reader
        .select({ teamId: teams.id, name: teams.name, role: teamMembers.role })
        .from(teamMembers)
        .innerJoin(teams, eq(teams.id, teamMembers.teamId))
        .where(eq(teamMembers.userId, userId))
        .orderBy(asc(teamMembers.joinedAt), asc(teams.id));
      const found: Membership[] = [];
      for (const team of mine) {
        const members = await reader
          .select({
            userId: users.id,
            fullName: users.fullName,
            email: users.emailShown,
            role: teamMembers.role,
            joinedAt: teamMembers.joinedAt,
            erasure: erasures.id,
          })
          .from(teamMembers)
          .innerJoin(users, eq(users.id, teamMembers.userId))
          .leftJoin(erasures, and(eq(erasures.userId, users.id), inArray(erasures.state, LIVE)))
          .where(eq(teamMembers.teamId, team.teamId))
          .orderBy(asc(teamMembers.joinedAt), asc(teamMembers.userId));
        const others = members
          .filter((member) => member.userId !== userId)
          .map(({ erasure, ...member }) => ({ ...member, isGoing: erasure !== null }));
        found.push({ ...team, others });
      }
      return found;
    },
    phonesOf: async (ids) =>
      ids.length === 0
        ? []
        : db.read
            .select()
            .from(phones)
            .where(inArray(phones.teamId, [...ids])),
    async runsOf(ids, after, limit) {
      if (ids.length === 0) return [];
      const rows = await db.read
        .select({ id: runs.id })
        .from(runs)
        .where(and(inArray(runs.teamId, [...ids]), sql`${runs.id} > ${after}`))
        .orderBy(asc(runs.id))
        .limit(limit);
      return rows.map(({ id }) => id);
    },
    async exportsOf(userId) {
      const rows = await db.read.select({ id: dataExports.id }).from(dataExports).where(eq(dataExports.userId, userId));
      return rows.map(({ id }) => id);
    },
    async uploadsOf(userId, ids) {
      return db.read
        .select({ id: uploads.id, teamId: uploads.teamId })
        .from(uploads)
        .where(or(eq(uploads.createdBy, userId), ids.length === 0 ? undefined : inArray(uploads.teamId, [...ids])));
    },
    async mailState(dedupeKey) {
      const [row] = await db.read
        .select({ state: mailOutbox.state })
        .from(mailOutbox)
        .where(eq(mailOutbox.dedupeKey, dedupeKey));
      return row?.state;
    },
    async unaddressMail(tx, dedupeKey) {
      await tx
        .update(mailOutbox)
        .set({ recipient: NOBODY, recipientIndex: null, userId: null })
        .where(eq(mailOutbox.dedupeKey, dedupeKey));
    },
  };
}
