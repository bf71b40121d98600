/**
 * Card numbers are Stripe's alone (policy clause P1.3): what looks like one is refused in whatever comes to be kept here, and
 * hidden in log lines. Looks like one: as many digits as its issuer's numbers have, alone or in groups as cards print them,
 * with a right check digit (ISO/IEC 7812-1 annex B).
 *
 * It holds for every call's input and every form. Left out: what goes to a phone of the person's and is not kept (its screen,
 * an address to open), and passwords, which are kept as hashes, and whose owners would be locked out. Texts of automations may
 * hold the numbers that payment companies publish for tests.
 */
import { PerchError } from "../errors.ts";

export const CARD_NUMBER_WORDS = "This looks like a card number. Perch never takes one: pay on Stripe's page.";

/** Digits alone or in groups of three and more, with one space or hyphen between; no part of a longer word or number. */
const RUN = /(?<![\p{L}\p{N}_+]|\d[.,])\d{3,19}(?:[ \u00a0\u2009\u202f-]\d{3,19}){0,6}(?![\p{L}\p{N}_]|[.,]\d)/gu;
const GROUPS = /\d+/g;
/** Ids as RFC 9562 writes them: one in thirty thousand begins with digits that could be a card's. */
const UUID = /(?<![\p{L}\p{N}_])[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}(?![\p{L}\p{N}_])/giu;
const [SHORTEST, LONGEST] = [13, 19];

/** First digits of each scheme's numbers, and how long those are. */
const SCHEMES: readonly { readonly first: RegExp; readonly lengths: readonly number[] }[] = [
  { first: /^4/, lengths: [13, 16, 19] },
  { first: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { first: /^3[47]/, lengths: [15] },
  { first: /^3(0[0-5]|[689])/, lengths: [14, 16, 19] },
  { first: /^(6011|64[4-9]|65)/, lengths: [16, 17, 18, 19] },
  { first: /^35(2[89]|[3-8])/, lengths: [16, 17, 18, 19] },
  { first: /^(62|81)/, lengths: [16, 17, 18, 19] },
  { first: /^(50(18|20|38)|5893|6304|67)/, lengths: [13, 14, 15, 16, 17, 18, 19] },
  { first: /^220[0-4]/, lengths: [16, 17, 18, 19] },
  { first: /^(508|60|82)/, lengths: [16] },
];

/** Published by payment companies for tests: they pay nothing. */
const TEST_NUMBERS: ReadonlySet<string> = new Set([
  ...["4242424242424242", "4000056655665556", "4111111111111111", "4000000000000002", "4000000000009995"],
  ...["4000000000003220", "4000002500003155", "4000000000000341", "5555555555554444", "2223003122003222"],
  ...["5200828282828210", "5105105105105100", "378282246310005", "371449635398431", "6011111111111117"],
  ...["6011000990139424", "3056930009020004", "36227206271667", "3566002020360505", "6200000000000005"],
]);

function isCardNumber(digits: string): boolean {
  if (digits.length < SHORTEST || digits.length > LONGEST) return false;
  if (!SCHEMES.some(({ first, lengths }) => lengths.includes(digits.length) && first.test(digits))) return false;
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - at) - 48;
    const value = at % 2 === 0 ? digit : digit * 2;
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** Where card numbers stand in a text. A number may be followed by others, as an expiry is: whole groups are looked at. */
function found(text: string): { readonly at: number; readonly end: number; readonly digits: string }[] {
  const all: { at: number; end: number; digits: string }[] = [];
  for (const run of text.replace(UUID, (id) => "_".repeat(id.length)).matchAll(RUN)) {
    const groups = [...run[0].matchAll(GROUPS)].map((group) => ({ at: run.index + group.index, text: group[0] }));
    for (let first = 0; first < groups.length; first += 1) {
      let digits = "";
      for (const group of groups.slice(first)) {
        digits += group.text;
        if (digits.length > LONGEST) break;
        if (!isCardNumber(digits)) continue;
        all.push({ at: groups[first]?.at ?? 0, end: group.at + group.text.length, digits });
      }
    }
  }
  return all;
}

export function holdsCardNumber(text: string, options: { readonly testNumbers?: "pass" } = {}): boolean {
  return found(text).some(({ digits }) => options.testNumbers !== "pass" || !TEST_NUMBERS.has(digits));
}

/** The text with each card number hidden. */
export function withoutCardNumbers(text: string): string {
  let made = "";
  let from = 0;
  for (const { at, end } of found(text)) {
    if (at < from) continue;
    made += `${text.slice(from, at)}[redacted]`;
    from = end;
  }
  return made + text.slice(from);
}

/** Kept as hashes alone, and typed again by who has one. */
const PASSWORDS = /password/i;

/** Whether a value with parts holds one, in whatever depth, be it as a number. */
function holdsOne(value: unknown, options: { readonly testNumbers?: "pass" }): boolean {
  if (typeof value === "string") return holdsCardNumber(value, options);
  if (typeof value === "number")
    return Number.isSafeInteger(value) && value > 0 && holdsCardNumber(String(value), options);
  if (Array.isArray(value)) return value.some((one: unknown) => holdsOne(one, options));
  // Files and streams are looked at by those who read them.
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.entries(value).some(
    ([name, one]) => !PASSWORDS.test(name) && (holdsCardNumber(name, options) || holdsOne(one, options)),
  );
}

/** @throws PerchError for an input that holds one, whatever field it stands in. */
export function demandNoCardNumber(input: unknown, options: { readonly testNumbers?: "pass" } = {}): void {
  if (holdsOne(input, options)) throw new PerchError("bad_input", CARD_NUMBER_WORDS);
}
