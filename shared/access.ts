/** Roles and scopes, as enforced by the server and shown by the product. */
export const ROLES = ["owner", "admin", "operator", "viewer", "billing"] as const;
export type Role = (typeof ROLES)[number];

/** What a session or token may do; a person's own sessions from the web hold all of them. */
export const SCOPES = ["phones:view", "phones:control", "account", "privacy"] as const;
export type Scope = (typeof SCOPES)[number];

/** What a team member may do with the team's things. Billing people see the bill, not the phones. */
export const PERMISSIONS = {
  "phones:view": ["owner", "admin", "operator", "viewer"],
  "phones:control": ["owner", "admin", "operator"],
  "team:manage": ["owner", "admin"],
} as const satisfies Record<string, readonly Role[]>;
export type Permission = keyof typeof PERMISSIONS;

export function roleMay(role: Role, permission: Permission): boolean {
  const allowed: readonly Role[] = PERMISSIONS[permission];
  return allowed.includes(role);
}
