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

/**
 * `restricted`: the person had the use of their data stopped (Art. 18 GDPR). `closing`: the account is being deleted.
 * `suspended`: an operator suspended the account or the team.
 */
export type AccountStanding = "active" | "restricted" | "suspended" | "closing";

/** For an actor whose data is only kept, not used. */
export function standingRefusal(standing: Exclude<AccountStanding, "active">): PerchError {
  if (standing === "suspended") {
    return new PerchError(
      "held_for_review",
      "An operator of this server suspended your account or this team. Read why, and say if it is wrong, under Account, Standing.",
    );
  }
  return standing === "closing"
    ? new PerchError(
        "account_closing",
        "This account is being deleted. To use it again, take the deletion back under Privacy.",
      )
    : new PerchError(
        "processing_restricted",
        "You had the use of your data stopped, so nothing runs for you. Allow it again under Privacy.",
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
  /** Anything but `active`: rights about one's own data and account stay, everything in teams is refused. */
  readonly standing: AccountStanding;
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

/** For what the server itself has to end in a team; its entries in the audit log name nobody. */
export function serverScope(teamId: TeamId): TeamScope {
  return { teamId, userId: "server" } as unknown as TeamScope;
}

/** For work that another node of this server asks for, which has checked who may. */
export function nodeScope(teamId: TeamId, userId: UserId): TeamScope {
  return { teamId, userId } as TeamScope;
}

/**
 * For work of the server that a person asked for earlier, such as a schedule: the person's scope as of now, `undefined`
 * when there is no such person, they left the team, their role may not do it any more, or their data is only kept.
 */
export type StandingScope = (teamId: TeamId, userId: UserId | null) => Promise<TeamScope | undefined>;

export function createStandingScope(teams: {
  listOf(userId: UserId): Promise<readonly { readonly id: TeamId; readonly role: Role }[]>;
  standingOf(userId: UserId, teamId: TeamId): Promise<AccountStanding>;
}): StandingScope {
  return async (teamId, userId) => {
    if (userId === null || (await teams.standingOf(userId, teamId)) !== "active") return undefined;
    const team = (await teams.listOf(userId)).find(({ id }) => id === teamId);
    return team && teamScope({ teamId, userId, role: team.role }, "phones:control");
  };
}
