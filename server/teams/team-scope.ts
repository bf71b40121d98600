/** Who acts, and for which team. A `TeamScope` is made in one place (`base.router.ts`, after checking) and repos demand one. */
import type { Permission, Role, Scope } from "../../shared/access.ts";
import { roleMay } from "../../shared/access.ts";
import type { SignInMethod } from "../../shared/accounts.ts";
import type { ApiTokenId, Branded, SessionId, TeamId, UserId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";

/** How long a proof of who one is counts for what needs a fresh one. */
export const STEP_UP_MS = 10 * 60_000;

/** For an actor who lacks the second factor their team asks for. */
export function secondFactorRefusal(): PerchError {
  return new PerchError(
    "second_factor_required",
    "This team asks for a second factor. Add a passkey or an app's codes under Account, then confirm that it is you.",
  );
}

/** A signed-in caller: a session of a person, or an API token of one. */
export interface Actor {
  readonly credential:
    | { readonly kind: "session"; readonly id: SessionId; readonly web: boolean }
    | { readonly kind: "token"; readonly id: ApiTokenId };
  readonly userId: UserId;
  readonly teamId: TeamId;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  /** When the person last proved who they are. */
  readonly authenticatedAt: Date;
  /** How; an API token proves nothing about a person. */
  readonly method: SignInMethod | undefined;
  /** The team asks for a second factor and this session was opened without one. */
  readonly lacksSecondFactor: boolean;
  /** When the credential stops working unless it is used. */
  readonly expiresAt: Date;
}

export type TeamScope = Branded<{ readonly teamId: TeamId; readonly userId: UserId }, "TeamScope">;

/** The scope of an actor whose role has the permission; `undefined` when it has not. */
export function teamScope(
  actor: Pick<Actor, "teamId" | "userId" | "role">,
  permission: Permission,
): TeamScope | undefined {
  if (!roleMay(actor.role, permission)) return undefined;
  return { teamId: actor.teamId, userId: actor.userId } as TeamScope;
}

/**
 * For work of the server that a person asked for earlier, such as a schedule: the person's scope as of now, `undefined`
 * when there is no such person, they left the team, or their role may not do it any more.
 */
export type StandingScope = (teamId: TeamId, userId: UserId | null) => Promise<TeamScope | undefined>;

export function createStandingScope(teams: {
  listOf(userId: UserId): Promise<readonly { readonly id: TeamId; readonly role: Role }[]>;
}): StandingScope {
  return async (teamId, userId) => {
    if (userId === null) return undefined;
    const team = (await teams.listOf(userId)).find(({ id }) => id === teamId);
    return team && teamScope({ teamId, userId, role: team.role }, "phones:control");
  };
}
