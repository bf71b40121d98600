/**
 * Invitations: by mail, bound to the address, with a role and an end; accepted once. Who invites vouches: an invitation
 * is good only while its sender may still give its role. Nothing tells whether the address has an account.
 */
import type { z } from "zod";
import { type Role, roleMay, roleReaches } from "../../shared/access.ts";
import { type InvitationId, newId, type TeamId } from "../../shared/ids.ts";
import type { InvitationView, inviteInput, ReceivedInvitation } from "../../shared/teams.ts";
import type { AccountsRepo } from "../accounts/accounts.repo.ts";
import type { Accounts } from "../accounts/accounts.service.ts";
import { lookupEmail } from "../accounts/identity-provider.ts";
import { momentWords } from "../accounts/moment-words.ts";
import { hashSecret, isSecret, newSecret } from "../accounts/secrets.ts";
import type { IssuedSession, Sessions } from "../accounts/sessions.service.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import type { RateLimiter } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import { invitationView, inviterWords, looksLikeAddress, receivedView } from "./invitation-view.ts";
import type { InvitationsRepo, OpenInvitation } from "./invitations.repo.ts";
import type { Actor, TeamScope } from "./team-scope.ts";
import type { TeamsRepo } from "./teams.repo.ts";

const DAY_MS = 24 * 60 * 60_000;
export const MAX_OPEN_INVITATIONS = 50;

/** What the page behind the link shows to whoever holds the token, and so reads the mailbox. */
export interface InvitationPage extends ReceivedInvitation {
  readonly email: string;
  /** Whether the address has an account to sign in with. */
  readonly hasAccount: boolean;
}

export interface Invitations {
  /** Sends the mail. The role is at most the inviter's. Tells nothing of whether the address has an account. */
  invite(scope: TeamScope, input: z.infer<typeof inviteInput>): Promise<InvitationView>;
  /** A new link and a new end; the earlier link stops working. Who sends it again vouches for it. */
  resend(scope: TeamScope, id: InvitationId): Promise<InvitationView>;
  withdraw(scope: TeamScope, id: InvitationId): Promise<void>;
  /** Open ones for the person's confirmed address. */
  received(actor: Actor): Promise<ReceivedInvitation[]>;
  /** Accepting again does nothing. A web session works in the team from then on, and what is connected through it. */
  accept(actor: Actor, id: InvitationId): Promise<void>;
  decline(actor: Actor, id: InvitationId): Promise<void>;
  /** The invitation behind a link; undefined when the link no longer works. Free of side effects. */
  behindLink(token: string): Promise<InvitationPage | undefined>;
  /** A new account for the invited address, which the token proves, and its membership; signs in. */
  acceptWithNewAccount(
    input: { token: string; password: string; fullName?: string | undefined },
    about: RequestInfo,
  ): Promise<IssuedSession>;
}

