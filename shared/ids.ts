/** Branded identifiers. Ids are prefixed, random (128 bit) and never carry meaning. */
import { z } from "zod";

declare const brand: unique symbol;
export type Branded<T, B extends string> = T & { readonly [brand]: B };

export const ID_PREFIXES = {
  user: "usr",
  team: "team",
  phone: "ph",
  session: "ses",
  apiToken: "tok",
  job: "job",
  viewer: "vw",
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

export type UserId = Branded<string, "user">;
export type TeamId = Branded<string, "team">;
export type PhoneId = Branded<string, "phone">;
export type SessionId = Branded<string, "session">;
export type ApiTokenId = Branded<string, "apiToken">;
/** Whatever a caller signed in with: a person's session, or an API token. */
export type CredentialId = SessionId | ApiTokenId;
export type JobId = Branded<string, "job">;
export type ViewerId = Branded<string, "viewer">;

/**
 * A zod schema for one id kind: `<prefix>_<22 base64url characters>`.
 * The cast is safe: the pattern is what the brand stands for.
 */
export function idSchema<K extends IdKind>(kind: K): z.ZodType<Branded<string, K>, string> {
  const pattern = new RegExp(`^${ID_PREFIXES[kind]}_[A-Za-z0-9_-]{22}$`);
  return z.string().regex(pattern, `This is not a ${kind} id.`) as unknown as z.ZodType<Branded<string, K>, string>;
}

export const userId = idSchema("user");
export const teamId = idSchema("team");
export const phoneId = idSchema("phone");
export const sessionId = idSchema("session");
export const apiTokenId = idSchema("apiToken");

/** Tells a session from an API token by its prefix. */
export function isSessionId(id: CredentialId): id is SessionId {
  return id.startsWith(`${ID_PREFIXES.session}_`);
}

/** A new random id (128 bits from the platform's CSPRNG); works in browsers and Node. */
export function newId<K extends IdKind>(kind: K): Branded<string, K> {
  return `${ID_PREFIXES[kind]}_${base64Url(crypto.getRandomValues(new Uint8Array(16)))}` as Branded<string, K>;
}

/** Unpadded base64url (RFC 4648 §5) of bytes. */
export function base64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
