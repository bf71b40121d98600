/** Files on their way to phones. Their bytes lie sealed in the data folder until the phone has them. */
import type { PhoneId, TeamId, UploadId, UserId } from "../../shared/ids.ts";
import { UPLOAD_PURPOSES, UPLOAD_STATES } from "../../shared/uploads.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import type { phoneTables } from "../phones/phones.tables.ts";
import { ofTeam, person, personal, reference } from "../privacy/tags.ts";
import type { TeamTables } from "../teams/teams.tables.ts";

const kept = { use: ["essential.service.operations"], clause: "P1.4", retain: "day" } as const;

export function uploadTables(
  k: Kit,
  { users, teams, phones }: ReturnType<typeof userTables> & TeamTables & ReturnType<typeof phoneTables>,
) {
  const uploads = k.table(
    "uploads",
    { owner: "team", subject: { column: "createdBy" }, clock: "createdAt" },
    {
      id: k.text(reference("day")).$type<UploadId>().primaryKey(),
      teamId: k
        .text(ofTeam("day"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      createdBy: k
        .text(person(kept))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      phoneId: k
        .text(reference("day"))
        .$type<PhoneId>()
        .notNull()
        .references(() => phones.id, { onDelete: "cascade" }),
      purpose: k.oneOf(UPLOAD_PURPOSES, reference("day")).notNull(),
      name: k.text(personal("user.content.private", kept)).notNull(),
      bytes: k.int(reference("day")).notNull(),
      received: k.int(reference("day")).notNull(),
      state: k.oneOf(UPLOAD_STATES, reference("day")).notNull(),
      /** What went wrong, as a sentence. */
      message: k.text(reference("day")),
      createdAt: k.instant(personal("user.behavior", kept)).notNull(),
      updatedAt: k.instant(reference("day")).notNull(),
    },
    (t) => [
      k.index("uploads_phone").on(t.phoneId),
      k.index("uploads_team").on(t.teamId),
      k.index("uploads_person").on(t.createdBy),
      k.index("uploads_created").on(t.createdAt),
      k.index("uploads_state").on(t.state),
    ],
  );
  return { uploads };
}
