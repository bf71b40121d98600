/** Teams and their members. A person alone is a team of one. */

import { ROLES } from "../../shared/access.ts";
import type { InvitationId, TeamId, UserId } from "../../shared/ids.ts";
import { INVITED_ROLES } from "../../shared/teams.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { fingerprint, ofTeam, person, personal, reference, secret } from "../privacy/tags.ts";

/** Of people who may have no account: gone 30 days after it was sent. */
const invitation = {
  use: ["essential.service.operations", "essential.service.notifications.email"],
  clause: "P2.3",
  retain: "month",
} as const;
const activity = { use: ["essential.service.operations"], clause: "P1.4", retain: "account" } as const;

export function teamTables(k: Kit, { users }: ReturnType<typeof userTables>) {
  const teams = k.table(
    "teams",
    { owner: "team", subject: { via: "id", table: "teamMembers", key: "teamId" }, clock: "createdAt" },
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
      createdAt: k.instant(reference("team")).notNull(),
      /** Members who signed in with a password alone get no further than being told so (ASVS 6.3.3). */
      requireSecondFactor: k.bool(reference("team")).notNull().default(false),
      /** An operator suspended it; why, its people read in `abuse_decisions`. */
      suspendedAt: k.instant(reference("team")),
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
    {
      owner: "team",
      people: ["invitee", "customer"],
      subject: { column: "emailIndex", also: ["invitedBy", "acceptedBy"] },
      clock: "createdAt",
    },
    {
      id: k.text(reference("month")).$type<InvitationId>().primaryKey(),
      teamId: k
        .text(ofTeam("month"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** Lower-cased and NFC: only who confirmed this address may accept. */
      email: k
        .sealed(
          "team_invitations.email",
          "server",
          personal("user.contact.email", { ...invitation, thirdParty: "address" }),
        )
        .notNull(),
      emailIndex: k.fingerprint("email", fingerprint(invitation)),
      emailShown: k
        .sealed(
          "team_invitations.emailShown",
          "server",
          personal("user.contact.email", { ...invitation, thirdParty: "address" }),
        )
        .notNull(),
      role: k.oneOf(INVITED_ROLES, personal("user.behavior", invitation)).notNull(),
      /** SHA-256 of the token in the link; empty once the invitation is no longer open. */
      tokenHash: k.text(secret("user.authorization.credentials", "month")),
      invitedBy: k
        .text(person({ ...invitation, erase: "reattribute", thirdParty: "member" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      createdAt: k.instant(personal("user.behavior", invitation)).notNull(),
      expiresAt: k.instant(reference("month")).notNull(),
      acceptedAt: k.instant(personal("user.behavior", invitation)),
      acceptedBy: k
        .text(person({ ...invitation, thirdParty: "member" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      /** Withdrawn by the team, or declined by the person. */
      closedAt: k.instant(personal("user.behavior", invitation)),
    },
    (t) => [
      k.uniqueIndex("team_invitations_token").on(t.tokenHash),
      k.index("team_invitations_team").on(t.teamId),
      k.index("team_invitations_email_index").on(t.emailIndex),
      k.index("team_invitations_created").on(t.createdAt),
      k.index("team_invitations_inviter").on(t.invitedBy),
      k.index("team_invitations_accepter").on(t.acceptedBy),
    ],
  );
  return { teams, teamMembers, teamInvitations };
}
export type TeamTables = ReturnType<typeof teamTables>;
