import { describe, expect, it } from "vitest";
import { PERMISSIONS, ROLES, type Role } from "../../../../shared/access.ts";
import { newId } from "../../../../shared/ids.ts";
import type { MemberView } from "../../../../shared/teams.ts";
import { mayChange, permissionMatrix, rolesToGive, rolesToInvite } from "./role-words.ts";

const member = (role: Role, isMe = false): MemberView => ({
  userId: newId("user"),
  name: "Ben",
  email: "ben@example.org",
  role,
  joinedAt: "",
  isMe,
});

describe("roles in a team", () => {
  it("are shown exactly as the table says that the server enforces", () => {
    expect(Object.fromEntries(permissionMatrix().map(({ permission, roles }) => [permission, roles]))).toEqual(
      Object.fromEntries(Object.entries(PERMISSIONS)),
    );
  });

  it("are given up to one's own, and ownership by no invitation", () => {
    expect(rolesToGive("owner")).toEqual(ROLES);
    expect(rolesToGive("admin")).toEqual(["admin", "operator", "viewer", "billing"]);
    for (const role of ["operator", "viewer", "billing"] as const) expect(rolesToGive(role)).toEqual([]);
    for (const role of ROLES) expect(rolesToInvite(role)).not.toContain("owner");
  });

  it("are changed up to one's own, and never one's own", () => {
    expect(mayChange("admin", member("owner"))).toBe(false);
    expect(mayChange("admin", member("admin"))).toBe(true);
    expect(mayChange("owner", member("owner"))).toBe(true);
    expect(mayChange("owner", member("owner", true))).toBe(false);
    expect(mayChange("operator", member("billing"))).toBe(false);
  });
});
