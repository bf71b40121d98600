/** Teams and their members. A person alone is a team of one. */

import { ROLES } from "../../shared/access.ts";
import type { InvitationId, TeamId, UserId } from "../../shared/ids.ts";
import { INVITED_ROLES } from "../../shared/teams.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { fingerprint, ofTeam, operational, person, personal, secret } from "../privacy/tags.ts";

const activity = { use: ["essential.service.operations"], clause: "P1.4", retain: "account" } as const;

export function teamTables(k: Kit, { users }: ReturnType<typeof userTables>) {
  const teams = k.table(
    "teams",
    { owner: "team", subject: { none: "A team is not a person; members lead to people." }, clock: "createdAt" },
    {
      id: k.text(ofTeam("team")).$type<TeamId>().primaryKey(),
      /** At first the name of the person whose it is. */
      name: k
        .sealed(
          "teams.name",
          "server",
          personal("user.content.private", { ...activity, rectify: "self", retain: "team" }),
        )
        .notNull(),
      createdAt: k.instant(operational("team")).notNull(),
      /** Members who signed in with a password alone get no further than being told so (ASVS 6.3.3). */
      requireSecondFactor: k.bool(operational("team")).notNull().default(false),
    },
  );
  const teamMembers = k.table(
    "team_members",
    { owner: "user", subject: { column: "userId" }, clock: "joinedAt" },
    {
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      userId: k
        .text(person(activity))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      role: k.oneOf(ROLES, personal("user.behavior", activity)).notNull(),
      joinedAt: k.instant(personal("user.behavior", activity)).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.teamId, t.userId] }), k.index("team_members_user").on(t.userId)],
  );
  const teamInvitations = k.table(
    "team_invitations",
    { owner: "team", subject: { column: "emailIndex" }, clock: "createdAt" },
    {
      id: k.text(operational("quarter")).$type<InvitationId>().primaryKey(),
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** Lower-cased and NFC: only who confirmed this address may accept. */
      email: k
        .sealed("team_invitations.email", "server", personal("user.contact.email", { ...activity, retain: "quarter" }))
        .notNull(),
      emailIndex: k.fingerprint("email", fingerprint({ ...activity, retain: "quarter" })),
      emailShown: k
        .sealed(
          "team_invitations.emailShown",
          "server",
          personal("user.contact.email", { ...activity, retain: "quarter" }),
        )
        .notNull(),
      role: k.oneOf(INVITED_ROLES, personal("user.behavior", { ...activity, retain: "quarter" })).notNull(),
      /** SHA-256 of the token in the link; empty once the invitation is no longer open. */
      tokenHash: k.text(secret("user.authorization.credentials", "quarter")),
      invitedBy: k
        .text(person({ ...activity, retain: "quarter", erase: "reattribute" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      createdAt: k.instant(personal("user.behavior", { ...activity, retain: "quarter" })).notNull(),
      expiresAt: k.instant(operational("quarter")).notNull(),
      acceptedAt: k.instant(personal("user.behavior", { ...activity, retain: "quarter" })),
      acceptedBy: k
        .text(person({ ...activity, retain: "quarter" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      /** Withdrawn by the team, or declined by the person. */
      closedAt: k.instant(personal("user.behavior", { ...activity, retain: "quarter" })),
    },
    (t) => [
      k.uniqueIndex("team_invitations_token").on(t.tokenHash),
      k.index("team_invitations_team").on(t.teamId),
      k.index("team_invitations_email_index").on(t.emailIndex),
    ],
  );
  return { teams, teamMembers, teamInvitations };
}
export type TeamTables = ReturnType<typeof teamTables>;
