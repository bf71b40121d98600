/** Data rights: requests, statements, choices, exports, erasures, the fence against late writes, and policy notices. */
import { sql } from "drizzle-orm";
import type { DataExportId, DataRequestId, ErasureId, StatementId, TeamId, UserId } from "../../shared/ids.ts";
import {
  ERASURE_STATES,
  EXPORT_STATES,
  REQUEST_CHANNELS,
  REQUEST_KINDS,
  REQUEST_REASONS,
  REQUEST_STATES,
  type SignedReceipt,
} from "../../shared/privacy.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { fingerprint, operational, person, personal, reference, secret } from "./tags.ts";

const rights = { use: ["essential.legal_obligation"], clause: "P5.6", basis: "legal_obligation" } as const;
const request = { ...rights, retain: "request", erase: "null" } as const;
/** What only the answer needed. */
const untilAnswered = { ...request, retain: "month" } as const;
const chosen = { ...rights, clause: "P5.2", retain: "account" } as const;

export const STEP_STATES = ["waiting", "done", "late"] as const;

export function privacyTables(k: Kit, { users }: ReturnType<typeof userTables>) {
  /** What is left 24 months after the answer: when, what kind, how, and on what ground (CCPA regulations §7101). */
  const dataRequests = k.table(
    "data_requests",
    {
      owner: "user",
      people: ["customer", "visitor"],
      subject: { column: "userId", also: ["emailIndex"] },
      clock: "closedAt",
    },
    {
      id: k.text(reference("request")).$type<DataRequestId>().primaryKey(),
      number: k.text(reference("request")).notNull(),
      kind: k.oneOf(REQUEST_KINDS, reference("request")).notNull(),
      channel: k.oneOf(REQUEST_CHANNELS, reference("request")).notNull(),
      state: k.oneOf(REQUEST_STATES, reference("request")).notNull(),
      reason: k.oneOf(REQUEST_REASONS, reference("request")),
      /** Empty until the request is matched to an account, and after the account is gone. */
      userId: k.text(person(request)).$type<UserId>(),
      /** Where the answer goes; forgotten with the account, or 30 days after the answer. */
      email: k.sealed("data_requests.email", "server", personal("user.contact.email", untilAnswered)),
      emailIndex: k.fingerprint("email", fingerprint(untilAnswered)),
      text: k.sealed("data_requests.text", "server", personal("user.content.private", untilAnswered)),
      answer: k.sealed("data_requests.answer", "server", personal("user.content.private", request)),
      /** SHA-256 of the token in the mail that asks whether the request is theirs. */
      verifyHash: k.text({ ...secret("user.authorization.credentials", "month"), erase: "null" }),
      verifiedAt: k.instant(reference("request")),
      /** True arrival, not when somebody typed it in. */
      receivedAt: k.instant(reference("request")).notNull(),
      enteredAt: k.instant(operational("request")).notNull(),
      /** The earlier of 30 days and one calendar month after arrival. */
      dueAt: k.instant(reference("request")).notNull(),
      acknowledgedAt: k.instant(reference("request")),
      /** The newest reminder to the operator, in days after arrival. */
      remindedDay: k.int(operational("request")).notNull().default(0),
      closedAt: k.instant(reference("request")),
      receipt: k.json<SignedReceipt>(reference("request")),
      idempotencyKey: k.text(personal("user.privacy_preferences", request)),
    },
    (t) => [
      k.uniqueIndex("data_requests_number").on(t.number),
      k.uniqueIndex("data_requests_key").on(t.userId, t.idempotencyKey),
      k.uniqueIndex("data_requests_verify").on(t.verifyHash),
      k.index("data_requests_due").on(t.state, t.dueAt),
      k.index("data_requests_email_index").on(t.emailIndex),
      k.index("data_requests_closed").on(t.closedAt),
    ],
  );

  const statements = k.table(
    "statements",
    { owner: "user", subject: { column: "userId" }, clock: "at" },
    {
      id: k.text(reference("account")).$type<StatementId>().primaryKey(),
      userId: k
        .text(person(chosen))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      /** The data category it is about. */
      category: k.text(reference("account")).notNull(),
      text: k
        .sealed("statements.text", "subject", personal("user.content.private", { ...chosen, rectify: "self" }))
        .notNull(),
      at: k.instant(personal("user.behavior", chosen)).notNull(),
    },
    (t) => [k.index("statements_user").on(t.userId)],
  );

  /** One row a person who chose anything; without one, nothing is restricted and use counts in the numbers. */
  const privacyPreferences = k.table(
    "privacy_preferences",
    { owner: "user", subject: { column: "userId" }, clock: "changedAt" },
    {
      userId: k
        .text(person(chosen))
        .$type<UserId>()
        .primaryKey()
        .references(() => users.id, { onDelete: "cascade" }),
      restrictedAt: k.instant(personal("user.privacy_preferences", chosen)),
      leftMetricsAt: k.instant(personal("user.privacy_preferences", chosen)),
      changedAt: k.instant(personal("user.privacy_preferences", chosen)).notNull(),
    },
  );

  const dataExports = k.table(
    "data_exports",
    { owner: "user", subject: { column: "userId" }, clock: "askedAt" },
    {
      id: k.text(reference("week")).$type<DataExportId>().primaryKey(),
      userId: k
        .text(person({ ...chosen, retain: "week" }))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      requestId: k.text(reference("week")).$type<DataRequestId>(),
      state: k.oneOf(EXPORT_STATES, personal("user.privacy_preferences", { ...chosen, retain: "week" })).notNull(),
      askedAt: k.instant(personal("user.behavior", { ...chosen, retain: "week" })).notNull(),
      readyAt: k.instant(reference("week")),
      expiresAt: k.instant(reference("week")),
      rows: k.int(reference("week")).notNull().default(0),
      rowsExpected: k.int(reference("week")).notNull().default(0),
      bytes: k.int(reference("week")),
      downloads: k.int(reference("week")).notNull().default(0),
      failure: k.text(reference("week")),
      /** The archive's key, sealed; the archive itself is a file of the exports folder, encrypted with it. */
      sealedKey: k.text(secret("user.authorization.credentials", "week")),
      /** SHA-256 of the ticket of the next download. */
      ticketHash: k.text(secret("user.authorization.credentials", "week")),
      ticketExpiresAt: k.instant(operational("week")),
      idempotencyKey: k.text(operational("week")).notNull(),
    },
    (t) => [
      k.uniqueIndex("data_exports_key").on(t.userId, t.idempotencyKey),
      k.uniqueIndex("data_exports_ticket").on(t.ticketHash),
      k.index("data_exports_expiry").on(t.expiresAt),
      k.index("data_exports_asked").on(t.askedAt),
    ],
  );

  /** No row of it names a person once it is done: the link is cut, the certificate holds counts. */
  const erasures = k.table(
    "erasures",
    { owner: "user", subject: { column: "userId" }, clock: "doneAt" },
    {
      id: k.text(reference("request")).$type<ErasureId>().primaryKey(),
      userId: k.text(person({ ...request, erase: "legal" })).$type<UserId>(),
      requestId: k.text(reference("request")).$type<DataRequestId>(),
      state: k.oneOf(ERASURE_STATES, reference("request")).notNull(),
      askedAt: k.instant(reference("request")).notNull(),
      purgeAt: k.instant(reference("request")).notNull(),
      doneAt: k.instant(reference("request")),
      /** What becomes of teams with other members, as the person chose. Forgotten at the end. */
      choices: k.json<unknown>(personal("user.privacy_preferences", request)),
      /** SHA-256 of the token in the undo link. */
      undoHash: k.text({ ...secret("user.authorization.credentials", "request"), erase: "null" }),
      /** SHA-256 of the token that shows the certificate, for 60 days. */
      certificateHash: k.text({ ...secret("user.authorization.credentials", "request"), erase: "keep_not_personal" }),
      certificate: k.json<SignedReceipt>(operational("request")),
      idempotencyKey: k.text(personal("user.privacy_preferences", request)),
    },
    (t) => [
      k.uniqueIndex("erasures_open").on(t.userId).where(sql`${t.state} in ('grace', 'purging')`),
      k.uniqueIndex("erasures_undo").on(t.undoHash),
      k.uniqueIndex("erasures_certificate").on(t.certificateHash),
      k.index("erasures_due").on(t.state, t.purgeAt),
      k.index("erasures_done").on(t.doneAt),
      k.index("erasures_person").on(t.userId),
    ],
  );
  const erasureSteps = k.table(
    "erasure_steps",
    { owner: "system", subject: { none: "Names of stores and counts." }, clock: "doneAt" },
    {
      erasureId: k
        .text(operational("request"))
        .$type<ErasureId>()
        .notNull()
        .references(() => erasures.id, { onDelete: "cascade" }),
      store: k.text(operational("request")).notNull(),
      position: k.int(operational("request")).notNull(),
      state: k.oneOf(STEP_STATES, operational("request")).notNull(),
      /** What was there before, and what a look afterwards found. */
      before: k.int(operational("request")),
      after: k.int(operational("request")),
      attempts: k.int(operational("request")).notNull().default(0),
      firstTriedAt: k.instant(operational("request")),
      doneAt: k.instant(operational("request")),
      /** For what the law keeps: until when. */
      keptUntil: k.instant(operational("request")),
    },
    (t) => [k.primaryKey({ columns: [t.erasureId, t.store] })],
  );
  /**
   * People whose rows nobody may write any more; triggers on both engines refuse it. Also the ledger of erasures as nodes have it
   * from each other (`erasure/ledger.ts`). Goes when the last backup has.
   */
  const erasureFence = k.table(
    "erasure_fence",
    {
      owner: "system",
      subject: { none: "A random id that leads to nobody once the account is gone." },
      clock: "since",
    },
    {
      subject: k.text(operational("month")).primaryKey(),
      since: k.instant(operational("month")).notNull(),
      /** Those that were closed with the person: for the ledgers of nodes that were away meanwhile. */
      teams: k.json<readonly TeamId[]>(operational("month")).notNull().default([]),
    },
    (t) => [k.index("erasure_fence_since").on(t.since)],
  );

  /** Versions of the policy that were announced; their texts are in `shared/policy/`. */
  const policyVersions = k.table(
    "policy_versions",
    { owner: "system", subject: { none: "About texts." }, clock: "announcedAt" },
    {
      version: k.int(operational()).primaryKey(),
      announcedAt: k.instant(operational()).notNull(),
      /** When the last notice was delivered; in force no sooner than 14 days later. */
      noticedAt: k.instant(operational()),
      effectiveAt: k.instant(operational()),
    },
  );
  const policyNotices = k.table(
    "policy_notices",
    { owner: "user", subject: { column: "userId" }, clock: "queuedAt" },
    {
      version: k.int(reference("account")).notNull(),
      userId: k
        .text(person({ ...chosen, clause: "P8.2" }))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      queuedAt: k.instant(personal("user.behavior", { ...chosen, clause: "P8.2" })).notNull(),
      mailedAt: k.instant(personal("user.behavior", { ...chosen, clause: "P8.2" })),
      mailFailedAt: k.instant(personal("user.behavior", { ...chosen, clause: "P8.2" })),
      shownAt: k.instant(personal("user.behavior", { ...chosen, clause: "P8.2" })),
      acknowledgedAt: k.instant(personal("user.behavior", { ...chosen, clause: "P8.2" })),
      objectedAt: k.instant(personal("user.privacy_preferences", { ...chosen, clause: "P8.2" })),
    },
    (t) => [k.primaryKey({ columns: [t.version, t.userId] }), k.index("policy_notices_person").on(t.userId)],
  );
  return {
    dataRequests,
    statements,
    privacyPreferences,
    dataExports,
    erasures,
    erasureSteps,
    erasureFence,
    policyVersions,
    policyNotices,
  };
}
