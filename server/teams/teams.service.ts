/**
 * Teams: members, roles and ownership. At least one owner at all times, whatever happens at once: every rule is checked
 * in the serializable transaction that makes the change, against the roles as they are there.
 */
import { type Role, roleMay, roleReaches } from "../../shared/access.ts";
import { assurance } from "../../shared/accounts.ts";
import type { TeamId, UserId } from "../../shared/ids.ts";
import type { MemberView, TeamSummary, TeamView } from "../../shared/teams.ts";
import { momentWords } from "../accounts/moment-words.ts";
import type { Sessions } from "../accounts/sessions.service.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { AccessChange, AccessChanges } from "./access-changes.ts";
import { invitationView } from "./invitation-view.ts";
import type { InvitationsRepo } from "./invitations.repo.ts";
import type { RightsLost } from "./rights-lost.ts";
import { type Actor, STEP_UP_MS, type TeamScope } from "./team-scope.ts";
import type { Member, TeamsRepo } from "./teams.repo.ts";

/** Teams one person may own: each brings its own share of phones. */
export const MAX_OWNED_TEAMS = 10;

export interface Teams {
  /** The person's teams, the oldest membership first. An API token knows its own team alone. */
  list(actor: Actor): Promise<TeamSummary[]>;
  get(actor: Actor, scope: TeamScope): Promise<TeamView>;
  /** A new team owned by the person; the session works in it from now on. */
  create(actor: Actor, name: string): Promise<TeamSummary>;
  rename(scope: TeamScope, name: string): Promise<void>;
  /** Throws `not_found` for a team the person is not in. An API token stays in its team (`forbidden`). */
  switchTo(actor: Actor, teamId: TeamId): Promise<void>;
  /** Only a team without phones, and not a person's last one. */
  close(actor: Actor, scope: TeamScope): Promise<void>;
  /** Switched on only by somebody whose own session has a second factor, else they would lock themselves out. */
  requireSecondFactor(actor: Actor, scope: TeamScope, required: boolean): Promise<void>;
  /** Nobody gives a role above their own, or changes one above theirs; what touches owners needs a fresh proof. */
  changeRole(actor: Actor, scope: TeamScope, userId: UserId, role: Role): Promise<void>;
  /** Ends what the member has going on in the team: streams, runs, tokens, tickets, invitations they sent. */
  removeMember(actor: Actor, scope: TeamScope, userId: UserId): Promise<void>;
  leave(actor: Actor, scope: TeamScope): Promise<void>;
  /** The other becomes owner, the caller admin. */
  transferOwnership(actor: Actor, scope: TeamScope, userId: UserId): Promise<void>;
}

