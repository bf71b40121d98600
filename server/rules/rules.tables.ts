/** Rules a team keeps, and the starts they asked for. Of a start no address and no value is kept: those are in the run. */
import type { RuleId, RunId, TeamId, UserId } from "../../shared/ids.ts";
import { type Rule, START_WAYS } from "../../shared/rules/model.ts";
import type { RuleRefusal } from "../../shared/rules-api.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { automationTables } from "../automations/automations.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational, person, personal, reference } from "../privacy/tags.ts";
import type { TeamTables } from "../teams/teams.tables.ts";

const use = ["essential.service.automations"] as const;
const kept = { use, clause: "P1.4", retain: "team" } as const;
const ran = { use, clause: "P1.4", retain: "quarter" } as const;

export function ruleTables(
  k: Kit,
  { users, teams, runs }: ReturnType<typeof userTables> & TeamTables & ReturnType<typeof automationTables>,
) {
  const rules = k.table(
    "rules",
    { owner: "team", subject: { column: "savedBy" }, clock: "updatedAt" },
    {
      id: k.text(reference("team")).$type<RuleId>().primaryKey(),
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** Who saved it last: its schedule runs with this person's rights. Nulled when the person goes. */
      savedBy: k
        .text(person({ ...kept, erase: "reattribute" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      rule: k.json<Rule>(personal("user.content.private", { ...kept, rectify: "self" })).notNull(),
      /** Grows with every change. */
      revision: k.int(operational("team")).notNull(),
      /** Runs in a row that failed. */
      failures: k.int(operational("team")).notNull(),
      pausedAt: k.instant(personal("user.behavior", kept)),
      /** The next slot of its schedule; a past one was missed and runs once. */
      nextAt: k.instant(reference("team")),
      /** Why its schedule started nothing the last time. */
      refusal: k.json<RuleRefusal>(personal("user.content.private", kept)),
      createdAt: k.instant(personal("user.behavior", kept)).notNull(),
      updatedAt: k.instant(personal("user.behavior", kept)).notNull(),
    },
    (t) => [
      k.index("rules_team").on(t.teamId, t.createdAt),
      k.index("rules_next").on(t.nextAt),
      k.index("rules_person").on(t.savedBy),
    ],
  );
  const ruleStarts = k.table(
    "rule_starts",
    {
      owner: "team",
      subject: { via: "runId", table: "runs", key: "id" },
      clock: "at",
    },
    {
      ruleId: k
        .text(reference("quarter"))
        .$type<RuleId>()
        .notNull()
        .references(() => rules.id, { onDelete: "cascade" }),
      /** A keyed hash; the browser that made it keeps the key. */
      dedupeKey: k.text(operational("quarter")).notNull(),
      runId: k
        .text(reference("quarter"))
        .$type<RunId>()
        .notNull()
        .references(() => runs.id, { onDelete: "cascade" }),
      way: k.oneOf(START_WAYS, personal("user.behavior", ran)).notNull(),
      at: k.instant(personal("user.behavior", ran)).notNull(),
    },
    (t) => [
      k.primaryKey({ columns: [t.ruleId, t.dedupeKey] }),
      k.uniqueIndex("rule_starts_run").on(t.runId),
      k.index("rule_starts_at").on(t.ruleId, t.at),
    ],
  );
  return { rules, ruleStarts };
}
