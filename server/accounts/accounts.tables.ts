/** Accounts, identities, sessions and the single-use secrets around them. */
import { sql } from "drizzle-orm";
import type { Scope } from "../../shared/access.ts";
import { SESSION_KINDS, SIGN_IN_METHODS } from "../../shared/accounts.ts";
import type { ApiTokenId, PasskeyId, SessionId, TeamId, UserId } from "../../shared/ids.ts";
import type { FormSignal } from "../abuse/signals.ts";
import type { Kit } from "../db/dialect.ts";
import { fingerprint, ofTeam, operational, person, personal, reference, secret } from "../privacy/tags.ts";
import type { TeamTables } from "../teams/teams.tables.ts";

export const ONE_TIME_KINDS = [
  "sign_up",
  "reset",
  "setup",
  /** The link to a new address. */
  "email_change",
  /** The link to the earlier address: takes the change back. */
  "email_undo",
  /** A password was right, a second factor is missing. */
  "second_factor",
  /** A WebAuthn challenge that waits for its answer. */
  "passkey",
  /** The link of locked-out recovery. */
  "recovery",
  "operator_desk",
  /** A code of an app that was taken; no code is taken twice. */
  "used_code",
] as const;

/** A sign-up that waits for its address to be confirmed. */
export interface PendingSignUp {
  readonly email: string;
  readonly emailShown: string;
  readonly fullName?: string;
  readonly phc: string;
  /** What the sign-up form said of who sent it. */
  readonly form?: readonly FormSignal[];
}
export const IDENTITY_PROVIDERS = ["embedded", "supabase"] as const;

const audit = {
  use: ["essential.service.security"],
  clause: "P1.5",
  retain: "quarter",
  basis: "legitimate_interests",
} as const;
const authentication = { use: ["essential.service.authentication"], clause: "P1.2", retain: "account" } as const;

export function userTables(k: Kit) {
  const users = k.table(
    "users",
    { owner: "user", subject: { column: "id" }, clock: "createdAt" },
    {
      id: k.text(person(authentication)).$type<UserId>().primaryKey(),
      /** Lower-cased and NFC. */
      email: k
        .sealed("users.email", "subject", personal("user.contact.email", { ...authentication, rectify: "self" }))
        .notNull(),
      /** Look-ups go by it. Empty only until a row from before it was there is sealed. */
      emailIndex: k.fingerprint("email", fingerprint(authentication)),
      /** As the person wrote it. */
      emailShown: k
        .sealed("users.emailShown", "subject", personal("user.contact.email", { ...authentication, rectify: "self" }))
        .notNull(),
      fullName: k.sealed("users.fullName", "subject", personal("user.name", { ...authentication, rectify: "self" })),
      createdAt: k.instant(personal("user.behavior", { ...authentication, clause: "P1.4" })).notNull(),
      deletedAt: k.instant(personal("user.behavior", { ...authentication, clause: "P4.2" })),
      /** The day of the last sign-in or use, UTC; no exacter. */
      lastSeenAt: k.instant(personal("user.behavior", { ...authentication, clause: "P4.1" })),
      /** The newest notice about inactivity, in days before deletion; 0: deletion was asked for. */
      inactiveNotice: k.int(personal("user.behavior", { ...authentication, clause: "P4.1" })),
      /** Set with the first notice, forgotten with any sign-in. */
      inactiveDeletionAt: k.instant(personal("user.behavior", { ...authentication, clause: "P4.1" })),
      /** An operator suspended the account; why, the person reads in `abuse_decisions`. */
      suspendedAt: k.instant(
        personal("user.behavior", {
          ...{ use: ["essential.fraud_detection"], clause: "P2.4", retain: "account", basis: "legitimate_interests" },
        }),
      ),
    },
    (t) => [
      k.uniqueIndex("users_email_index_live").on(t.emailIndex).where(sql`${t.deletedAt} is null`),
      k.index("users_seen").on(t.lastSeenAt),
    ],
  );
  return { users };
}

