/** Teams and members. */
import { and, asc, eq, inArray, isNotNull, isNull, ne } from "drizzle-orm";
import type { Role } from "../../shared/access.ts";
import { assurance, SIGN_IN_METHODS } from "../../shared/accounts.ts";
import {
  type ApiTokenId,
  type CredentialId,
  newId,
  type SessionId,
  type TeamId,
  type UserId,
} from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { readStanding } from "../privacy/preferences/standing.repo.ts";
import type { AccountStanding } from "./team-scope.ts";

export interface TeamOfMember {
  readonly id: TeamId;
  readonly name: string;
  readonly role: Role;
}
export interface Member {
  readonly userId: UserId;
  readonly fullName: string | null;
  readonly email: string;
  readonly role: Role;
  readonly joinedAt: Date;
}
export interface TeamRow {
  readonly id: TeamId;
  readonly name: string;
  readonly requireSecondFactor: boolean;
}

export interface TeamsRepo {
  /** A new team with the person alone in it, as its owner. */
  createPersonal(tx: Writer, userId: UserId, name: string): Promise<TeamId>;
  /** The person's teams, the oldest membership first. */
  listOf(userId: UserId): Promise<TeamOfMember[]>;
  /** The same inside a transaction. */
  listOfIn(tx: Writer, userId: UserId): Promise<TeamOfMember[]>;
  /** Whether anything may be done for the person. */
  /** With `teamId` for what they do in that team. */
  standingOf(userId: UserId, teamId?: TeamId): Promise<AccountStanding>;
  find(id: TeamId): Promise<TeamRow | undefined>;
  findIn(tx: Writer, id: TeamId): Promise<TeamRow | undefined>;
  /** The first to join first. */
  members(id: TeamId): Promise<Member[]>;
  membersIn(tx: Writer, id: TeamId): Promise<Member[]>;
  /** Members who have a passkey or an app's codes. */
  withSecondFactor(id: TeamId): Promise<ReadonlySet<UserId>>;
  addMember(tx: Writer, id: TeamId, userId: UserId, role: Role): Promise<void>;
  setRole(tx: Writer, id: TeamId, userId: UserId, role: Role): Promise<void>;
  removeMember(tx: Writer, id: TeamId, userId: UserId): Promise<void>;
  rename(tx: Writer, id: TeamId, name: string): Promise<void>;
  requireSecondFactor(tx: Writer, id: TeamId, required: boolean): Promise<void>;
  /** Whether a phone of the team is anywhere, be it only as data that waits to be wiped. */
  hasPhones(tx: Writer, id: TeamId): Promise<boolean>;
  /** With all that belongs to it. */
  delete(tx: Writer, id: TeamId): Promise<void>;
  /** Ends the member's API tokens of the team; gives those it ended. */
  revokeTokens(tx: Writer, id: TeamId, userId: UserId): Promise<ApiTokenId[]>;
  /** Takes back the screen tickets of a member, or of one credential, for the team's phones. */
  dropTickets(tx: Writer, id: TeamId, of: { userId: UserId } | { credentialId: CredentialId }): Promise<void>;
  /** Live sessions of members that were opened without a second factor. */
  sessionsWithoutSecondFactor(tx: Writer, id: TeamId): Promise<SessionId[]>;
}

const WITHOUT_SECOND_FACTOR = SIGN_IN_METHODS.filter((method) => assurance(method) === 1);