export function createTeams(options: {
  db: Database;
  repo: TeamsRepo;
  invitations: InvitationsRepo;
  sessions: Pick<Sessions, "setTeam">;
  rightsLost: Pick<RightsLost, "apply">;
  changes: AccessChanges;
  mail: Mail;
  audit: Audit;
  clock: Clock;
  publicUrl: URL;
  /** Ends what the team pays for, before it goes. */
  closes: (tx: Writer, teamId: TeamId) => Promise<void>;
}): Teams {
  const { db, repo, invitations, sessions, rightsLost, changes, mail, audit, clock } = options;
  const record = (tx: Writer, scope: TeamScope, action: AuditAction, object: string, detail?: Record<string, string>) =>
    audit.record(tx, { chain: scope.teamId, actor: scope.userId, action, object, ...(detail && { detail }) });
  const now = () => momentWords(new Date(clock.now()));

  /** Both members as they are now. Throws when the caller may not touch the other. */
  async function callerAndOther(tx: Writer, scope: TeamScope, userId: UserId) {
    const members = await repo.membersIn(tx, scope.teamId);
    const caller = members.find((member) => member.userId === scope.userId);
    const other = members.find((member) => member.userId === userId);
    if (caller === undefined || !roleMay(caller.role, "team:manage")) {
      throw new PerchError("forbidden", "Your role in this team may not do that any more. Ask an owner or admin.");
    }
    if (other === undefined) throw new PerchError("not_found", "There is no such member in this team.");
    if (!roleReaches(caller.role, other.role)) {
      throw new PerchError("forbidden", "Admins cannot change owners. Ask an owner.");
    }
    return { members, caller, other };
  }

  function demandAnotherOwner(members: readonly Member[], without: UserId, sentence: string): void {
    const another = members.some(({ userId, role }) => role === "owner" && userId !== without);
    if (!another) throw new PerchError("conflict", sentence);
  }

  function demandFreshProof(actor: Actor): void {
    if (actor.credential.kind === "token") {
      throw new PerchError("forbidden", "An API token may not change owners. Sign in as a person.");
    }
    if (clock.now() - actor.authenticatedAt.getTime() > STEP_UP_MS) {
      throw new PerchError("step_up_required", "Confirm that it is you.");
    }
  }

  /** Takes a member out with all that rests on it. A person whose last team this was gets one of their own. */
  async function takeOut(tx: Writer, scope: TeamScope, member: Member): Promise<() => void> {
    await repo.removeMember(tx, scope.teamId, member.userId);
    await ensureTeam(tx, member);
    const { teamId } = scope;
    return rightsLost.apply(tx, scope, { teamId, userId: member.userId, from: member.role });
  }

  async function ensureTeam(tx: Writer, { userId, fullName, email }: Member): Promise<void> {
    if ((await repo.listOfIn(tx, userId)).length > 0) return;
    const id = await repo.createPersonal(tx, userId, fullName ?? email.split("@")[0] ?? email);
    await audit.record(tx, { chain: id, actor: "server", action: "team.created", object: id });
  }

  async function tellRemoved(tx: Writer, team: { name: string }, { userId, email }: Member): Promise<void> {
    const data = { teamName: team.name, at: now() };
    await mail.queue(tx, { kind: "removed_from_team", userId, recipient: email, data });
  }

  async function tellOwners(tx: Writer, scope: TeamScope, owners: readonly Member[], to: string): Promise<void> {
    const team = await present(tx, scope);
    const supportLink = new URL("/support", options.publicUrl).href;
    for (const { userId, email } of owners) {
      const data = { teamName: team.name, to, at: now(), supportLink };
      await mail.queue(tx, { kind: "ownership_transferred", userId, recipient: email, data });
    }
  }

  async function present(tx: Writer, { teamId }: TeamScope) {
    const team = await repo.findIn(tx, teamId);
    if (team === undefined) throw noSuchTeam();
    return team;
  }

  /** What the session had going on in the team it worked in ends. */
  async function moveSession(tx: Writer, actor: Actor, to: TeamId): Promise<AccessChange | undefined> {
    const { credential, teamId } = actor;
    if (credential.kind === "token") {
      throw new PerchError("forbidden", "An API token stays in its team. Make one in the other team.");
    }
    await sessions.setTeam(tx, credential.id, to);
    if (to === teamId) return undefined;
    await repo.dropTickets(tx, teamId, { credentialId: credential.id });
    const change: AccessChange = { kind: "session", teamId, sessionId: credential.id };
    await changes.announce(tx, change);
    return change;
  }
  const tell = (change: AccessChange | undefined) => change && changes.tell(change);

  return {
    async list(actor) {
      const teams = await repo.listOf(actor.userId);
      const known = actor.credential.kind === "token" ? teams.filter(({ id }) => id === actor.teamId) : teams;
      return known.map((team) => ({ ...team, current: team.id === actor.teamId }));
    },
    async get(actor, scope) {
      const team = await repo.find(scope.teamId);
      if (team === undefined) throw noSuchTeam();
      const manages = roleMay(actor.role, "team:manage");
      const [members, protectedOnes, open] = await Promise.all([
        repo.members(team.id),
        manages ? repo.withSecondFactor(team.id) : undefined,
        manages ? invitations.openOf(team.id) : [],
      ]);
      return {
        ...team,
        role: actor.role,
        members: members.map((member): MemberView => {
          const { userId, email, role } = member;
          return {
            ...{ userId, email, role, name: shownName(member), joinedAt: member.joinedAt.toISOString() },
            isMe: userId === actor.userId,
            ...(protectedOnes && { hasSecondFactor: protectedOnes.has(userId) }),
          };
        }),
        invitations: open.map((invitation) => invitationView(invitation, clock.now())),
      };
    },
    async create(actor, name) {
      const { team, moved } = await db.tx(async (tx) => {
        const owned = (await repo.listOfIn(tx, actor.userId)).filter(({ role }) => role === "owner");
        if (owned.length >= MAX_OWNED_TEAMS) {
          const message = `You own ${owned.length} teams, which is the most one person may. Close one first.`;
          throw new PerchError("limit_reached", message);
        }
        const id = await repo.createPersonal(tx, actor.userId, name);
        await audit.record(tx, { chain: id, actor: actor.userId, action: "team.created", object: id });
        return { team: id, moved: await moveSession(tx, actor, id) };
      });
      tell(moved);
      return { id: team, name, role: "owner", current: true };
    },
    async rename(scope, name) {
      await db.tx(async (tx) => {
        await present(tx, scope);
        await repo.rename(tx, scope.teamId, name);
        await record(tx, scope, "team.renamed", scope.teamId);
      });
    },
    async switchTo(actor, teamId) {
      const moved = await db.tx(async (tx) => {
        const isMember = (await repo.listOfIn(tx, actor.userId)).some(({ id }) => id === teamId);
        if (!isMember && actor.credential.kind === "session") throw noSuchTeam();
        return moveSession(tx, actor, teamId);
      });
      tell(moved);
    },
    async close(actor, scope) {
      const done = await db.tx(async (tx) => {
        const { teamId } = scope;
        const team = await present(tx, scope);
        const members = await repo.membersIn(tx, teamId);
        if (members.find(({ userId }) => userId === actor.userId)?.role !== "owner") {
          throw new PerchError("forbidden", "Only an owner closes a team.");
        }
        if ((await repo.listOfIn(tx, actor.userId)).length === 1) throw lastTeam("closed");
        if (await repo.hasPhones(tx, teamId)) {
          throw new PerchError("conflict", "This team still has phones. Remove them first; then close it.");
        }
        const ends: (() => void)[] = [];
        for (const member of members) {
          ends.push(await takeOut(tx, scope, member));
          if (member.userId !== actor.userId) await tellRemoved(tx, team, member);
        }
        await record(tx, scope, "team.closed", teamId);
        await options.closes(tx, teamId);
        await repo.delete(tx, teamId);
        return ends;
      });
      for (const end of done) end();
      mail.wake();
    },
    async requireSecondFactor(actor, scope, required) {
      if (required && (actor.method === undefined || assurance(actor.method) === 1)) {
        throw new PerchError(
          "conflict",
          "You signed in without a second factor, so this would lock you out of your own team. Add a passkey or an app's codes under Account, confirm that it is you with it, then switch this on.",
        );
      }
      const weak = await db.tx(async (tx) => {
        const before = await present(tx, scope);
        if (before.requireSecondFactor === required) return [];
        await repo.requireSecondFactor(tx, scope.teamId, required);
        await record(tx, scope, "team.second_factor_required", scope.teamId, { required: String(required) });
        const ids = required ? await repo.sessionsWithoutSecondFactor(tx, scope.teamId) : [];
        const affected = ids.map((sessionId): AccessChange => ({ kind: "session", teamId: scope.teamId, sessionId }));
        for (const change of affected) {
          if (change.kind === "session") await repo.dropTickets(tx, scope.teamId, { credentialId: change.sessionId });
          await changes.announce(tx, change);
        }
        return affected;
      });
      weak.forEach(tell);
    },
    async changeRole(actor, scope, userId, role) {
      const end = await db.tx(async (tx) => {
        const { members, caller, other } = await callerAndOther(tx, scope, userId);
        if (!roleReaches(caller.role, role)) {
          throw new PerchError("forbidden", `Your own role is ${caller.role}; you cannot give the role ${role}.`);
        }
        if (other.role === role) return undefined;
        if (role === "owner" || other.role === "owner") demandFreshProof(actor);
        if (other.role === "owner") {
          const who = userId === scope.userId ? "You are" : `${shownName(other)} is`;
          const sentence = `${who} the only owner, and a team needs one. Make somebody else owner first.`;
          demandAnotherOwner(members, userId, sentence);
        }
        await repo.setRole(tx, scope.teamId, userId, role);
        await record(tx, scope, "team.role_changed", userId, { from: other.role, to: role });
        if (role === "owner") {
          const owners = members.filter((member) => member.role === "owner");
          await tellOwners(tx, scope, [...owners, other], `${shownName(other)}, beside the owners before`);
        }
        return rightsLost.apply(tx, scope, { teamId: scope.teamId, userId, from: other.role, to: role });
      });
      end?.();
      mail.wake();
    },
    async removeMember(actor, scope, userId) {
      if (userId === scope.userId) {
        throw new PerchError("bad_input", "To take yourself out of the team, leave it.");
      }
      const end = await db.tx(async (tx) => {
        const { other } = await callerAndOther(tx, scope, userId);
        if (other.role === "owner") demandFreshProof(actor);
        await record(tx, scope, "team.member_removed", userId);
        await tellRemoved(tx, await present(tx, scope), other);
        return takeOut(tx, scope, other);
      });
      end();
      mail.wake();
    },
    async leave(actor, scope) {
      if (actor.credential.kind === "token") {
        throw new PerchError("forbidden", "An API token cannot leave a team. Revoke the token instead.");
      }
      const end = await db.tx(async (tx) => {
        const members = await repo.membersIn(tx, scope.teamId);
        const me = members.find(({ userId }) => userId === scope.userId);
        if (me === undefined) throw noSuchTeam();
        if ((await repo.listOfIn(tx, scope.userId)).length === 1) throw lastTeam("left");
        if (me.role === "owner") {
          const sentence = "You are the only owner, and a team needs one. Make somebody else owner first, or close it.";
          demandAnotherOwner(members, me.userId, sentence);
        }
        await record(tx, scope, "team.left", scope.userId);
        return takeOut(tx, scope, me);
      });
      end();
    },
    async transferOwnership(actor, scope, userId) {
      demandFreshProof(actor);
      const ends = await db.tx(async (tx) => {
        const { members, caller, other } = await callerAndOther(tx, scope, userId);
        if (caller.role !== "owner") throw new PerchError("forbidden", "Only an owner gives a team to somebody else.");
        if (userId === scope.userId) throw new PerchError("bad_input", "You own this team already.");
        const { teamId } = scope;
        await repo.setRole(tx, teamId, userId, "owner");
        await repo.setRole(tx, teamId, scope.userId, "admin");
        await record(tx, scope, "team.ownership_transferred", userId);
        const owners = members.filter((member) => member.role === "owner" && member.userId !== userId);
        await tellOwners(tx, scope, [...owners, other], shownName(other));
        return [
          await rightsLost.apply(tx, scope, { teamId, userId, from: other.role, to: "owner" }),
          await rightsLost.apply(tx, scope, { teamId, userId: scope.userId, from: "owner", to: "admin" }),
        ];
      });
      for (const end of ends) end();
      mail.wake();
    },
  };
}

/** As other members know a person. */
export function shownName({ fullName, email }: Pick<Member, "fullName" | "email">): string {
  return fullName ?? email;
}

function noSuchTeam(): PerchError {
  return new PerchError("not_found", "You are in no such team.");
}

function lastTeam(verb: "left" | "closed"): PerchError {
  return new PerchError("conflict", `This is your only team and cannot be ${verb}: every person has a team.`);
}