export function accountTables(k: Kit, { users, teams }: ReturnType<typeof userTables> & TeamTables) {
  const identities = k.table(
    "identities",
    { owner: "user", subject: { column: "userId" }, clock: "verifiedAt" },
    {
      provider: k.oneOf(IDENTITY_PROVIDERS, reference("account")).notNull(),
      subject: k.text(personal("user.unique_id", authentication)).notNull(),
      userId: k
        .text(person(authentication))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      verifiedAt: k.instant(personal("user.behavior", authentication)).notNull(),
      /** When it was last looked whether a provider elsewhere still knows the person. */
      checkedAt: k.instant(operational("account")),
      /** Where a provider elsewhere keeps the password; empty when there is none. */
      passwordChangedAt: k.instant(personal("user.behavior", authentication)),
    },
    (t) => [
      k.primaryKey({ columns: [t.provider, t.subject] }),
      k.index("identities_user").on(t.userId),
      k.index("identities_checked").on(t.provider, t.checkedAt),
    ],
  );

  const passwordCredentials = k.table(
    "password_credentials",
    { owner: "user", subject: { column: "userId" }, clock: "changedAt" },
    {
      userId: k
        .text(person(authentication))
        .$type<UserId>()
        .primaryKey()
        .references(() => users.id, { onDelete: "cascade" }),
      /** PHC string, argon2id. */
      phc: k.text(secret("user.authorization.password", "account")).notNull(),
      changedAt: k.instant(personal("user.behavior", authentication)).notNull(),
    },
  );

  /** Single-use tokens sent by mail or printed at first run; only SHA-256 of the token is stored. */
  const oneTimeTokens = k.table(
    "one_time_tokens",
    { owner: "user", people: ["customer", "visitor"], subject: { column: "userId" }, clock: "expiresAt" },
    {
      hash: k.text(secret("user.authorization.credentials", "week")).primaryKey(),
      kind: k.oneOf(ONE_TIME_KINDS, reference("week")).notNull(),
      userId: k
        .text(person({ ...authentication, retain: "week" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "cascade" }),
      /** A pending sign-up: address, name and password hash until the address is confirmed. */
      pending: k.sealedJson<PendingSignUp>(
        "one_time_tokens.pending",
        personal("user.contact.email", {
          ...authentication,
          retain: "day",
          link: "mention",
          holds: ["user.name", "user.authorization.password", "user.behavior"],
          export: { never: "No account exists yet." },
        }),
      ),
      /** What the other kinds need to go on: an address, a challenge. Each kind's writer says its shape. */
      data: k.sealedJson<Readonly<Record<string, string>>>(
        "one_time_tokens.data",
        personal("user.contact.email", {
          ...authentication,
          retain: "week",
          holds: ["user.authorization.credentials"],
          export: { never: "Waits for a link or a code and is gone with it." },
        }),
      ),
      /** Wrong answers so far. */
      attempts: k.int(operational("week")).notNull().default(0),
      createdAt: k.instant(reference("week")).notNull(),
      expiresAt: k.instant(reference("week")).notNull(),
    },
    (t) => [k.index("one_time_tokens_expiry").on(t.expiresAt), k.index("one_time_tokens_user").on(t.userId)],
  );

  const sessions = k.table(
    "sessions",
    { owner: "user", subject: { column: "userId" }, clock: "seenAt" },
    {
      id: k
        .text(personal("user.unique_id", { ...audit, retain: "quarter" }))
        .$type<SessionId>()
        .primaryKey(),
      tokenHash: k.text(secret("user.authorization.credentials", "quarter")).notNull(),
      userId: k
        .text(person(audit))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      kind: k.oneOf(SESSION_KINDS, personal("user.behavior", audit)).notNull(),
      /** The team the session works in; the person's oldest one when this is empty or they left it. */
      teamId: k
        .text(ofTeam("quarter"))
        .$type<TeamId>()
        .references(() => teams.id, { onDelete: "set null" }),
      method: k.oneOf(SIGN_IN_METHODS, personal("user.behavior", audit)).notNull().default("password"),
      createdAt: k.instant(personal("user.behavior", audit)).notNull(),
      /** When the person last proved who they are, for step-up. */
      authenticatedAt: k.instant(personal("user.behavior", audit)).notNull(),
      seenAt: k.instant(personal("user.behavior", audit)).notNull(),
      idleExpiresAt: k.instant(reference("quarter")).notNull(),
      absoluteExpiresAt: k.instant(reference("quarter")).notNull(),
      endedAt: k.instant(personal("user.behavior", audit)),
      ip: k.sealed("sessions.ip", "subject", personal("user.device.ip_address", audit)),
      userAgent: k.sealed("sessions.userAgent", "subject", personal("user.device.device_id", audit)),
      timeZone: k.sealed("sessions.timeZone", "subject", personal("user.location.imprecise", audit)),
    },
    (t) => [
      k.uniqueIndex("sessions_token").on(t.tokenHash),
      k.index("sessions_user").on(t.userId),
      k.index("sessions_seen").on(t.seenAt),
      k.index("sessions_open").on(t.idleExpiresAt).where(sql`${t.endedAt} is null`),
      k.index("sessions_team").on(t.teamId),
    ],
  );

  /** Authorization codes of the connect flow (RFC 6749 §4.1, RFC 7636). Kept a day after use to catch replay. */
  const connectCodes = k.table(
    "connect_codes",
    { owner: "user", subject: { column: "userId" }, clock: "createdAt" },
    {
      hash: k.text(secret("user.authorization.credentials", "day")).primaryKey(),
      userId: k
        .text(person({ ...authentication, retain: "day" }))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      redirectUri: k.text(operational("day")).notNull(),
      challenge: k.text(secret("user.authorization.credentials", "day")).notNull(),
      authenticatedAt: k.instant(operational("day")).notNull(),
      method: k.oneOf(SIGN_IN_METHODS, operational("day")).notNull().default("password"),
      /** The team of the web session it was approved in. */
      teamId: k
        .text(ofTeam("day"))
        .$type<TeamId>()
        .references(() => teams.id, { onDelete: "set null" }),
      createdAt: k.instant(operational("day")).notNull(),
      expiresAt: k.instant(operational("day")).notNull(),
      usedAt: k.instant(operational("day")),
      /** The session the code produced, revoked when the code is used again. */
      sessionId: k.text(personal("user.unique_id", { ...authentication, retain: "day" })).$type<SessionId>(),
    },
    (t) => [
      k.index("connect_codes_created").on(t.createdAt),
      k.index("connect_codes_user").on(t.userId),
      k.index("connect_codes_team").on(t.teamId),
    ],
  );

  const apiTokens = k.table(
    "api_tokens",
    { owner: "team", subject: { column: "createdBy" }, clock: "createdAt" },
    {
      id: k.text(reference("account")).$type<ApiTokenId>().primaryKey(),
      teamId: k
        .text(ofTeam("account"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      createdBy: k
        .text(person({ ...audit, retain: "account" }))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      name: k.text(personal("user.content.private", { ...authentication, retain: "account" })).notNull(),
      tokenHash: k.text(secret("user.authorization.credentials", "account")).notNull(),
      /** First characters, shown to tell tokens apart. */
      prefix: k.text(reference("account")).notNull(),
      scopes: k.json<Scope[]>(reference("account")).notNull(),
      createdAt: k.instant(personal("user.behavior", { ...audit, retain: "account" })).notNull(),
      expiresAt: k.instant(reference("account")).notNull(),
      lastUsedAt: k.instant(personal("user.behavior", { ...audit, retain: "account" })),
      revokedAt: k.instant(personal("user.behavior", audit)),
    },
    (t) => [
      k.uniqueIndex("api_tokens_hash").on(t.tokenHash),
      k.index("api_tokens_team").on(t.teamId),
      k.index("api_tokens_expiry").on(t.expiresAt),
      k.index("api_tokens_revoked").on(t.revokedAt),
      k.index("api_tokens_person").on(t.createdBy),
    ],
  );

  /** Codes of an app (RFC 6238). One a person. */
  const totpFactors = k.table(
    "totp_factors",
    { owner: "user", subject: { column: "userId" }, clock: "createdAt" },
    {
      userId: k
        .text(person(authentication))
        .$type<UserId>()
        .primaryKey()
        .references(() => users.id, { onDelete: "cascade" }),
      /** Sealed with a key of its own (AES-256-GCM, the person's id as associated data). */
      sealedSecret: k.text(secret("user.authorization.credentials", "account")).notNull(),
      /** The last time step a code was taken for; no code of it or an earlier one is taken again (ASVS 6.5.1). */
      lastStep: k.int(operational("account")).notNull().default(0),
      createdAt: k.instant(personal("user.behavior", authentication)).notNull(),
      /** Nothing is asked at sign-in before. */
      confirmedAt: k.instant(personal("user.behavior", authentication)),
    },
  );

  const backupCodes = k.table(
    "backup_codes",
    { owner: "user", subject: { column: "userId" }, clock: "createdAt" },
    {
      hash: k.text(secret("user.authorization.credentials", "account")).primaryKey(),
      userId: k
        .text(person(authentication))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      createdAt: k.instant(personal("user.behavior", authentication)).notNull(),
      usedAt: k.instant(personal("user.behavior", authentication)),
    },
    (t) => [k.index("backup_codes_user").on(t.userId)],
  );

  /** WebAuthn credentials (W3C WebAuthn Level 3). */
  const passkeys = k.table(
    "passkeys",
    { owner: "user", subject: { column: "userId" }, clock: "createdAt" },
    {
      id: k.text(reference("account")).$type<PasskeyId>().primaryKey(),
      userId: k
        .text(person(authentication))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      /** base64url. */
      credentialId: k.text(personal("user.unique_id", authentication)).notNull(),
      publicKey: k.bytes(secret("user.authorization.credentials", "account")).notNull(),
      counter: k.int(operational("account")).notNull(),
      transports: k.json<string[]>(reference("account")).notNull(),
      backedUp: k.bool(reference("account")).notNull(),
      name: k.text(personal("user.content.private", { ...authentication, rectify: "self" })).notNull(),
      createdAt: k.instant(personal("user.behavior", authentication)).notNull(),
      lastUsedAt: k.instant(personal("user.behavior", authentication)),
    },
    (t) => [k.uniqueIndex("passkeys_credential").on(t.credentialId), k.index("passkeys_user").on(t.userId)],
  );

  return {
    identities,
    passwordCredentials,
    oneTimeTokens,
    sessions,
    connectCodes,
    apiTokens,
    totpFactors,
    backupCodes,
    passkeys,
  };
}
