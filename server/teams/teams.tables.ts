/** Teams and their members. A person alone is a team of one. */

import { ROLES } from "../../shared/access.ts";
import type { TeamId, UserId } from "../../shared/ids.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { operational, personal } from "../privacy/tags.ts";

const activity = { use: ["essential.service.operations"], clause: "P1.4", retain: "account" } as const;

export function teamTables(k: Kit, { users }: ReturnType<typeof userTables>) {
  const teams = k.table(
    "teams",
    { owner: "team", subject: { none: "A team is not a person; members lead to people." }, clock: "createdAt" },
    {
      id: k.text(operational("team")).$type<TeamId>().primaryKey(),
      name: k.text(personal("user.content.private", { ...activity, rectify: "self", retain: "team" })).notNull(),
      createdAt: k.instant(operational("team")).notNull(),
    },
  );
  const teamMembers = k.table(
    "team_members",
    { owner: "user", subject: { column: "userId" }, clock: "joinedAt" },
    {
      teamId: k
        .text(operational("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      userId: k
        .text(personal("user.unique_id", activity))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      role: k.oneOf(ROLES, personal("user.behavior", activity)).notNull(),
      joinedAt: k.instant(personal("user.behavior", activity)).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.teamId, t.userId] }), k.index("team_members_user").on(t.userId)],
  );
  return { teams, teamMembers };
}
export type TeamTables = ReturnType<typeof teamTables>;
