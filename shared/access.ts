/** Roles, permissions and scopes: one table, enforced by the server and shown by the product. */

/** The most powerful first. */
export const ROLES = ["owner", "admin", "operator", "viewer", "billing"] as const;
export type Role = (typeof ROLES)[number];

/** Whether who has `role` may give `other`, or change who has it: roles stand in order of power, one's own included. */
export function roleReaches(role: Role, other: Role): boolean {
  return ROLES.indexOf(role) <= ROLES.indexOf(other);
}

/** What an API token may do. A person's own sessions hold all of them. */
export const SCOPES = ["phones:view", "phones:control", "account", "team", "privacy", "billing"] as const;
export type Scope = (typeof SCOPES)[number];

/** What a team member may do with the team's things. Billing people see the bill, not the phones. */
export const PERMISSIONS = {
  "phones:view": ["owner", "admin", "operator", "viewer"],
  "phones:control": ["owner", "admin", "operator"],
  /** Takes a phone from whoever drives it, with notice. */
  "phones:take": ["owner", "admin"],
  /** Who is in the team and what their roles are. */
  "team:view": ["owner", "admin", "operator", "viewer", "billing"],
  /** Who launched, drove, ran and changed what. */
  "team:activity": ["owner", "admin", "operator", "viewer"],
  /** Name, invitations, roles below one's own, removal. */
  "team:manage": ["owner", "admin"],
  /** Owners, ownership, the rule that a second factor is needed, closing the team. */
  "team:own": ["owner"],
  /** How long phones ran; what it cost is shown only with `billing:view`. */
  "usage:view": ["owner", "admin", "operator", "viewer", "billing"],
  /** Prices, balance, invoices. */
  "billing:view": ["owner", "admin", "billing"],
  /** Buys, changes and cancels; allows overage, sets budgets. */
  "billing:manage": ["owner", "billing"],
  /** API tokens of one's own in this team. */
  "tokens:create": ["owner", "admin", "operator"],
} as const satisfies Record<string, readonly Role[]>;
export type Permission = keyof typeof PERMISSIONS;

export function roleMay(role: Role, permission: Permission): boolean {
  const allowed: readonly Role[] = PERMISSIONS[permission];
  return allowed.includes(role);
}

/** The permission without which a scope is of no use; the others are about the person, whatever their role. */
const SCOPE_PERMISSIONS: Readonly<Partial<Record<Scope, Permission>>> = {
  "phones:view": "phones:view",
  "phones:control": "phones:control",
  team: "team:view",
  billing: "usage:view",
};

/** The scopes a role may ever use: what an API token of such a member can be given. */
export function scopesOf(role: Role): Scope[] {
  return SCOPES.filter((scope) => {
    const needed = SCOPE_PERMISSIONS[scope];
    return needed === undefined || roleMay(role, needed);
  });
}
