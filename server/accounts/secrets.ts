/** Bearer secrets: 256 random bits, shown once, stored only as SHA-256 (enough for random secrets; OWASP ASVS 5.0 V11.4). */
import { createHash, randomBytes } from "node:crypto";

/** `cp_`: a session. `pt_`: an API token. Links and codes carry no prefix. */
export type SecretPrefix = "cp_" | "pt_" | "";

/** A new secret: the prefix and 32 random bytes as base64url (43 characters). */
export function newSecret(prefix: SecretPrefix = ""): string {
  return prefix + randomBytes(32).toString("base64url");
}

/** What is stored instead of a secret: SHA-256 as base64url. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** True for text of the form `newSecret(prefix)` gives; saves a look-up for anything else. */
export function isSecret(text: string, prefix: SecretPrefix = ""): boolean {
  return text.startsWith(prefix) && /^[A-Za-z0-9_-]{43}$/.test(text.slice(prefix.length));
}
