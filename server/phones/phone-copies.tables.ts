/** Nodes that had a phone before another got it, and may have a copy of what it keeps. */
import type { NodeId, PhoneId, TeamId } from "../../shared/ids.ts";
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational } from "../privacy/tags.ts";
import type { TeamTables } from "../teams/teams.tables.ts";

export function phoneCopyTables(k: Kit, { teams }: TeamTables) {
  const phoneCopies = k.table(
    "phone_copies",
    { owner: "team", subject: { none: "Where phones of a team were." }, clock: "since" },
    {
      /** Outlives the phone: a copy is not gone because its phone is. */
      phoneId: k.text(operational("team")).$type<PhoneId>().notNull(),
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      nodeId: k.text(operational("team")).$type<NodeId>().notNull(),
      since: k.instant(operational("team")).notNull(),
      /** The operator said then that the machine and its disks are no more. Nobody looked. */
      forgottenAt: k.instant(operational("team")),
    },
    (t) => [
      k.primaryKey({ columns: [t.phoneId, t.nodeId] }),
      k.index("phone_copies_node").on(t.nodeId),
      k.index("phone_copies_team").on(t.teamId),
    ],
  );
  return { phoneCopies };
}
