/** When phones ran, and which are counted as running already: what the ledger is made of. */

import { sql } from "drizzle-orm";
import type { PhoneId, TeamId, UsageIntervalId, UserId } from "../../../shared/ids.ts";
import type { userTables } from "../../accounts/accounts.tables.ts";
import type { Kit } from "../../db/dialect.ts";
import { ofTeam, operational, person, personal, reference } from "../../privacy/tags.ts";
import type { TeamTables } from "../../teams/teams.tables.ts";

/**
 * Why an interval ended: the phone was parked, removed or failed · `lost`: it went out of reach · `server_crash`: at the last beat before the server died ·
 * `clock_step`: the machine's clock jumped · `split`: at a day's length, the next one goes on.
 */
export const INTERVAL_ENDS = ["parked", "removed", "failed", "lost", "server_crash", "clock_step", "split"] as const;
export type IntervalEnd = (typeof INTERVAL_ENDS)[number];

const usage = { use: ["essential.service.payment_processing"], clause: "P1.4", retain: "quarter" } as const;

export function usageTables(k: Kit, { users, teams }: ReturnType<typeof userTables> & TeamTables) {
  const usageIntervals = k.table(
    "usage_intervals",
    { owner: "team", subject: { column: "startedBy" }, clock: "startedAt" },
    {
      id: k.text(reference("quarter")).$type<UsageIntervalId>().primaryKey(),
      teamId: k
        .text(ofTeam("quarter"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** Also of phones that are removed since. */
      phoneId: k.text(reference("quarter")).$type<PhoneId>().notNull(),
      /** Nulled when the person goes and the team stays; also when the server itself started the phone. */
      startedBy: k
        .text(person({ ...usage, erase: "reattribute" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      startedAt: k.instant(personal("user.behavior", usage)).notNull(),
      lastSeenAt: k.instant(personal("user.behavior", usage)).notNull(),
      endedAt: k.instant(personal("user.behavior", usage)),
      endReason: k.oneOf(INTERVAL_ENDS, reference("quarter")),
      /** Up to when it is in the ledger. */
      ratedAt: k.instant(operational("quarter")).notNull(),
      node: k.text(operational("quarter")).notNull(),
      /** Of the process that beats for it: another one may not go on with it. */
      boot: k.text(operational("quarter")).notNull(),
    },
    (t) => [
      k.uniqueIndex("usage_intervals_open").on(t.phoneId).where(sql`ended_at is null`),
      k.index("usage_intervals_team").on(t.teamId, t.startedAt),
      k.index("usage_intervals_person").on(t.startedBy),
      k.index("usage_intervals_beat").on(t.node).where(sql`ended_at is null`),
      k.index("usage_intervals_started").on(t.startedAt),
      k.index("usage_intervals_phone").on(t.phoneId, t.startedAt),
      /** What is not all in the ledger yet. */
      k.index("usage_intervals_due").on(t.teamId).where(sql`ended_at is null or rated_at < ended_at`),
    ],
  );
  /** A phone that may run: from its admission until it stops, so that starts at one moment see each other. */
  const usageHolds = k.table(
    "usage_holds",
    { owner: "team", subject: { column: "startedBy" }, clock: "createdAt" },
    {
      phoneId: k.text(operational("moment")).$type<PhoneId>().primaryKey(),
      teamId: k
        .text(ofTeam("moment"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      startedBy: k
        .text(
          person({
            ...usage,
            retain: "moment",
            erase: "reattribute",
            export: { never: "The phone that runs says it." },
          }),
        )
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      createdAt: k.instant(operational("moment")).notNull(),
    },
    (t) => [k.index("usage_holds_team").on(t.teamId), k.index("usage_holds_person").on(t.startedBy)],
  );
  const budgets = k.table(
    "budgets",
    { owner: "team", subject: { column: "memberId" }, clock: "createdAt" },
    {
      id: k.text(reference("team")).primaryKey(),
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      scope: k.oneOf(["team", "member", "phone"], reference("team")).notNull(),
      /** Whose phones' time counts. The budget goes with the person. */
      memberId: k
        .text(person({ ...usage, retain: "team" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "cascade" }),
      phoneId: k.text(reference("team")).$type<PhoneId>(),
      measure: k.oneOf(["money", "time"], reference("team")).notNull(),
      /** Minor units, or milliseconds. */
      limit: k.int(reference("team")).notNull(),
      /** `2026-11`, in the team's time zone: of which month `spent` and `alerted` are. */
      month: k.text(reference("team")).notNull(),
      spent: k.int(reference("team")).notNull(),
      /** The highest of 50, 80 and 100 that was told this month. */
      alerted: k.int(reference("team")).notNull(),
      createdAt: k.instant(reference("team")).notNull(),
    },
    (t) => [k.index("budgets_team").on(t.teamId), k.index("budgets_person").on(t.memberId)],
  );
  return { usageIntervals, usageHolds, budgets };
}
