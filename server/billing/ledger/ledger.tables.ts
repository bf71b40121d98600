/**
 * What phone time was covered by. Entries are never changed; grants are what they draw from, with what is left as a cached
 * sum. An entry names an interval by an opaque id that is gone after 90 days, and a team until that is closed: afterwards it
 * leads to nobody and is kept as the law asks (clause P4.3).
 */
import { COVERS } from "../../../shared/billing/rating.ts";
import type { GrantId, LedgerEntryId, PhoneId, TeamId } from "../../../shared/ids.ts";
import type { Kit } from "../../db/dialect.ts";
import { ofTeam, operational, reference } from "../../privacy/tags.ts";
import type { TeamTables } from "../../teams/teams.tables.ts";

export const GRANT_KINDS = ["plan", "pack", "promo", "wallet"] as const;
export type GrantKind = (typeof GRANT_KINDS)[number];

/**
 * Where an entry or grant comes from; with the id of the source and the cover it is there once.
 * `usage`: a rated piece · `checkout`: a paid Checkout session · `period`: a month of a plan · `trial` · `operator`: a credit
 * with a reason · `refund`, `dispute`: money that goes back · `reversal`: of an earlier entry.
 */
export const LEDGER_SOURCES = [
  "usage",
  "checkout",
  "period",
  "trial",
  "operator",
  "refund",
  "dispute",
  "reversal",
] as const;
export type LedgerSource = (typeof LEDGER_SOURCES)[number];

/** Cut from the entry together with its team. */
const cutWithTeam = { ...operational("billing"), erase: "null" } as const;
const kept = { clause: "P4.3", use: ["essential.service.payment_processing"] } as const;

export function ledgerTables(k: Kit, { teams }: TeamTables) {
  const grants = k.table(
    "grants",
    {
      owner: "team",
      subject: { none: "Of a team, and gone with it; the entries it was made of stay, cut from it." },
      clock: "createdAt",
    },
    {
      id: k.text(reference("team")).$type<GrantId>().primaryKey(),
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      kind: k.oneOf(GRANT_KINDS, reference("team")).notNull(),
      /** `600 trial minutes`. */
      name: k.text(reference("team")).notNull(),
      source: k.oneOf(LEDGER_SOURCES, reference("team")).notNull(),
      sourceId: k.text(reference("team")).notNull(),
      /** What was given: milliseconds of phone time. Of a wallet 0: it is given to again and again. */
      total: k.int(reference("team")).notNull(),
      /** The sum of its entries, that of the giving among them: kept with each entry, compared every night. */
      remaining: k.int(reference("team")).notNull(),
      startsAt: k.instant(reference("team")).notNull(),
      expiresAt: k.instant(reference("team")),
      createdAt: k.instant(reference("team")).notNull(),
    },
    (t) => [
      k.uniqueIndex("grants_source").on(t.source, t.sourceId, t.kind),
      k.index("grants_team").on(t.teamId, t.expiresAt),
    ],
  );
  const ledgerEntries = k.table(
    "ledger_entries",
    {
      owner: "team",
      subject: { none: "Led to from the team while there is one; afterwards to nobody." },
      clock: "createdAt",
    },
    {
      id: k.text(operational("billing")).$type<LedgerEntryId>().primaryKey(),
      /** Cut when the team goes. */
      teamId: k.text({ ...ofTeam("billing"), ...kept, erase: "legal" }).$type<TeamId>(),
      cover: k.oneOf([...COVERS, "credit"], operational("billing")).notNull(),
      source: k.oneOf(LEDGER_SOURCES, operational("billing")).notNull(),
      sourceId: k.text(operational("billing")).notNull(),
      grantId: k.text(cutWithTeam).$type<GrantId>(),
      /** Phone time in milliseconds: what was used is above zero, what is taken back below. */
      ms: k.int(operational("billing")).notNull(),
      /** Minor units: what was charged is above zero, what was credited below. */
      amount: k.int(operational("billing")).notNull(),
      /** Change of the grant's `remaining`: milliseconds, or minor units of a wallet. */
      delta: k.int(operational("billing")).notNull(),
      currency: k.text(operational("billing")).notNull(),
      intervalId: k.text(cutWithTeam),
      /** Phones that are removed stay countable. */
      phoneId: k.text(cutWithTeam).$type<PhoneId>(),
      /** Of the slice, for usage. */
      fromAt: k.instant(operational("billing")),
      toAt: k.instant(operational("billing")),
      /** In the team's time zone. */
      day: k.text(operational("billing")).notNull(),
      /** Of a reversal. */
      reversesId: k.text(operational("billing")).$type<LedgerEntryId>(),
      /** Of a correction or credit, in words without anything about a person. */
      reason: k.text(operational("billing")),
      createdAt: k.instant(operational("billing")).notNull(),
    },
    (t) => [
      k.uniqueIndex("ledger_entries_source").on(t.source, t.sourceId, t.cover),
      k.index("ledger_entries_team").on(t.teamId, t.day),
      k.index("ledger_entries_grant").on(t.grantId),
      k.index("ledger_entries_interval").on(t.intervalId),
      k.index("ledger_entries_created").on(t.createdAt),
    ],
  );
  /** What a phone had charged on a day, for its cap; the same as the sum of its entries. */
  const paygDays = k.table(
    "payg_days",
    {
      owner: "team",
      subject: { none: "Counts of phones of a team, gone with it or after 90 days." },
      clock: "updatedAt",
    },
    {
      teamId: k
        .text(ofTeam("quarter"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      phoneId: k.text(operational("quarter")).$type<PhoneId>().notNull(),
      day: k.text(operational("quarter")).notNull(),
      ms: k.int(operational("quarter")).notNull(),
      amount: k.int(operational("quarter")).notNull(),
      updatedAt: k.instant(operational("quarter")).notNull(),
    },
    (t) => [
      k.primaryKey({ columns: [t.phoneId, t.day] }),
      k.index("payg_days_team").on(t.teamId, t.day),
      k.index("payg_days_updated").on(t.updatedAt),
    ],
  );
  return { grants, ledgerEntries, paygDays };
}
