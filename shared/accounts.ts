/** Accounts as both sides see them: who am I, factors, sessions, tokens, standing, and the connect flow's inputs. */
import { z } from "zod";
import { type Role, SCOPES, type Scope } from "./access.ts";
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, type SignInMethod } from "./account-model.ts";
import type { ApiTokenId, DecisionId, PasskeyId, SessionId, TeamId, UserId } from "./ids.ts";
import { isTimeZone } from "./phones.ts";

export * from "./account-model.ts";

export const email = z
  .string()
  .trim()
  .max(254, "An e-mail address has at most 254 characters.")
  .pipe(z.email("This is not an e-mail address."));
export const password = z
  .string()
  .min(
    MIN_PASSWORD_LENGTH,
    `Use at least ${MIN_PASSWORD_LENGTH} characters. A few words in a row are easy to remember.`,
  )
  .max(MAX_PASSWORD_LENGTH, `Use at most ${MAX_PASSWORD_LENGTH} characters.`);
export const fullName = z.string().trim().max(100, "A name has at most 100 characters.");

/** Where the extension may be sent back to: computed from the store ids, never a wildcard. */
export const CHROME_EXTENSION_ID = "jfdingcbnfdkphidpnogopmffbfadbbf";
export const FIREFOX_EXTENSION_ID = "perch@perch.invalid";

/**
 * Public parameters of `GET /connect` (RFC 6749 authorization code + RFC 7636 PKCE, S256 only). `prompt=login` (OpenID
 * Connect Core §3.1.2.1) asks for a fresh proof of who one is: how the extension steps up.
 */
export const connectQuery = z.strictObject({
  response_type: z.literal("code"),
  client_id: z.literal("perch-extension"),
  redirect_uri: z.url(),
  state: z.string().min(16).max(128),
  code_challenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  code_challenge_method: z.literal("S256"),
  prompt: z.literal("login").optional(),
});

/**
 * Called with the extension's present token after `prompt=login`, the same session goes on under a new token and the
 * old one stops working; without one a new session begins.
 */
export const exchangeInput = z.strictObject({
  code: z.string().min(20).max(128),
  verifier: z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/),
  redirectUri: z.url(),
  /** IANA name, shown to the person in their list of sessions. */
  timeZone: z.string().max(64).refine(isTimeZone).optional(),
});

/** Answer of `account.exchange`. The token is shown once and stored hashed. */
export interface Exchanged {
  readonly token: string;
  readonly expiresAt: string;
  readonly me: Me;
}

/** Answer of `account.me`. */
export interface Me {
  readonly user: { readonly id: UserId; readonly email: string; readonly name?: string };
  readonly team: { readonly id: TeamId; readonly name: string; readonly role: Role };
  readonly session: {
    readonly id: SessionId;
    readonly scopes: readonly Scope[];
    readonly expiresAt: string;
    /** Until when what needs a fresh proof goes without asking again (ISO 8601); in the past when it is over. */
    readonly provenUntil: string;
  };
  /** Of this server, for every team; left out where the plan alone says how many. */
  readonly limits: { readonly phones?: number; readonly running?: number };
}

export function assurance(method: SignInMethod): 1 | 2 {
  return method === "password" || method === "set_up" ? 1 : 2;
}

export const SESSION_KINDS = ["web", "extension", "api"] as const;
export type SessionKind = (typeof SESSION_KINDS)[number];

/** One row of `sessions.list`. `browser` and `system` are words made from the user agent. */
export interface SessionView {
  readonly id: SessionId;
  readonly kind: SessionKind;
  readonly current: boolean;
  readonly browser: string;
  readonly system: string;
  readonly method: SignInMethod;
  readonly timeZone?: string;
  readonly ip?: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
}

export const updateProfileInput = z.strictObject({ fullName });
export const changePasswordInput = z.strictObject({ password });
export const changeEmailInput = z.strictObject({ email });
/** A code from an app, however it was typed: blanks are no part of it. */
export const totpCode = z
  .string()
  .transform((text) => text.replace(/\s/g, ""))
  .pipe(z.string().regex(/^\d{6}$/, "A code has six digits."));
export const confirmTotpInput = z.strictObject({ code: totpCode });
export const passkeyName = z.string().trim().min(1, "Give the passkey a name.").max(60, "Use at most 60 characters.");

export interface PasskeyView {
  readonly id: PasskeyId;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
  /** Kept in sync by its maker (WebAuthn backup state), so it survives the loss of one device. */
  readonly backedUp: boolean;
}

/** Answer of `account.security`: everything that lets somebody in. */
export interface SecurityOverview {
  readonly password: { readonly changedAt: string } | null;
  readonly totp: { readonly since: string } | null;
  readonly backupCodesLeft: number;
  readonly passkeys: readonly PasskeyView[];
  /** An address that waits for its confirmation. */
  readonly pendingEmail: { readonly email: string; readonly expiresAt: string } | null;
  /** Pages of the server, to be opened in a tab. */
  readonly passkeysPage: string;
}

/** Answer of `account.beginTotp`. Shown once; nothing is asked at sign-in before `account.confirmTotp`. */
export interface TotpEnrolment {
  /** Base32, for typing. */
  readonly secret: string;
  /** `otpauth://` (Google Authenticator's key URI format). */
  readonly uri: string;
  /** The same as a QR code: an SVG document, to be shown as an image. */
  readonly qrSvg: string;
}

/** Answer of `account.confirmTotp` and `account.newBackupCodes`; shown once. */
export interface BackupCodes {
  readonly codes: readonly string[];
}

export const tokenName = z.string().trim().min(1, "Give the token a name.").max(60, "Use at most 60 characters.");
export const TOKEN_DAYS = [7, 30, 90, 365] as const;
export const createTokenInput = z.strictObject({
  name: tokenName,
  scopes: z.array(z.enum(SCOPES)).min(1, "Choose at least one scope."),
  days: z.union(TOKEN_DAYS.map((days) => z.literal(days))),
});

/** One row of `tokens.list`: those of the team for who may manage it, else one's own. */
export interface TokenView {
  readonly id: ApiTokenId;
  readonly name: string;
  /** First characters of the token. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly createdBy: { readonly id: UserId; readonly name: string };
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly lastUsedAt?: string;
}

/** Answer of `tokens.create`; the token is shown once. */
export interface CreatedToken {
  readonly token: string;
  readonly view: TokenView;
}

/** What was decided about an account by the rules against abuse (`server/abuse/`), with its reasons in words. */
/** `operator`: a person decided, not a rule. */
export const DECISION_KINDS = ["sign_up", "launch", "operator"] as const;
export type DecisionKind = (typeof DECISION_KINDS)[number];
export const DECISION_ACTIONS = ["allow", "verify_first", "hold", "suspend"] as const;
export type DecisionAction = (typeof DECISION_ACTIONS)[number];
export const DECISION_STATES = ["in_force", "contested", "lifted", "upheld"] as const;
export type DecisionState = (typeof DECISION_STATES)[number];
export interface DecisionView {
  readonly id: DecisionId;
  readonly kind: DecisionKind;
  readonly action: DecisionAction;
  readonly state: DecisionState;
  /** Sentences, the weightiest first. */
  readonly reasons: readonly string[];
  readonly at: string;
  /** What the person wrote against it. */
  readonly contest?: string;
}
export const contestText = z
  .string()
  .trim()
  .min(1, "Write why this is wrong.")
  .max(2000, "Use at most 2,000 characters.");
