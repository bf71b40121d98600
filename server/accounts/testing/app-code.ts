import { Secret, TOTP } from "otpauth";

/** What the person's app shows at `now` (ms), from the secret in base32. */
export function totpCodeAt(secret: string, now: number): string {
  return TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: now });
}
