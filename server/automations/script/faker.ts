/**
 * Made-up names, addresses and numbers for `faker` and the inputRandom commands. What is said depends only on the run's
 * seed and on how many were said before, so a resumed run says what it would have said.
 */
import { createHash } from "node:crypto";

export const FAKES = [
  "firstName",
  "lastName",
  "fullName",
  "email",
  "city",
  "country",
  "color",
  "number",
  "between",
  "text",
  "word",
  "sentence",
] as const;
export type Fake = (typeof FAKES)[number];

/** Longest text that is made up, in characters. */
const MAX_LENGTH = 10_000;

const FIRST =
  "Ada Amir Anna Ben Chloe Daniel Elif Emma Finn Grace Hana Ivan Jonas Kofi Lea Luis Maya Noah Olga Sara".split(" ");
const LAST =
  "Adler Baker Costa Diaz Evans Fischer Garcia Hoang Ito Jensen Kim Lopez Meyer Novak Okafor Park Rossi Silva Tanaka Weber".split(
    " ",
  );
const CITIES =
  "Accra Athens Berlin Bogota Cairo Dublin Hanoi Helsinki Lagos Lima Lisbon Madrid Nairobi Oslo Prague Quito Riga Seoul Tokyo Vienna".split(
    " ",
  );
const COUNTRIES =
  "Argentina Austria Brazil Canada Chile Denmark Egypt Estonia France Ghana Greece India Ireland Japan Kenya Mexico Norway Peru Portugal Vietnam".split(
    " ",
  );
const COLORS =
  "amber azure beige black blue brown coral cyan gold gray green indigo lime magenta olive orange pink purple red teal white yellow".split(
    " ",
  );
const WORDS =
  "apple bridge candle dream early field garden happy island jolly kettle lemon mirror narrow ocean paper quiet river silver table under violet window yellow".split(
    " ",
  );
const LETTERS = "abcdefghijklmnopqrstuvwxyz".split("");
const DIGITS = "0123456789".split("");

/**
 * The thing said as number `draw` (from 0) of the run.
 *
 * @param size Digits of a number, characters of a text, words of a sentence, the least of `between`.
 * @param most The most of `between`, included.
 */
export function fake(kind: Fake, seed: string, draw: number, size?: number, most?: number): string {
  const random = randomFrom(`${seed} ${draw}`);
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? "";
  const some = (count: number, list: readonly string[]) => Array.from({ length: count }, () => pick(list));
  const length = (fallback: number) => Math.min(Math.max(Math.trunc(size ?? fallback) || 0, 0), MAX_LENGTH);
  switch (kind) {
    case "firstName":
      return pick(FIRST);
    case "lastName":
      return pick(LAST);
    case "fullName":
      return `${pick(FIRST)} ${pick(LAST)}`;
    case "email":
      return `${pick(FIRST)}.${pick(LAST)}${some(4, DIGITS).join("")}@example.com`.toLowerCase();
    case "city":
      return pick(CITIES);
    case "country":
      return pick(COUNTRIES);
    case "color":
      return pick(COLORS);
    case "number":
      return pick(DIGITS.slice(1)) + some(Math.max(length(8) - 1, 0), DIGITS).join("");
    case "between": {
      const [from, to] = [Math.ceil(size ?? 0), Math.floor(most ?? 100)];
      return String(from + Math.floor(random() * Math.max(to - from + 1, 1)));
    }
    case "text":
      return some(length(8), LETTERS).join("");
    case "word":
      return pick(WORDS);
    case "sentence": {
      const words = some(Math.min(length(6), 1_000), WORDS).join(" ");
      return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;
    }
  }
}

/** Numbers from 0 up to 1 (mulberry32); good enough for names, not for secrets. */
function randomFrom(seed: string): () => number {
  let state = createHash("sha256").update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