export function createTeamsRepo(db: Database, clock: Clock): TeamsRepo {
  const { teams, teamMembers, users, phones, apiTokens, streamTickets, sessions, totpFactors, passkeys } = db.t;
  type From = Pick<Writer, "select">;
  const list = (from: From, userId: UserId) =>
    from
      .select({ id: teams.id, name: teams.name, role: teamMembers.role })
      .from(teamMembers)
      .innerJoin(teams, eq(teams.id, teamMembers.teamId))
      .where(eq(teamMembers.userId, userId))
      .orderBy(asc(teamMembers.joinedAt), asc(teams.id));
  const find = async (from: From, id: TeamId) => {
    const [team] = await from
      .select({ id: teams.id, name: teams.name, requireSecondFactor: teams.requireSecondFactor })
      .from(teams)
      .where(eq(teams.id, id));
    return team;
  };
  const members = (from: From, id: TeamId) =>
    from
      .select({
        userId: teamMembers.userId,
        fullName: users.fullName,
        email: users.emailShown,
        role: teamMembers.role,
        joinedAt: teamMembers.joinedAt,
      })
      .from(teamMembers)
      .innerJoin(users, and(eq(users.id, teamMembers.userId), isNull(users.deletedAt)))
      .where(eq(teamMembers.teamId, id))
      .orderBy(asc(teamMembers.joinedAt), asc(teamMembers.userId));
  const isMember = (id: TeamId, userId: UserId) => and(eq(teamMembers.teamId, id), eq(teamMembers.userId, userId));
  return {
    async createPersonal(tx, userId, name) {
      const id = newId("team");
      const now = new Date(clock.now());
      await tx.insert(teams).values({ id, name, createdAt: now });
      await tx.insert(teamMembers).values({ teamId: id, userId, role: "owner", joinedAt: now });
      return id;
    },
    listOf: (userId) => list(db.read, userId),
    listOfIn: (tx, userId) => list(tx, userId),
    standingOf: (userId, teamId) => readStanding(db.read, db.t, userId, teamId),
    find: (id) => find(db.read, id),
    findIn: find,
    members: (id) => members(db.read, id),
    membersIn: members,
    async withSecondFactor(id) {
      const ofTeam = eq(teamMembers.teamId, id);
      const withCodes = await db.read
        .select({ userId: totpFactors.userId })
        .from(totpFactors)
        .innerJoin(teamMembers, and(ofTeam, eq(teamMembers.userId, totpFactors.userId)))
        .where(isNotNull(totpFactors.confirmedAt));
      const withPasskeys = await db.read
        .selectDistinct({ userId: passkeys.userId })
        .from(passkeys)
        .innerJoin(teamMembers, and(ofTeam, eq(teamMembers.userId, passkeys.userId)));
      return new Set([...withCodes, ...withPasskeys].map(({ userId }) => userId));
    },
    async addMember(tx, id, userId, role) {
      await tx.insert(teamMembers).values({ teamId: id, userId, role, joinedAt: new Date(clock.now()) });
    },
    async setRole(tx, id, userId, role) {
      await tx.update(teamMembers).set({ role }).where(isMember(id, userId));
    },
    async removeMember(tx, id, userId) {
      await tx.delete(teamMembers).where(isMember(id, userId));
    },
    async rename(tx, id, name) {
      await tx.update(teams).set({ name }).where(eq(teams.id, id));
    },
    async requireSecondFactor(tx, id, required) {
      await tx.update(teams).set({ requireSecondFactor: required }).where(eq(teams.id, id));
    },
    async hasPhones(tx, id) {
      return (await tx.select({ id: phones.id }).from(phones).where(eq(phones.teamId, id)).limit(1)).length > 0;
    },
    async delete(tx, id) {
      await tx.delete(teams).where(eq(teams.id, id));
    },
    async revokeTokens(tx, id, userId) {
      const revoked = await tx
        .update(apiTokens)
        .set({ revokedAt: new Date(clock.now()) })
        .where(and(eq(apiTokens.teamId, id), eq(apiTokens.createdBy, userId), isNull(apiTokens.revokedAt)))
        .returning({ id: apiTokens.id });
      return revoked.map((token) => token.id);
    },
    async dropTickets(tx, id, of) {
      const theirs =
        "userId" in of ? eq(streamTickets.userId, of.userId) : eq(streamTickets.credentialId, of.credentialId);
      await tx.delete(streamTickets).where(and(eq(streamTickets.teamId, id), theirs));
    },
    async sessionsWithoutSecondFactor(tx, id) {
      const rows = await tx
        .select({ id: sessions.id })
        .from(sessions)
        .innerJoin(teamMembers, and(eq(teamMembers.teamId, id), eq(teamMembers.userId, sessions.userId)))
        .where(
          and(isNull(sessions.endedAt), inArray(sessions.method, WITHOUT_SECOND_FACTOR), ne(sessions.kind, "api")),
        );
      return rows.map((session) => session.id);
    },
  };
}
