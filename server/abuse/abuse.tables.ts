/**
 * Decisions of the rules against abuse: each with its score and reasons, for the person concerned and the operator. And
 * the counts they are made from, which lead to nobody and live a week at most.
 */
import { DECISION_ACTIONS, DECISION_KINDS, DECISION_STATES } from "../../shared/accounts.ts";
import type { DecisionId, TeamId, UserId } from "../../shared/ids.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational, person, personal } from "../privacy/tags.ts";

const fraud = {
  use: ["essential.fraud_detection"],
  clause: "P2.4",
  retain: "quarter",
  basis: "legitimate_interests",
} as const;

export function abuseTables(k: Kit, { users }: ReturnType<typeof userTables>) {
  const decisions = k.table(
    "abuse_decisions",
    { owner: "user", subject: { column: "userId" }, clock: "createdAt" },
    {
      id: k.text(operational("quarter")).$type<DecisionId>().primaryKey(),
      userId: k
        .text(person(fraud))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      kind: k.oneOf(DECISION_KINDS, personal("user.behavior", fraud)).notNull(),
      action: k.oneOf(DECISION_ACTIONS, personal("user.behavior", fraud)).notNull(),
      state: k.oneOf(DECISION_STATES, personal("user.behavior", fraud)).notNull(),
      /** 0 (nothing speaks for abuse) to 100. */
      score: k.int(personal("user.behavior", fraud)).notNull(),
      /** Names of the signals that counted, with their weight; the words for people are made from these. */
      signals: k
        .json<readonly { readonly signal: string; readonly weight: number }[]>(personal("user.behavior", fraud))
        .notNull(),
      /** Where an operator suspended a whole team: which. */
      teamId: k.text(ofTeam("quarter")).$type<TeamId>(),
      /** Why an operator suspended it, in their words. */
      why: k.sealed("abuse_decisions.why", "subject", personal("user.content.private", fraud)),
      contest: k.sealed("abuse_decisions.contest", "subject", personal("user.content.private", fraud)),
      contestedAt: k.instant(personal("user.behavior", fraud)),
      /** Why the operator lifted or upheld it. */
      review: k.sealed("abuse_decisions.review", "subject", personal("user.content.private", fraud)),
      reviewedAt: k.instant(personal("user.behavior", fraud)),
      createdAt: k.instant(personal("user.behavior", fraud)).notNull(),
    },
    (t) => [
      k.index("abuse_decisions_user").on(t.userId),
      k.index("abuse_decisions_state").on(t.state),
      k.index("abuse_decisions_team").on(t.teamId),
      k.index("abuse_decisions_created").on(t.createdAt),
    ],
  );
  const abuseCounts = k.table(
    "abuse_counts",
    { owner: "system", subject: { none: "The key is a keyed hash that leads to nobody." }, clock: "expiresAt" },
    {
      /** Of what was seen (a mailbox, a network, a browser family), and of the hour or day it was seen in. */
      key: k
        .text(
          personal("user.unique_id.pseudonymous", {
            ...fraud,
            retain: "week",
            export: { never: "A keyed hash; it cannot be found from a person." },
          }),
        )
        .primaryKey(),
      count: k.int(operational("week")).notNull(),
      expiresAt: k.instant(operational("week")).notNull(),
    },
    (t) => [k.index("abuse_counts_expiry").on(t.expiresAt)],
  );
  return { decisions, abuseCounts };
}
