/** Amounts as people write them. Digits are moved, never computed with: no cent is lost to a fraction. */
import { minorDigits } from "../../../../shared/billing/words.ts";

/** `12`, `12.5`, `12,50` and `$12.50` in minor units; undefined for anything else. */
export function parseMoney(text: string, currency: string): number | undefined {
  const digits = minorDigits(currency);
  const found = /^\p{Sc}?\s*(\d{1,9})(?:[.,](\d+))?\s*\p{Sc}?$/u.exec(text.trim());
  if (found === null) return undefined;
  const [, whole = "", part = ""] = found;
  if (part.length > digits) return undefined;
  return Number(whole + part.padEnd(digits, "0"));
}

/** What a field shows for an amount: `12.50`, `12`. */
export function moneyText(amount: number, currency: string): string {
  const digits = minorDigits(currency);
  const units = String(amount).padStart(digits + 1, "0");
  const part = units.slice(units.length - digits);
  const whole = units.slice(0, units.length - digits);
  return digits === 0 || /^0*$/.test(part) ? whole : `${whole}.${part}`;
}

/** Whole hours in milliseconds. */
export function parseHours(text: string): number | undefined {
  return /^\d{1,6}$/.test(text.trim()) ? Number(text.trim()) * 3_600_000 : undefined;
}
