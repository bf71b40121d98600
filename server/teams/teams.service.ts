/** Teams: members, roles and ownership. At least one owner at all times, whatever happens at once. */
import type { Role } from "../../shared/access.ts";
import type { TeamId, UserId } from "../../shared/ids.ts";
import type { TeamSummary, TeamView } from "../../shared/teams.ts";
import { PerchError } from "../errors.ts";
import type { Actor, TeamScope } from "./team-scope.ts";

export interface Teams {
  /** The person's teams, the oldest membership first. */
  list(actor: Actor): Promise<TeamSummary[]>;
  get(actor: Actor, scope: TeamScope): Promise<TeamView>;
  /** A new team owned by the person; the session works in it from now on. */
  create(actor: Actor, name: string): Promise<TeamSummary>;
  rename(scope: TeamScope, name: string): Promise<void>;
  /** Throws `not_found` for a team the person is not in. An API token stays in its team (`forbidden`). */
  switchTo(actor: Actor, teamId: TeamId): Promise<void>;
  /** Only a team without phones, and not a person's last one. */
  close(actor: Actor, scope: TeamScope): Promise<void>;
  requireSecondFactor(scope: TeamScope, required: boolean): Promise<void>;
  /** Nobody gives a role above their own, or changes one above theirs. */
  changeRole(actor: Actor, scope: TeamScope, userId: UserId, role: Role): Promise<void>;
  /** Ends what the member has going on in the team: streams, runs, tokens, tickets, invitations they sent. */
  removeMember(actor: Actor, scope: TeamScope, userId: UserId): Promise<void>;
  leave(actor: Actor, scope: TeamScope): Promise<void>;
  /** The other becomes owner, the caller admin. */
  transferOwnership(actor: Actor, scope: TeamScope, userId: UserId): Promise<void>;
}

export function createTeams(): Teams {
  return {
    list: later,
    get: later,
    create: later,
    rename: later,
    switchTo: later,
    close: later,
    requireSecondFactor: later,
    changeRole: later,
    removeMember: later,
    leave: later,
    transferOwnership: later,
  };
}

/** Not built yet. */
function later(): never {
  throw new PerchError("unavailable", "This part of the server is being built.");
}
