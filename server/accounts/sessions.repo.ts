/** Session rows. The look-up by token is prepared once: it stands in front of every call. */
import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lt, lte, ne, or, sql } from "drizzle-orm";
import type { Role } from "../../shared/access.ts";
import type { SessionKind, SignInMethod } from "../../shared/accounts.ts";
import { newId, type SessionId, type TeamId, type UserId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";
import { isOpenErasure, standingOf } from "../privacy/preferences/standing.repo.ts";
import type { AccountStanding } from "../teams/team-scope.ts";

export interface SessionRow {
  readonly id: SessionId;
  readonly kind: SessionKind;
  readonly method: SignInMethod;
  readonly createdAt: Date;
  readonly seenAt: Date;
  readonly idleExpiresAt: Date;
  readonly absoluteExpiresAt: Date;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly timeZone: string | null;
}
export interface NewSession extends Omit<SessionRow, "id"> {
  readonly tokenHash: string;
  readonly userId: UserId;
  /** The team it works in; empty: the person's oldest. */
  readonly teamId: TeamId | null;
  readonly authenticatedAt: Date;
}
export interface FoundSession extends SessionRow {
  readonly userId: UserId;
  readonly authenticatedAt: Date;
  readonly endedAt: Date | null;
  readonly teamId: TeamId;
  readonly role: Role;
  /** Whether this team asks its members for a second factor. */
  readonly requireSecondFactor: boolean;
  readonly standing: AccountStanding;
}
/** Which sessions of a person: one, all but one, or all. */
export type WhichSessions = { readonly id: SessionId } | { readonly except: SessionId } | "all";
/** What a person did to show who they are, and when. */
export interface Proof {
  readonly authenticatedAt: Date;
  readonly method: SignInMethod;
  /** Where: from then on that is where the session is at home. */
  readonly about?: { readonly ip: string; readonly userAgent: string } | undefined;
}
export interface SessionsRepo {
  insert(tx: Writer, session: NewSession): Promise<SessionId>;
  findByToken(tokenHash: string): Promise<FoundSession | undefined>;
  /** Live or ended, with the team it works in or, without one, the person's oldest. */
  findById(id: SessionId): Promise<Pick<FoundSession, "userId" | "teamId" | "userAgent"> | undefined>;
  /** Everything still valid, the last used first. */
  listLive(userId: UserId, now: Date): Promise<SessionRow[]>;
  /** User agents and addresses the person's sessions had, ended ones too (as long as they are kept). */
  listSeen(tx: Writer, userId: UserId): Promise<{ ip: string | null; userAgent: string | null }[]>;
  /** Where the person's sessions were used that told their time zone, ended ones too (as long as they are kept). */
  listPlaces(
    tx: Writer,
    userId: UserId,
  ): Promise<{ ip: string | null; userAgent: string | null; timeZone: string | null }[]>;
  /** The session has to prove anew who uses it. */
  forgetProof(tx: Writer, id: SessionId): Promise<void>;
  touch(
    tx: Writer,
    session: { readonly id: SessionId; readonly userId: UserId },
    seen: { at: Date; idleExpiresAt: Date; ip: string | null; userAgent: string | null },
  ): Promise<void>;
  /** Gives whether the session was the person's and live. */
  replaceToken(tx: Writer, userId: UserId, id: SessionId, tokenHash: string, proof: Proof): Promise<boolean>;
  /** The person was here on that day; takes back every notice that they were not. */
  noteDay(tx: Writer, userId: UserId, day: Date): Promise<void>;
  setTeam(tx: Writer, id: SessionId, teamId: TeamId): Promise<void>;
  /**
   * Ends those of the person that are live and meant; gives the ids that ended by this call. Codes of the connect flow
   * that were not used yet end with them: one of these sessions may have approved them.
   */
  end(tx: Writer, userId: UserId, which: WhichSessions, at: Date): Promise<SessionId[]>;
  /** Whether there is something for `endExpired`. */
  someExpired(at: Date): Promise<boolean>;
  /** Ends what ran out before `at`, at most `limit` sessions; gives their ids. */
  endExpired(tx: Writer, at: Date, limit: number): Promise<SessionId[]>;
  /** A sign-in with a second factor shows that it is not lost: recoveries under way end. */
  dropRecoveries(tx: Writer, userId: UserId): Promise<void>;
}

export function createSessionsRepo(db: Database): SessionsRepo {
  const { sessions, users, teams, teamMembers, connectCodes, oneTimeTokens, privacyPreferences, erasures } = db.t;
  const row = {
    id: sessions.id,
    kind: sessions.kind,
    method: sessions.method,
    createdAt: sessions.createdAt,
    seenAt: sessions.seenAt,
    idleExpiresAt: sessions.idleExpiresAt,
    absoluteExpiresAt: sessions.absoluteExpiresAt,
    ip: sessions.ip,
    userAgent: sessions.userAgent,
    timeZone: sessions.timeZone,
  };
  const workingTeamFirst = [
    asc(sql`case when ${teamMembers.teamId} = ${sessions.teamId} then 0 else 1 end`),
    asc(teamMembers.joinedAt),
    asc(teamMembers.teamId),
  ];
  // No `limit`: SQLite plans a statement anew for every value bound to one (measured: 41 instead of 6 µs a look-up),
  // and a hash has one credential with a handful of teams.
  const sessionByToken = db.read
    .select({
      ...row,
      userId: sessions.userId,
      authenticatedAt: sessions.authenticatedAt,
      endedAt: sessions.endedAt,
      teamId: teamMembers.teamId,
      role: teamMembers.role,
      requireSecondFactor: teams.requireSecondFactor,
      restrictedAt: privacyPreferences.restrictedAt,
      erasureId: erasures.id,
      suspendedAt: users.suspendedAt,
      teamSuspendedAt: teams.suspendedAt,
    })
    .from(sessions)
    .innerJoin(users, and(eq(users.id, sessions.userId), isNull(users.deletedAt)))
    .innerJoin(teamMembers, eq(teamMembers.userId, sessions.userId))
    .innerJoin(teams, eq(teams.id, teamMembers.teamId))
    .leftJoin(privacyPreferences, eq(privacyPreferences.userId, sessions.userId))
    .leftJoin(erasures, isOpenErasure(erasures, sessions.userId))
    .where(eq(sessions.tokenHash, sql.placeholder("tokenHash")))
    .orderBy(...workingTeamFirst)
    .prepare();

  /** The idle end is never after the absolute one. */
  const ranOut = (at: Date) => and(isNull(sessions.endedAt), lte(sessions.idleExpiresAt, at));

  return {
    async insert(tx, session) {
      const id = newId("session");
      await tx.insert(sessions).values({ ...(await db.keys.row(tx, sessions, session)), id });
      return id;
    },
    async findByToken(tokenHash) {
      const [found] = await sessionByToken.execute({ tokenHash });
      return found && { ...found, standing: standingOf(found) };
    },
    async findById(id) {
      const [found] = await db.read
        .select({ userId: sessions.userId, teamId: teamMembers.teamId, userAgent: sessions.userAgent })
        .from(sessions)
        .innerJoin(teamMembers, eq(teamMembers.userId, sessions.userId))
        .where(eq(sessions.id, id))
        .orderBy(...workingTeamFirst);
      return found;
    },
    async listLive(userId, now) {
      return db.read
        .select(row)
        .from(sessions)
        .where(
          and(
            eq(sessions.userId, userId),
            isNull(sessions.endedAt),
            gt(sessions.idleExpiresAt, now),
            gt(sessions.absoluteExpiresAt, now),
          ),
        )
        .orderBy(desc(sessions.seenAt), asc(sessions.id));
    },
    async listSeen(tx, userId) {
      return tx
        .select({ ip: sessions.ip, userAgent: sessions.userAgent })
        .from(sessions)
        .where(eq(sessions.userId, userId));
    },
    async listPlaces(tx, userId) {
      return tx
        .select({ ip: sessions.ip, userAgent: sessions.userAgent, timeZone: sessions.timeZone })
        .from(sessions)
        .where(and(eq(sessions.userId, userId), isNotNull(sessions.timeZone)));
    },
    async forgetProof(tx, id) {
      await tx
        .update(sessions)
        .set({ authenticatedAt: new Date(0) })
        .where(eq(sessions.id, id));
    },
    async touch(tx, { id, userId }, { at, idleExpiresAt, ip, userAgent }) {
      const where = await db.keys.row(tx, sessions, { ip, userAgent }, userId);
      await tx
        .update(sessions)
        .set({ seenAt: at, idleExpiresAt, ...where })
        .where(and(eq(sessions.id, id), isNull(sessions.endedAt)));
    },
    async replaceToken(tx, userId, id, tokenHash, { authenticatedAt, method, about }) {
      const where = about && { ip: about.ip, userAgent: about.userAgent };
      const replaced = await tx
        .update(sessions)
        .set({ tokenHash, authenticatedAt, method, ...(where && (await db.keys.row(tx, sessions, where, userId))) })
        .where(and(eq(sessions.id, id), eq(sessions.userId, userId), isNull(sessions.endedAt)))
        .returning({ id: sessions.id });
      return replaced.length > 0;
    },
    async noteDay(tx, userId, day) {
      const { lastSeenAt, inactiveDeletionAt } = users;
      const isNews = or(isNull(lastSeenAt), lt(lastSeenAt, day), isNotNull(inactiveDeletionAt));
      await tx
        .update(users)
        .set({ lastSeenAt: day, inactiveNotice: null, inactiveDeletionAt: null })
        .where(and(eq(users.id, userId), isNews));
    },
    async setTeam(tx, id, teamId) {
      await tx.update(sessions).set({ teamId }).where(eq(sessions.id, id));
    },
    async end(tx, userId, which, at) {
      const meant =
        which === "all" ? undefined : "id" in which ? eq(sessions.id, which.id) : ne(sessions.id, which.except);
      const ended = await tx
        .update(sessions)
        .set({ endedAt: at })
        .where(and(eq(sessions.userId, userId), isNull(sessions.endedAt), meant))
        .returning({ id: sessions.id, idle: sessions.idleExpiresAt, absolute: sessions.absoluteExpiresAt });
      await tx.delete(connectCodes).where(and(eq(connectCodes.userId, userId), isNull(connectCodes.usedAt)));
      return ended.filter(({ idle, absolute }) => idle > at && absolute > at).map(({ id }) => id);
    },
    async someExpired(at) {
      return (await db.read.select({ id: sessions.id }).from(sessions).where(ranOut(at)).limit(1)).length > 0;
    },
    async endExpired(tx, at, limit) {
      const out = tx.select({ id: sessions.id }).from(sessions).where(ranOut(at)).limit(limit);
      const ended = await tx
        .update(sessions)
        .set({ endedAt: at })
        .where(inArray(sessions.id, out))
        .returning({ id: sessions.id });
      return ended.map(({ id }) => id);
    },
    async dropRecoveries(tx, userId) {
      await tx.delete(oneTimeTokens).where(and(eq(oneTimeTokens.kind, "recovery"), eq(oneTimeTokens.userId, userId)));
    },
  };
}
