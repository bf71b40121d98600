/** Teams as both sides see them: members, invitations, and the inputs of `teams.*`. */
import { z } from "zod";
import { ROLES, type Role } from "./access.ts";
import { email } from "./accounts.ts";
import { type InvitationId, invitationId, type TeamId, teamId, type UserId, userId } from "./ids.ts";

export const teamName = z.string().trim().min(1, "Give the team a name.").max(60, "Use at most 60 characters.");
/** Ownership is not given by invitation: see `teams.transferOwnership`. */
export const INVITED_ROLES = ["admin", "operator", "viewer", "billing"] as const satisfies readonly Role[];
export const INVITATION_DAYS = [1, 3, 7, 14] as const;

export const createTeamInput = z.strictObject({ name: teamName });
export const renameTeamInput = z.strictObject({ name: teamName });
export const switchTeamInput = z.strictObject({ teamId });
export const inviteInput = z.strictObject({
  email,
  role: z.enum(INVITED_ROLES),
  days: z.union(INVITATION_DAYS.map((days) => z.literal(days))),
});
export const invitationRef = z.strictObject({ invitationId });
export const changeRoleInput = z.strictObject({ userId, role: z.enum(ROLES) });
export const memberRef = z.strictObject({ userId });
export const requireSecondFactorInput = z.strictObject({ required: z.boolean() });

/** One row of `teams.list`. */
export interface TeamSummary {
  readonly id: TeamId;
  readonly name: string;
  readonly role: Role;
  /** The one this session works in. */
  readonly current: boolean;
}

export interface MemberView {
  readonly userId: UserId;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly joinedAt: string;
  readonly isMe: boolean;
  /** Whether a passkey or an app's codes are set up. Told to who may manage the team. */
  readonly hasSecondFactor?: boolean;
}

export interface InvitationView {
  readonly id: InvitationId;
  readonly email: string;
  readonly role: Role;
  readonly invitedBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly expired: boolean;
}

/** Answer of `teams.get`: the team this session works in. */
export interface TeamView {
  readonly id: TeamId;
  readonly name: string;
  readonly role: Role;
  readonly requireSecondFactor: boolean;
  readonly members: readonly MemberView[];
  /** Open ones; empty for who may not manage the team. */
  readonly invitations: readonly InvitationView[];
}

/** One row of `teams.myInvitations`: teams that wait for this person's answer. */
export interface ReceivedInvitation {
  readonly id: InvitationId;
  readonly teamName: string;
  readonly role: Role;
  readonly invitedBy: string;
  readonly expiresAt: string;
}
