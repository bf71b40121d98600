/** Roles in words, and who may give or change which. */
import { PERMISSIONS, type Permission, ROLES, type Role, roleMay } from "../../../../shared/access.ts";
import type { INVITATION_DAYS, MemberView } from "../../../../shared/teams.ts";

export const ROLE_WORDS = {
  owner: "Owner",
  admin: "Admin",
  operator: "Operator",
  viewer: "Viewer",
  billing: "Billing",
} as const satisfies Record<Role, string>;

export const ROLE_DETAILS = {
  owner: "Everything, and who else is an owner",
  admin: "Everything but ownership and closing the team",
  operator: "Uses phones and automations",
  viewer: "Watches phones and reads results",
  billing: "Sees bills, not phones",
} as const satisfies Record<Role, string>;

export const PERMISSION_WORDS = {
  "phones:view": "See phones, automations and runs",
  "phones:control": "Use phones, run and change automations",
  "phones:take": "Take a phone over, with notice",
  "team:view": "See who is in the team",
  "team:activity": "See what the team did",
  "team:manage": "Rename the team, invite, change roles, remove members",
  "team:own": "Owners, second factor for all, closing the team",
  "usage:view": "See how long phones ran",
  "billing:view": "See prices, balance and invoices",
  "billing:manage": "Buy, change, cancel, set budgets",
  "tokens:create": "Make API tokens",
} as const satisfies Record<Permission, string>;

/** Every permission with the roles that have it, from the table the server enforces. */
export function permissionMatrix(): readonly { permission: Permission; roles: readonly Role[] }[] {
  // The keys of the table are the permissions: it is declared so.
  return (Object.keys(PERMISSIONS) as Permission[]).map((permission) => ({
    permission,
    roles: ROLES.filter((role) => roleMay(role, permission)),
  }));
}

const rank = (role: Role) => ROLES.indexOf(role);

/** Nobody gives a role above their own. */
export function rolesToGive(mine: Role): readonly Role[] {
  return roleMay(mine, "team:manage") ? ROLES.filter((role) => rank(role) >= rank(mine)) : [];
}

/** Ownership is handed over by its own step, never by invitation. */
export function rolesToInvite(mine: Role): readonly Exclude<Role, "owner">[] {
  return rolesToGive(mine).filter((role) => role !== "owner");
}

/** Nobody changes or removes a role above their own; about oneself there is leaving. */
export function mayChange(mine: Role, member: MemberView): boolean {
  return !member.isMe && roleMay(mine, "team:manage") && rank(member.role) >= rank(mine);
}

type InvitationDays = (typeof INVITATION_DAYS)[number];
export const INVITATION_DAYS_WORDS = {
  1: "1 day",
  3: "3 days",
  7: "7 days",
  14: "14 days",
} as const satisfies Record<InvitationDays, string>;
