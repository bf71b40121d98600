/** Invitations. Open: neither accepted nor closed; an expired one is open until it is sent again or withdrawn. */
import { and, asc, eq, gt, isNull } from "drizzle-orm";
import type { InvitationId, TeamId, UserId } from "../../shared/ids.ts";
import type { INVITED_ROLES } from "../../shared/teams.ts";
import type { Database, Writer } from "../db/database.ts";

export interface OpenInvitation {
  readonly id: InvitationId;
  readonly teamId: TeamId;
  readonly teamName: string;
  /** As it is looked up; see `lookupEmail`. */
  readonly email: string;
  readonly emailShown: string;
  readonly role: (typeof INVITED_ROLES)[number];
  readonly invitedBy: UserId | null;
  readonly inviterName: string | null;
  readonly inviterEmail: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}
export interface NewInvitation extends Omit<OpenInvitation, "teamName" | "inviterName" | "inviterEmail" | "invitedBy"> {
  readonly invitedBy: UserId;
  readonly tokenHash: string;
}

export interface InvitationsRepo {
  insert(tx: Writer, invitation: NewInvitation): Promise<void>;
  /** Open ones of a team, the oldest first. */
  openOf(teamId: TeamId): Promise<OpenInvitation[]>;
  openOfIn(tx: Writer, teamId: TeamId): Promise<OpenInvitation[]>;
  /** Open and unexpired ones for an address. */
  openForIn(tx: Writer, email: string, now: Date): Promise<OpenInvitation[]>;
  openByTokenIn(tx: Writer, tokenHash: string): Promise<OpenInvitation | undefined>;
  findOpenIn(tx: Writer, id: InvitationId): Promise<OpenInvitation | undefined>;
  /** Who accepted it, when somebody did. */
  acceptedBy(tx: Writer, id: InvitationId): Promise<UserId | null>;
  renew(
    tx: Writer,
    id: InvitationId,
    to: { tokenHash: string; invitedBy: UserId; createdAt: Date; expiresAt: Date },
  ): Promise<void>;
  /** Gives whether it was open until now. */
  close(tx: Writer, id: InvitationId, at: Date): Promise<boolean>;
  accept(tx: Writer, id: InvitationId, by: UserId, at: Date): Promise<boolean>;
  /** Closes what a member sent; gives what was open. */
  withdrawSentBy(tx: Writer, teamId: TeamId, userId: UserId): Promise<InvitationId[]>;
}

export function createInvitationsRepo(db: Database, clock: { now(): number }): InvitationsRepo {
  const { teamInvitations: invitations, teams, users } = db.t;
  const isOpen = and(isNull(invitations.acceptedAt), isNull(invitations.closedAt));
  const open = (from: Pick<Writer, "select">, which: Parameters<typeof and>[number]) =>
    from
      .select({
        id: invitations.id,
        teamId: invitations.teamId,
        teamName: teams.name,
        email: invitations.email,
        emailShown: invitations.emailShown,
        role: invitations.role,
        invitedBy: invitations.invitedBy,
        inviterName: users.fullName,
        inviterEmail: users.emailShown,
        createdAt: invitations.createdAt,
        expiresAt: invitations.expiresAt,
      })
      .from(invitations)
      .innerJoin(teams, eq(teams.id, invitations.teamId))
      .leftJoin(users, and(eq(users.id, invitations.invitedBy), isNull(users.deletedAt)))
      .where(and(isOpen, which))
      .orderBy(asc(invitations.createdAt), asc(invitations.id));
  const endOpen = async (tx: Writer, which: Parameters<typeof and>[number], set: { closedAt: Date } | Accepted) => {
    const ended = await tx
      .update(invitations)
      .set({ ...set, tokenHash: null })
      .where(and(isOpen, which))
      .returning({ id: invitations.id });
    return ended.map(({ id }) => id);
  };
  return {
    async insert(tx, invitation) {
      await tx.insert(invitations).values({ ...invitation, emailIndex: invitation.email });
    },
    openOf: (teamId) => open(db.read, eq(invitations.teamId, teamId)),
    openOfIn: (tx, teamId) => open(tx, eq(invitations.teamId, teamId)),
    openForIn: (tx, email, now) => open(tx, and(eq(invitations.emailIndex, email), gt(invitations.expiresAt, now))),
    async openByTokenIn(tx, tokenHash) {
      const [found] = await open(tx, eq(invitations.tokenHash, tokenHash));
      return found;
    },
    async findOpenIn(tx, id) {
      const [found] = await open(tx, eq(invitations.id, id));
      return found;
    },
    async acceptedBy(tx, id) {
      const [row] = await tx.select({ by: invitations.acceptedBy }).from(invitations).where(eq(invitations.id, id));
      return row?.by ?? null;
    },
    async renew(tx, id, to) {
      await tx
        .update(invitations)
        .set(to)
        .where(and(isOpen, eq(invitations.id, id)));
    },
    close: async (tx, id, at) => (await endOpen(tx, eq(invitations.id, id), { closedAt: at })).length > 0,
    accept: async (tx, id, by, at) =>
      (await endOpen(tx, eq(invitations.id, id), { acceptedAt: at, acceptedBy: by })).length > 0,
    withdrawSentBy: (tx, teamId, userId) =>
      endOpen(tx, and(eq(invitations.teamId, teamId), eq(invitations.invitedBy, userId)), {
        closedAt: new Date(clock.now()),
      }),
  };
}

interface Accepted {
  readonly acceptedAt: Date;
  readonly acceptedBy: UserId;
}
