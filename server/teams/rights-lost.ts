/**
 * What ends when a member leaves a team or gets a role that may do less: what they have going on there rests on the
 * right they lost. All of it in the transaction that takes the right away.
 */
import { type Permission, type Role, roleMay } from "../../shared/access.ts";
import type { TeamId, UserId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Writer } from "../db/database.ts";
import type { AccessChange, AccessChanges } from "./access-changes.ts";
import type { InvitationsRepo } from "./invitations.repo.ts";
import type { TeamScope } from "./team-scope.ts";
import type { TeamsRepo } from "./teams.repo.ts";

export interface RoleChange {
  readonly teamId: TeamId;
  readonly userId: UserId;
  readonly from: Role;
  /** Absent: they are no member any more. */
  readonly to?: Role;
}

/** Ends a member's running runs, asked by whoever the scope names; what it gives is called after the commit. */
export type RunsEnd = (tx: Writer, by: TeamScope, userId: UserId) => Promise<() => void>;

export interface RightsLost {
  /** Ends what the change takes the right from. Call what it gives after the commit. */
  apply(tx: Writer, by: TeamScope, change: RoleChange): Promise<() => void>;
  /** How the runs of a member are ended; automations are made after teams. */
  endRunsWith(end: RunsEnd): void;
}

export function createRightsLost(options: {
  teams: TeamsRepo;
  invitations: Pick<InvitationsRepo, "withdrawSentBy">;
  audit: Audit;
  changes: AccessChanges;
}): RightsLost {
  const { teams, invitations, audit, changes } = options;
  let endRuns: RunsEnd = async () => () => {};
  return {
    async apply(tx, by, { teamId, userId, from, to }) {
      const lost = (permission: Permission) =>
        roleMay(from, permission) && (to === undefined || !roleMay(to, permission));
      const record = (action: "token.revoked" | "team.invitation_withdrawn", object: string) =>
        audit.record(tx, { chain: teamId, actor: by.userId, action, object });
      await teams.dropTickets(tx, teamId, { userId });
      if (lost("tokens:create")) {
        for (const id of await teams.revokeTokens(tx, teamId, userId)) await record("token.revoked", id);
      }
      if (lost("team:manage")) {
        for (const id of await invitations.withdrawSentBy(tx, teamId, userId)) {
          await record("team.invitation_withdrawn", id);
        }
      }
      const runsEnded = lost("phones:control") ? await endRuns(tx, by, userId) : undefined;
      const change: AccessChange = { kind: "member", teamId, userId, ...(to !== undefined && { role: to }) };
      await changes.announce(tx, change);
      return () => {
        runsEnded?.();
        changes.tell(change);
      };
    },
    endRunsWith(end) {
      endRuns = end;
    },
  };
}
