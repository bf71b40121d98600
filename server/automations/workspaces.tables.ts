/**
 * A team's files beside its flows, and suites of runs. Contents stand in the database, once each, for the tree and for
 * the runs that saw them: one transaction imports them, and they go with the team.
 */
import type { PhoneId, SuiteId, TeamId, UserId } from "../../shared/ids.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational, person, personal, reference } from "../privacy/tags.ts";
import type { TeamTables } from "../teams/teams.tables.ts";

const use = ["essential.service.automations"] as const;
const kept = { use, clause: "P1.4", retain: "team" } as const;
const ran = { use, clause: "P1.4", retain: "quarter" } as const;

export function workspaceTables(k: Kit, { users, teams }: ReturnType<typeof userTables> & TeamTables) {
  const teamOf = (retain: "team" | "quarter") =>
    k
      .text(ofTeam(retain))
      .$type<TeamId>()
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" });
  const fileContents = k.table(
    "file_contents",
    {
      owner: "team",
      subject: { via: "id", table: "workspaceFiles", key: "content" },
      clock: "createdAt",
    },
    {
      /** `<team>/<SHA-256 of the content>`: teams share nothing. */
      id: k.text(reference("team")).primaryKey(),
      teamId: teamOf("team"),
      bytes: k.int(reference("team")).notNull(),
      content: k.bytes(personal("user.content.private", kept)).notNull(),
      createdAt: k.instant(personal("user.behavior", kept)).notNull(),
    },
    (t) => [k.index("file_contents_team").on(t.teamId)],
  );
  const workspaceFiles = k.table(
    "workspace_files",
    { owner: "team", subject: { column: "createdBy" }, clock: "updatedAt" },
    {
      teamId: teamOf("team"),
      path: k.text(personal("user.content.private", { ...kept, rectify: "self" })).notNull(),
      content: k
        .text(reference("team"))
        .notNull()
        .references(() => fileContents.id, { onDelete: "cascade" }),
      bytes: k.int(reference("team")).notNull(),
      /** Nulled when the person goes and the file stays with the team. */
      createdBy: k
        .text(person({ ...kept, erase: "reattribute" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      updatedAt: k.instant(personal("user.behavior", kept)).notNull(),
    },
    (t) => [
      k.primaryKey({ columns: [t.teamId, t.path] }),
      k.index("workspace_files_content").on(t.content),
      k.index("workspace_files_person").on(t.createdBy),
    ],
  );
  const suites = k.table(
    "suites",
    { owner: "team", subject: { column: "createdBy" }, clock: "createdAt" },
    {
      id: k.text(reference("quarter")).$type<SuiteId>().primaryKey(),
      teamId: teamOf("quarter"),
      createdBy: k
        .text(person({ ...ran, erase: "reattribute" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      path: k.text(personal("user.content.private", ran)).notNull(),
      phoneId: k.text(reference("quarter")).$type<PhoneId>().notNull(),
      /** How many runs, from the first, end when one of them fails; 0: each runs whatever the others do. */
      stopsWithin: k.int(reference("quarter")).notNull(),
      idempotencyKey: k.text(operational("quarter")).notNull(),
      requestHash: k.text(operational("quarter")).notNull(),
      createdAt: k.instant(personal("user.behavior", ran)).notNull(),
    },
    (t) => [
      k.uniqueIndex("suites_key").on(t.teamId, t.idempotencyKey),
      k.index("suites_created").on(t.createdAt),
      k.index("suites_person").on(t.createdBy),
    ],
  );
  return { fileContents, workspaceFiles, suites };
}
export type WorkspaceTables = ReturnType<typeof workspaceTables>;
