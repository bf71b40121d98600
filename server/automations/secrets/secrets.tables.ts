/** Secrets of a team's flows, sealed, and which text of which flow each is granted to. */
import type { FlowId, SecretId, TeamId, UserId } from "../../../shared/ids.ts";
import type { userTables } from "../../accounts/accounts.tables.ts";
import type { Kit } from "../../db/dialect.ts";
import { ofTeam, operational, person, personal, reference } from "../../privacy/tags.ts";
import type { TeamTables } from "../../teams/teams.tables.ts";
import type { automationTables } from "../automations.tables.ts";

const kept = { use: ["essential.service.automations"], clause: "P1.4", retain: "team" } as const;

export function secretTables(
  k: Kit,
  parts: ReturnType<typeof userTables> & TeamTables & Pick<ReturnType<typeof automationTables>, "flows">,
) {
  const { users, teams, flows } = parts;
  const byPerson = () =>
    k
      .text(person({ ...kept, erase: "reattribute" }))
      .$type<UserId>()
      .references(() => users.id, { onDelete: "set null" });
  const secrets = k.table(
    "secrets",
    { owner: "team", subject: { column: "createdBy" }, clock: "changedAt" },
    {
      id: k.text(reference("team")).$type<SecretId>().primaryKey(),
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** Who set the value last, and so knows it; nulled when that person goes. */
      createdBy: byPerson(),
      name: k.text(personal("user.content.private", { ...kept, rectify: "self" })).notNull(),
      /** AES-256-GCM, bound to id and team (`seal.ts`). */
      value: k
        .text(
          personal("user.content.private", {
            ...kept,
            holds: ["user.authorization.credentials"],
            rectify: "self",
            export: { never: "A secret: it is never shown again." },
          }),
        )
        .notNull(),
      createdAt: k.instant(personal("user.behavior", kept)).notNull(),
      changedAt: k.instant(personal("user.behavior", kept)).notNull(),
    },
    (t) => [k.uniqueIndex("secrets_name").on(t.teamId, t.name), k.index("secrets_person").on(t.createdBy)],
  );
  const secretGrants = k.table(
    "secret_grants",
    { owner: "team", subject: { column: "grantedBy" }, clock: "grantedAt" },
    {
      secretId: k
        .text(reference("team"))
        .$type<SecretId>()
        .notNull()
        .references(() => secrets.id, { onDelete: "cascade" }),
      flowId: k
        .text(reference("team"))
        .$type<FlowId>()
        .notNull()
        .references(() => flows.id, { onDelete: "cascade" }),
      grantedBy: byPerson(),
      /** SHA-256 of the text it was granted to: another text does not get the secret. */
      textHash: k.text(operational("team")).notNull(),
      grantedAt: k.instant(personal("user.behavior", kept)).notNull(),
    },
    (t) => [
      k.primaryKey({ columns: [t.secretId, t.flowId] }),
      k.index("secret_grants_flow").on(t.flowId),
      k.index("secret_grants_person").on(t.grantedBy),
    ],
  );
  return { secrets, secretGrants };
}
