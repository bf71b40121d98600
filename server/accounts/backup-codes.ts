/**
 * Backup codes: for when the phone with the app is gone. Ten at a time, each works once.
 *
 * A code has 80 random bits, written as 4-4-4-4 characters so that a person can type it. ASVS 5.0 6.5.2 lets a plain
 * hash stand for 112 bits and more, and asks for a password hash below. What is stored here is an HMAC under a key that
 * lies outside the database instead: whoever has only the database cannot try a single code, and whoever has the key as
 * well faces 2^80 tries, which no slow hash has to make slower. A right code is then found by one look-up.
 */
import { createHmac, randomBytes } from "node:crypto";
import type { UserId } from "../../shared/ids.ts";

export const BACKUP_CODE_COUNT = 10;
const CODE_BYTES = 10;
/** Crockford's base32: no I, L, O or U, so nothing is mistaken for a digit. */
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Codes to be shown once, like "7KQ2-9XHM-4T0B-ZC5W". */
export function newBackupCodes(): string[] {
  return Array.from({ length: BACKUP_CODE_COUNT }, () => {
    const bits = [...randomBytes(CODE_BYTES)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const letters = (bits.match(/.{5}/g) ?? []).map((five) => LETTERS[Number.parseInt(five, 2)]).join("");
    return (letters.match(/.{4}/g) ?? []).join("-");
  });
}

/** What is stored of a code; the person's id is part of it. However it is typed, the same code gives the same. */
export function hashBackupCode(key: Buffer, userId: UserId, code: string): string {
  const typed = code
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1");
  return createHmac("sha256", key).update(`backup code\0${userId}\0${typed}`).digest("base64url");
}