export function createInvitations(options: {
  db: Database;
  repo: InvitationsRepo;
  teams: TeamsRepo;
  people: AccountsRepo;
  accounts: Pick<Accounts, "createInvited">;
  sessions: Pick<Sessions, "setTeam">;
  mail: Mail;
  audit: Audit;
  limiter: RateLimiter;
  clock: Clock;
  publicUrl: URL;
  /** How many members the team's plan has room for. */
  seatsOf: (tx: Writer, teamId: TeamId) => Promise<number>;
}): Invitations {
  const { db, repo, teams, people, mail, audit, limiter, clock } = options;
  const record = (tx: Writer, teamId: string, actor: string, action: AuditAction, id: InvitationId, role?: Role) =>
    audit.record(tx, { chain: teamId, actor, action, object: id, ...(role && { detail: { role } }) });

  /** The sender's role as it is now. Throws when it does not reach. */
  async function demandReach(tx: Writer, scope: TeamScope, role: Role): Promise<void> {
    const mine = (await teams.listOfIn(tx, scope.userId)).find(({ id }) => id === scope.teamId)?.role;
    if (mine === undefined || !roleMay(mine, "team:manage") || !roleReaches(mine, role)) {
      throw new PerchError("forbidden", "You cannot invite somebody to a role above your own. Ask an owner.");
    }
  }

  /** Whether whoever sent it may still give its role. */
  async function isVouchedFor(tx: Writer, { invitedBy, teamId, role }: OpenInvitation): Promise<boolean> {
    if (invitedBy === null) return false;
    const theirs = (await teams.listOfIn(tx, invitedBy)).find(({ id }) => id === teamId)?.role;
    return theirs !== undefined && roleMay(theirs, "team:manage") && roleReaches(theirs, role);
  }

  async function limitMails(scope: TeamScope, email: string): Promise<void> {
    await limiter.take("invite", `team ${scope.teamId}`);
    await limiter.take("mail", `invitation ${email}`);
  }

  async function send(tx: Writer, invitation: OpenInvitation, token: string): Promise<void> {
    const link = new URL("/invite", options.publicUrl);
    link.searchParams.set("token", token);
    await mail.queue(tx, {
      kind: "invitation",
      recipient: invitation.emailShown,
      data: {
        teamName: invitation.teamName,
        invitedBy: inviterWords(invitation),
        role: ROLE_WORDS[invitation.role],
        expiresAt: momentWords(invitation.expiresAt),
        link: link.href,
      },
    });
  }

  async function findOpen(tx: Writer, scope: TeamScope, id: InvitationId): Promise<OpenInvitation> {
    const found = await repo.findOpenIn(tx, id);
    if (found?.teamId !== scope.teamId) {
      throw new PerchError("not_found", "There is no such open invitation in this team.");
    }
    return found;
  }

  /** An invitation the person may answer: theirs, open, in time, and vouched for. */
  async function answerable(tx: Writer, email: string, id: InvitationId): Promise<OpenInvitation> {
    const found = await repo.findOpenIn(tx, id);
    const isTheirs = found !== undefined && found.email === email && found.expiresAt.getTime() > clock.now();
    if (!isTheirs || !(await isVouchedFor(tx, found))) throw gone();
    return found;
  }

  async function join(tx: Writer, userId: Actor["userId"], invitation: OpenInvitation): Promise<void> {
    const { id, teamId, role } = invitation;
    if (!(await repo.accept(tx, id, userId, new Date(clock.now())))) throw gone();
    const isMember = (await teams.listOfIn(tx, userId)).some((team) => team.id === teamId);
    // Who is in already keeps the role they have: an old mail neither lifts nor lowers it.
    if (!isMember) {
      // Seats may have gone since it was sent.
      if ((await teams.membersIn(tx, teamId)).length >= (await options.seatsOf(tx, teamId))) {
        throw new PerchError("limit_reached", "This team has no seat free. Ask whoever invited you to add one.");
      }
      await teams.addMember(tx, teamId, userId, role);
    }
    await record(tx, teamId, userId, "team.joined", id, role);
  }

  async function addressOf(tx: Writer, actor: Actor): Promise<string> {
    if (actor.credential.kind === "token") {
      throw new PerchError("forbidden", "An API token stays in its team. Answer invitations as a person.");
    }
    const person = await people.findIn(tx, actor.userId);
    if (person === undefined) throw gone();
    return person.email;
  }

  return {
    async invite(scope, { email: emailShown, role, days }) {
      const email = lookupEmail(emailShown);
      await limitMails(scope, email);
      const token = newSecret();
      const id = newId("invitation");
      const view = await db.tx(async (tx) => {
        await demandReach(tx, scope, role);
        const team = await teams.findIn(tx, scope.teamId);
        if (team === undefined) throw new PerchError("not_found", "You are in no such team.");
        if (looksLikeAddress(team.name)) {
          const message = "This team's name reads like a web address, and mails with such names are taken for fraud.";
          throw new PerchError("bad_input", `${message} Rename the team, then invite.`);
        }
        const members = await teams.membersIn(tx, scope.teamId);
        if (members.some((member) => lookupEmail(member.email) === email)) {
          throw new PerchError("conflict", "This person is in the team already.");
        }
        const open = await repo.openOfIn(tx, scope.teamId);
        if (open.some((invitation) => invitation.email === email)) {
          throw new PerchError(
            "conflict",
            "This address is invited already. Send the invitation again or withdraw it.",
          );
        }
        if (open.length >= MAX_OPEN_INVITATIONS) {
          const message = `This team has ${open.length} open invitations, which is the most at once. Withdraw one first.`;
          throw new PerchError("limit_reached", message);
        }
        const seats = await options.seatsOf(tx, scope.teamId);
        if (members.length + open.length >= seats) {
          const message = `Your plan has ${seats} seats, and members and open invitations take them all.`;
          throw new PerchError("limit_reached", `${message} Add a seat under Billing, or withdraw an invitation.`);
        }
        const createdAt = new Date(clock.now());
        await repo.insert(tx, {
          ...{ id, teamId: scope.teamId, email, emailShown: emailShown.trim(), role, invitedBy: scope.userId },
          ...{ tokenHash: hashSecret(token), createdAt, expiresAt: new Date(clock.now() + days * DAY_MS) },
        });
        await record(tx, scope.teamId, scope.userId, "team.invited", id, role);
        const invitation = await findOpen(tx, scope, id);
        await send(tx, invitation, token);
        return invitationView(invitation, clock.now());
      });
      mail.wake();
      return view;
    },
    async resend(scope, id) {
      const { email } = await db.tx((tx) => findOpen(tx, scope, id));
      await limitMails(scope, email);
      const token = newSecret();
      const view = await db.tx(async (tx) => {
        const before = await findOpen(tx, scope, id);
        await demandReach(tx, scope, before.role);
        const createdAt = new Date(clock.now());
        const expiresAt = new Date(clock.now() + before.expiresAt.getTime() - before.createdAt.getTime());
        await repo.renew(tx, id, { tokenHash: hashSecret(token), invitedBy: scope.userId, createdAt, expiresAt });
        await record(tx, scope.teamId, scope.userId, "team.invitation_resent", id);
        const invitation = await findOpen(tx, scope, id);
        await send(tx, invitation, token);
        return invitationView(invitation, clock.now());
      });
      mail.wake();
      return view;
    },
    async withdraw(scope, id) {
      await db.tx(async (tx) => {
        const { role } = await findOpen(tx, scope, id);
        await demandReach(tx, scope, role);
        await repo.close(tx, id, new Date(clock.now()));
        await record(tx, scope.teamId, scope.userId, "team.invitation_withdrawn", id);
      });
    },
    async received(actor) {
      const open = await db.tx((tx) => openFor(tx, actor));
      return open.map(receivedView);
    },
    async accept(actor, id) {
      await db.tx(async (tx) => {
        const email = await addressOf(tx, actor);
        if ((await repo.acceptedBy(tx, id)) === actor.userId) return;
        const invitation = await answerable(tx, email, id);
        await join(tx, actor.userId, invitation);
        const { credential } = actor;
        if (credential.kind === "session" && credential.web) {
          await options.sessions.setTeam(tx, credential.id, invitation.teamId);
        }
      });
    },
    async decline(actor, id) {
      await db.tx(async (tx) => {
        const { teamId } = await answerable(tx, await addressOf(tx, actor), id);
        await repo.close(tx, id, new Date(clock.now()));
        await record(tx, teamId, actor.userId, "team.invitation_declined", id);
      });
    },
    behindLink: (token) =>
      db.tx(async (tx) => {
        const found = await byToken(tx, token);
        if (found === undefined) return undefined;
        const hasAccount = (await people.findByEmail(tx, found.email)) !== undefined;
        return { ...receivedView(found), email: found.emailShown, hasAccount };
      }),
    async acceptWithNewAccount({ token, password, fullName }, about) {
      const found = await db.tx((tx) => byToken(tx, token));
      if (found === undefined) throw gone();
      const session = await options.accounts.createInvited(
        { email: found.emailShown, password, fullName },
        about,
        async (tx, user, own) => {
          const invitation = await byToken(tx, token);
          if (invitation === undefined || invitation.id !== found.id) throw gone();
          await join(tx, user.id, invitation);
          await options.sessions.setTeam(tx, own, invitation.teamId);
        },
      );
      mail.wake();
      return session;
    },
  };

  async function openFor(tx: Writer, actor: Actor): Promise<OpenInvitation[]> {
    const found = await repo.openForIn(tx, await addressOf(tx, actor), new Date(clock.now()));
    const vouched: OpenInvitation[] = [];
    for (const invitation of found) if (await isVouchedFor(tx, invitation)) vouched.push(invitation);
    return vouched;
  }

  async function byToken(tx: Writer, token: string): Promise<OpenInvitation | undefined> {
    const found = isSecret(token) ? await repo.openByTokenIn(tx, hashSecret(token)) : undefined;
    const isGood = found !== undefined && found.expiresAt.getTime() > clock.now() && (await isVouchedFor(tx, found));
    return isGood ? found : undefined;
  }
}

/** What a role is for, in a mail to somebody who never saw the product. */
export const ROLE_WORDS = {
  owner: "Owner: everything, the team itself included",
  admin: "Admin: manages members and uses the phones",
  operator: "Operator: uses the phones",
  viewer: "Viewer: watches, changes nothing",
  billing: "Billing: sees the bill, not the phones",
} as const satisfies Record<Role, string>;

function gone(): PerchError {
  return new PerchError(
    "not_found",
    "This invitation has expired, was withdrawn or was answered already. Ask who invited you for a new one.",
  );
}
