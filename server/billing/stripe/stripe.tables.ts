/**
 * What we know of Stripe: whose customer a team is, mirrors of its objects, events by id alone, and the calls that wait to be
 * made. Nothing here names a person; Stripe holds name and address of who pays, a card never passes us (clause P1.3).
 */
import type { CheckoutId, ReconcileRunId, StripeCallId, TeamId, UserId } from "../../../shared/ids.ts";
import type { userTables } from "../../accounts/accounts.tables.ts";
import type { Kit } from "../../db/dialect.ts";
import { ofTeam, operational, person, reference } from "../../privacy/tags.ts";
import type { TeamTables } from "../../teams/teams.tables.ts";

/** Why the prepaid balance may not be used. */
export const FREEZES = ["dispute", "fraud_warning", "operator"] as const;
export const CALL_STATES = ["queued", "done", "failed"] as const;
export const CHECKOUT_STATES = ["open", "paid", "processing", "expired"] as const;
export const FINDING_KINDS = [
  "missed_event",
  "mirror_repaired",
  "money_without_entry",
  "entry_without_money",
  "amount_differs",
  /** Of a grant: what is left is not the sum of its entries. */
  "balance_differs",
  /** Of a phone and day: what was counted for its cap is not the sum of its entries. */
  "day_differs",
  /** Of an interval: what was rated is not as long as it was. */
  "time_differs",
  /** Of an interval: it began before the one before it on the same phone had ended. */
  "intervals_overlap",
  "unknown_customer",
] as const;

/** One price in a subscription. */
export interface MirroredItem {
  readonly id: string;
  readonly lookupKey: string | null;
  readonly quantity: number;
}

const ofMoney = {
  subject: { none: "Of a team, and gone with it; what the law keeps is in the billing records and the ledger." },
  owner: "team",
} as const;

