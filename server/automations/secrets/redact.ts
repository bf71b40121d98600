/**
 * Hides the secrets of a run in what it writes: each value as it is, URL-encoded, JSON- or HTML-escaped (once, twice or
 * mixed) and in base64 at any place of a longer text. Values that a program took apart first are not found: letters
 * reversed or spaced out, hashes, one value over two lines of the log.
 */
import { cutQuotes } from "../engine/words.ts";
import { type Encoding, encodingsOf, spellings } from "./spellings.ts";

export interface Secret {
  readonly name: string;
  /** At least 4 characters. */
  readonly value: string;
}

/** Makes of a run's texts what is kept of them: secrets hidden, and then values within messages cut (`quoted`). */
export interface Redactor {
  text(text: string): string;
  /** The same for every text inside plain data. */
  data<T>(data: T): T;
  /** Whether any secret stands in the text. */
  shows(text: string): boolean;
  /** Whether there is anything to hide. */
  readonly active: boolean;
}

/** Text as long as this may have been cut by whoever made it, in the middle of a secret. */
const MAY_BE_CUT = 1_000;
/** Fewer characters of a secret at the end of a cut text are left. */
const SHORTEST_REST = 4;
/** What may be written after a cut: a full stop, the line of a script. */
const NEAR_END = 40;
const TOO_DEEP = 200;

interface Place {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** One way a secret may stand in a text, character by character. */
interface Pattern {
  readonly name: string;
  readonly units: readonly (readonly Encoding[])[];
  readonly base64: boolean;
}

export const NO_SECRETS: Redactor = {
  text: cutQuotes,
  data: (data) => eachText(data, cutQuotes),
  shows: () => false,
  active: false,
};

export function redactorOf(secrets: readonly Secret[]): Redactor {
  if (secrets.length === 0) return NO_SECRETS;
  /** Long values repeat their characters. */
  const known = new Map<string, readonly Encoding[]>();
  const unit = (char: string, base64: boolean) => {
    const key = `${char}${base64}`;
    const encodings = known.get(key) ?? encodingsOf(char, base64);
    known.set(key, encodings);
    return encodings;
  };
  const patterns = secrets.flatMap(({ name, value }) =>
    spellings(value).map(
      ({ text, base64 }): Pattern => ({ name, base64, units: [...text].map((char) => unit(char, base64)) }),
    ),
  );
  /** By the first character of a match, so that most of a text is passed over. */
  const byFirst = new Map<string, Pattern[]>();
  for (const pattern of patterns) {
    for (const first of new Set(pattern.units[0]?.map(({ text }) => text[0] ?? ""))) {
      byFirst.set(first, [...(byFirst.get(first) ?? []), pattern]);
    }
  }

  function places(text: string): Place[] {
    const found: Place[] = [];
    for (let start = 0; start < text.length; start += 1) {
      for (const pattern of byFirst.get(text[start] ?? "") ?? []) {
        const end = matchEnd(text, start, pattern);
        if (end !== undefined) found.push(widened(text, { start, end, name: pattern.name }, pattern.base64));
      }
    }
    return merged(found);
  }

  function replaced(text: string): string {
    let out = "";
    let at = 0;
    for (const { start, end, name } of places(text)) {
      out += `${text.slice(at, start)}[${name}]`;
      at = end;
    }
    return out + text.slice(at);
  }

  function redact(text: string): string {
    const first = replaced(text);
    // The name stands where the value stood; where that makes the value again, nothing of the text is kept.
    return cutQuotes(first === text || places(first).length === 0 ? first : "[…]");
  }

  return {
    text: redact,
    data: (data) => eachText(data, redact),
    shows: (text) => places(text).length > 0,
    active: true,
  };
}

/** Where the longest match from `start` ends; a rest that was cut off at the end of a long text counts. */
function matchEnd(text: string, start: number, { units }: Pattern): number | undefined {
  let ends = [start];
  for (let count = 0; count < units.length; count += 1) {
    const unit = units[count] ?? [];
    const next: number[] = [];
    for (const at of ends) {
      for (const encoding of unit) {
        const end = at + encoding.text.length;
        if (standsAt(text, at, encoding) && !next.includes(end)) next.push(end);
      }
    }
    if (next.length === 0) {
      const reached = Math.max(...ends);
      const cut = text.length >= MAY_BE_CUT && count >= SHORTEST_REST && text.length - reached < NEAR_END;
      return cut ? reached : undefined;
    }
    ends = next;
  }
  return Math.max(...ends);
}

function standsAt(text: string, at: number, encoding: Encoding): boolean {
  if (text.charCodeAt(at) !== encoding.text.charCodeAt(0)) return false;
  if (!encoding.hex) return text.startsWith(encoding.text, at);
  return text.slice(at, at + encoding.text.length).toLowerCase() === encoding.text;
}

/** Base64 holds bits of a value in the characters beside those it fills, and padding tells its length. */
function widened(text: string, place: Place, base64: boolean): Place {
  if (!base64) return place;
  const char = /[A-Za-z0-9+/_-]/;
  const start = char.test(text[place.start - 1] ?? "") ? place.start - 1 : place.start;
  const after = char.test(text[place.end] ?? "") ? place.end + 1 : place.end;
  const padding = /^(?:=|%3d|%253d){1,2}/i.exec(text.slice(after, after + 10));
  return { ...place, start, end: after + (padding?.[0].length ?? 0) };
}

function merged(places: readonly Place[]): Place[] {
  const out: Place[] = [];
  for (const place of [...places].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = out.at(-1);
    if (last === undefined || place.start >= last.end) out.push(place);
    else if (place.end > last.end) out[out.length - 1] = { ...last, end: place.end };
  }
  return out;
}

/** Plain data with every text in it changed; its shape stays, so its type does. */
function eachText<T>(data: T, change: (text: string) => string): T {
  const changed = (value: unknown, depth: number): unknown => {
    if (typeof value === "string") return change(value);
    if (typeof value !== "object" || value === null || value instanceof Date) return value;
    if (depth > TOO_DEEP) return undefined;
    if (Array.isArray(value)) return value.map((one) => changed(one, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, changed(one, depth + 1)]));
  };
  return changed(data, 0) as T;
}
