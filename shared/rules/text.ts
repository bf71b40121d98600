/** Texts of pages made safe to show and to pass on. */

const MAX_VALUE_BYTES = 2_048;
const MAX_SHOWN = 80;

/** Control characters and those that turn the direction of writing, which could hide what a text says. */
const INVISIBLE = /[\p{Cc}\p{Cs}\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+/gu;

/** One line, composed, trimmed, without invisible characters, at most 2 KB of UTF-8. */
export function normalise(text: string): string {
  const line = text
    .slice(0, 4 * MAX_VALUE_BYTES)
    .normalize("NFC")
    .replace(/\s+/g, " ")
    .replace(INVISIBLE, "")
    .trim();
  const bytes = new Uint8Array(MAX_VALUE_BYTES);
  return line.slice(0, new TextEncoder().encodeInto(line, bytes).read);
}

/** A text as an explanation shows it. */
export function shorten(text: string): string {
  const line = normalise(text);
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN - 1).toWellFormed()}…` : line;
}
