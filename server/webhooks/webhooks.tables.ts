/** Webhooks: addresses outside systems call to start a flow, and the calls of the last day, so that none counts twice. */
import type { FlowId, TeamId, UserId, WebhookId } from "../../shared/ids.ts";
import type { WebhookPhone } from "../../shared/webhooks.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { automationTables } from "../automations/automations.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational, person, personal, reference } from "../privacy/tags.ts";
import type { TeamTables } from "../teams/teams.tables.ts";

const use = ["essential.service.automations"] as const;
const kept = { use, clause: "P1.4", retain: "team" } as const;

export function webhookTables(
  k: Kit,
  { users, teams, flows }: ReturnType<typeof userTables> & TeamTables & ReturnType<typeof automationTables>,
) {
  const webhooks = k.table(
    "webhooks",
    { owner: "team", subject: { column: "createdBy" }, clock: "createdAt" },
    {
      id: k.text(reference("team")).$type<WebhookId>().primaryKey(),
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** Its runs start with this person's rights. Nulled when the person goes; then it starts nothing. */
      createdBy: k
        .text(person({ ...kept, erase: "reattribute" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      name: k.text(personal("user.content.private", { ...kept, rectify: "self" })).notNull(),
      flowId: k
        .text(reference("team"))
        .$type<FlowId>()
        .notNull()
        .references(() => flows.id, { onDelete: "cascade" }),
      phone: k.json<WebhookPhone>(personal("user.account.settings", kept)).notNull(),
      mayUseSecrets: k.bool(reference("team")).notNull(),
      /** Sealed: a signature can only be checked with the secret itself. */
      secret: k
        .text(
          personal("user.authorization.credentials", { ...kept, export: { never: "A secret; it was shown once." } }),
        )
        .notNull(),
      createdAt: k.instant(personal("user.behavior", kept)).notNull(),
      lastUsedAt: k.instant(personal("user.behavior", kept)),
    },
    (t) => [
      k.index("webhooks_team").on(t.teamId, t.createdAt),
      k.index("webhooks_person").on(t.createdBy),
      k.index("webhooks_flow").on(t.flowId),
    ],
  );
  const webhookCalls = k.table(
    "webhook_calls",
    { owner: "team", subject: { none: "Rows live a day and hold ids and signatures only." }, clock: "at" },
    {
      webhookId: k
        .text(operational("day"))
        .$type<WebhookId>()
        .notNull()
        .references(() => webhooks.id, { onDelete: "cascade" }),
      /** Of the call, as hexadecimal digits: a second call with it is a replay. */
      signature: k.text(operational("day")).notNull(),
      at: k.instant(operational("day")).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.webhookId, t.signature] }), k.index("webhook_calls_at").on(t.at)],
  );
  return { webhooks, webhookCalls };
}
