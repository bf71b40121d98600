/** One-time codes of an app: RFC 6238 with SHA-1, six digits and steps of 30 s, which is what every app can do. */
import { timingSafeEqual } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { renderSVG } from "uqr";
import { TOTP_DIGITS, type TotpEnrolment } from "../../shared/accounts.ts";

const STEP_SECONDS = 30;
const ISSUER = "Perch";
/** RFC 4226 §4 recommends 160 bits, the length of a SHA-1 key. */
const SECRET_BYTES = 20;

/** A new secret as base32. */
export function newTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/** What an app is given: the secret, the same as a link (Google Authenticator's key URI format), and that as a QR code. */
export function totpEnrolment(secret: string, account: string): TotpEnrolment {
  const uri = totp(secret, account).toString();
  return { secret, uri, qrSvg: renderSVG(uri, { ecc: "M", border: 2 }) };
}

/**
 * The time step a code belongs to, `undefined` for a wrong code. The present step counts and the one before it, for
 * slow fingers and clocks that run late by up to 30 s (RFC 6238 §5.2); codes of the future never do. `now` in ms.
 */
export function totpStep(secret: string, code: string, now: number): number | undefined {
  const app = totp(secret, "");
  const current = TOTP.counter({ period: STEP_SECONDS, timestamp: now });
  return [current, current - 1].find((step) => isSame(app.generate({ timestamp: step * STEP_SECONDS * 1000 }), code));
}

function totp(secret: string, label: string): TOTP {
  return new TOTP({
    issuer: ISSUER,
    label,
    algorithm: "SHA1",
    digits: TOTP_DIGITS,
    period: STEP_SECONDS,
    secret: Secret.fromBase32(secret),
  });
}

function isSame(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
