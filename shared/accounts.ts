/** Accounts as both sides see them: who am I, sessions, and the connect flow's inputs. */
import { z } from "zod";
import type { Role, Scope } from "./access.ts";
import type { SessionId, TeamId, UserId } from "./ids.ts";
import { isTimeZone } from "./phones.ts";

export const email = z
  .string()
  .trim()
  .max(254, "An e-mail address has at most 254 characters.")
  .pipe(z.email("This is not an e-mail address."));
export const MIN_PASSWORD_LENGTH = 12;
export const MAX_PASSWORD_LENGTH = 256;
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

/** Public parameters of `GET /connect` (RFC 6749 authorization code + RFC 7636 PKCE, S256 only). */
export const connectQuery = z.strictObject({
  response_type: z.literal("code"),
  client_id: z.literal("perch-extension"),
  redirect_uri: z.url(),
  state: z.string().min(16).max(128),
  code_challenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  code_challenge_method: z.literal("S256"),
});

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
  readonly session: { readonly id: SessionId; readonly scopes: readonly Scope[]; readonly expiresAt: string };
  readonly limits: { readonly phones: number; readonly running: number };
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
  readonly timeZone?: string;
  readonly ip?: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
}