export function stripeTables(k: Kit, { users, teams }: ReturnType<typeof userTables> & TeamTables) {
  const team = () =>
    k
      .text(ofTeam("team"))
      .$type<TeamId>()
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" });
  const billingAccounts = k.table(
    "billing_accounts",
    { ...ofMoney, clock: "createdAt" },
    {
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .primaryKey()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** `cus_…`, once something was bought. */
      customerId: k.text(reference("team")),
      /** ISO 4217, lower case; fixed by the first purchase. */
      currency: k.text(reference("team")),
      /** IANA; whose midnight days begin at. */
      timeZone: k.text(reference("team")).notNull(),
      overageAllowed: k.bool(reference("team")).notNull(),
      /** Minor units a period. */
      overageCap: k.int(reference("team")).notNull(),
      frozen: k.oneOf(FREEZES, reference("team")),
      frozenAt: k.instant(reference("team")),
      trialAt: k.instant(reference("team")),
      /** Since when a payment is due that failed; empty once it is paid. */
      pastDueSince: k.instant(reference("team")),
      createdAt: k.instant(reference("team")).notNull(),
    },
    (t) => [k.uniqueIndex("billing_accounts_customer").on(t.customerId)],
  );
  const dedicatedPhones = k.table(
    "dedicated_phones",
    { ...ofMoney, clock: "createdAt" },
    {
      phoneId: k.text(reference("team")).primaryKey(),
      teamId: team(),
      createdAt: k.instant(reference("team")).notNull(),
    },
    (t) => [k.index("dedicated_phones_team").on(t.teamId)],
  );
  const subscriptions = k.table(
    "subscriptions",
    { ...ofMoney, clock: "syncedAt" },
    {
      id: k.text(reference("team")).primaryKey(),
      teamId: team(),
      customerId: k.text(reference("team")).notNull(),
      /** Stripe's, as it is: `active`, `past_due`, … */
      status: k.text(reference("team")).notNull(),
      items: k.json<readonly MirroredItem[]>(reference("team")).notNull(),
      currency: k.text(reference("team")).notNull(),
      /** Of the items, which Stripe keeps it on. */
      periodStart: k.instant(reference("team")).notNull(),
      periodEnd: k.instant(reference("team")).notNull(),
      /** Whose day of the month begins each month of plan minutes. */
      anchor: k.instant(reference("team")).notNull(),
      cancelAt: k.instant(reference("team")),
      cancelAtPeriodEnd: k.bool(reference("team")).notNull(),
      endedAt: k.instant(reference("team")),
      pausedAt: k.instant(reference("team")),
      startedAt: k.instant(reference("team")).notNull(),
      /** When we began to read what the row says: an earlier reading never overwrites a later one. */
      syncedAt: k.instant(reference("team")).notNull(),
    },
    (t) => [k.index("subscriptions_team").on(t.teamId), k.index("subscriptions_customer").on(t.customerId)],
  );
  const invoices = k.table(
    "invoices",
    { ...ofMoney, clock: "createdAt" },
    {
      id: k.text(reference("team")).primaryKey(),
      teamId: team(),
      subscriptionId: k.text(reference("team")),
      number: k.text(reference("team")),
      status: k.text(reference("team")).notNull(),
      billingReason: k.text(reference("team")),
      words: k.text(reference("team")).notNull(),
      currency: k.text(reference("team")).notNull(),
      total: k.int(reference("team")).notNull(),
      tax: k.int(reference("team")).notNull(),
      amountDue: k.int(reference("team")).notNull(),
      amountPaid: k.int(reference("team")).notNull(),
      attempts: k.int(reference("team")).notNull(),
      nextAttemptAt: k.instant(reference("team")),
      /** A payment waits for the person to confirm it at their bank. */
      needsConfirmation: k.bool(reference("team")).notNull(),
      hostedUrl: k.text(reference("team")),
      pdfUrl: k.text(reference("team")),
      periodStart: k.instant(reference("team")).notNull(),
      periodEnd: k.instant(reference("team")).notNull(),
      createdAt: k.instant(reference("team")).notNull(),
      syncedAt: k.instant(reference("team")).notNull(),
    },
    (t) => [k.index("invoices_team").on(t.teamId, t.createdAt), k.index("invoices_created").on(t.createdAt)],
  );
  /** Money that went or goes back: refunds and disputes. */
  const moneyBack = k.table(
    "money_back",
    { ...ofMoney, clock: "createdAt" },
    {
      /** `re_…` or `dp_…`; before Stripe answered, our own id. */
      id: k.text(reference("team")).primaryKey(),
      teamId: team(),
      kind: k.oneOf(["refund", "dispute"], reference("team")).notNull(),
      status: k.text(reference("team")).notNull(),
      amount: k.int(reference("team")).notNull(),
      currency: k.text(reference("team")).notNull(),
      chargeId: k.text(reference("team")),
      /** What it is taken from: the Checkout session of a top-up, say. */
      sourceId: k.text(reference("team")),
      createdAt: k.instant(reference("team")).notNull(),
      syncedAt: k.instant(reference("team")).notNull(),
    },
    (t) => [k.index("money_back_team").on(t.teamId, t.createdAt)],
  );
  const checkouts = k.table(
    "checkouts",
    { owner: "team", subject: { column: "startedBy" }, clock: "createdAt" },
    {
      id: k.text(reference("quarter")).$type<CheckoutId>().primaryKey(),
      teamId: k
        .text(ofTeam("quarter"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      startedBy: k
        .text(
          person({
            ...{ use: ["essential.service.payment_processing"], clause: "P1.3", retain: "quarter" },
            erase: "reattribute",
          }),
        )
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      /** `cs_…`, once Stripe answered. */
      sessionId: k.text(reference("quarter")),
      /** What is bought: a lookup key, or `payment_method`. */
      what: k.text(reference("quarter")).notNull(),
      amount: k.int(reference("quarter")).notNull(),
      currency: k.text(reference("quarter")).notNull(),
      state: k.oneOf(CHECKOUT_STATES, reference("quarter")).notNull(),
      url: k.text(operational("quarter")),
      /** Of the person's call: the same key gives the same session. */
      idempotencyKey: k.text(operational("quarter")).notNull(),
      expiresAt: k.instant(reference("quarter")).notNull(),
      /** When what was bought was given. */
      fulfilledAt: k.instant(reference("quarter")),
      createdAt: k.instant(reference("quarter")).notNull(),
    },
    (t) => [
      k.uniqueIndex("checkouts_key").on(t.teamId, t.idempotencyKey),
      k.uniqueIndex("checkouts_session").on(t.sessionId),
      k.index("checkouts_team").on(t.teamId, t.createdAt),
      k.index("checkouts_person").on(t.startedBy),
      k.index("checkouts_created").on(t.createdAt),
    ],
  );
  const stripeEvents = k.table(
    "stripe_events",
    {
      owner: "system",
      subject: { none: "Ids of Stripe's objects; what they say is read from Stripe." },
      clock: "receivedAt",
    },
    {
      id: k.text(operational("month")).primaryKey(),
      type: k.text(operational("month")).notNull(),
      objectId: k.text(operational("month")).notNull(),
      livemode: k.bool(operational("month")).notNull(),
      apiVersion: k.text(operational("month")),
      createdAt: k.instant(operational("month")).notNull(),
      receivedAt: k.instant(operational("month")).notNull(),
      processedAt: k.instant(operational("month")),
      /** `webhook`, or `reconcile` when it was missed. */
      via: k.oneOf(["webhook", "reconcile"], operational("month")).notNull(),
    },
    (t) => [k.index("stripe_events_received").on(t.receivedAt), k.index("stripe_events_object").on(t.objectId)],
  );
  /** The outbox of calls to Stripe: written with what makes them due, made by a job, under a key that makes them happen once. */
  const stripeCalls = k.table(
    "stripe_calls",
    {
      owner: "team",
      subject: { none: "Ids and amounts; what names a person is read when the call is made." },
      clock: "createdAt",
    },
    {
      id: k.text(operational("quarter")).$type<StripeCallId>().primaryKey(),
      /** Empty once the team is gone: what had to be asked of Stripe on its behalf is still asked. */
      teamId: k.text({ ...ofTeam("quarter"), erase: "null" }).$type<TeamId>(),
      kind: k.text(operational("quarter")).notNull(),
      idempotencyKey: k.text(operational("quarter")).notNull(),
      input: k.json<Readonly<Record<string, unknown>>>(operational("quarter")).notNull(),
      state: k.oneOf(CALL_STATES, operational("quarter")).notNull(),
      attempts: k.int(operational("quarter")).notNull(),
      /** Of the object it made. */
      resultId: k.text(operational("quarter")),
      /** Stripe's error code; never its message, which may repeat what was sent. */
      error: k.text(operational("quarter")),
      createdAt: k.instant(operational("quarter")).notNull(),
      doneAt: k.instant(operational("quarter")),
    },
    (t) => [
      k.uniqueIndex("stripe_calls_key").on(t.idempotencyKey),
      k.index("stripe_calls_state").on(t.state, t.createdAt),
      k.index("stripe_calls_team").on(t.teamId),
      k.index("stripe_calls_created").on(t.createdAt),
    ],
  );
  const reconcileRuns = k.table(
    "reconcile_runs",
    { owner: "system", subject: { none: "Counts of objects of Stripe that were looked at." }, clock: "startedAt" },
    {
      id: k.text(operational("quarter")).$type<ReconcileRunId>().primaryKey(),
      /** `ledger`: of our own books, without asking Stripe. */
      kind: k.oneOf(["light", "full", "ledger"], operational("quarter")).notNull(),
      startedAt: k.instant(operational("quarter")).notNull(),
      finishedAt: k.instant(operational("quarter")),
      /** Events up to here were seen. */
      eventsUntil: k.instant(operational("quarter")),
      looked: k.int(operational("quarter")).notNull(),
    },
    (t) => [k.index("reconcile_runs_started").on(t.startedAt)],
  );
  const reconcileFindings = k.table(
    "reconcile_findings",
    { owner: "team", subject: { none: "Ids and amounts of a team, gone with it." }, clock: "createdAt" },
    {
      id: k.text(operational("quarter")).primaryKey(),
      runId: k.text(operational("quarter")).$type<ReconcileRunId>().notNull(),
      teamId: k.text(ofTeam("quarter")).$type<TeamId>(),
      kind: k.oneOf(FINDING_KINDS, operational("quarter")).notNull(),
      objectId: k.text(operational("quarter")).notNull(),
      words: k.text(operational("quarter")).notNull(),
      /** Repaired by itself, or put right by the operator. Money is never repaired by itself. */
      resolvedAt: k.instant(operational("quarter")),
      createdAt: k.instant(operational("quarter")).notNull(),
    },
    (t) => [
      k.uniqueIndex("reconcile_findings_once").on(t.kind, t.objectId),
      k.index("reconcile_findings_created").on(t.createdAt),
      k.index("reconcile_findings_team").on(t.teamId),
    ],
  );
  return {
    billingAccounts,
    dedicatedPhones,
    subscriptions,
    invoices,
    moneyBack,
    checkouts,
    stripeEvents,
    stripeCalls,
    reconcileRuns,
    reconcileFindings,
  };
}
