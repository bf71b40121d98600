/**
 * Which passwords are refused (NIST SP 800-63B-4 §3.1.1.2): too short, too long, found most often in leaks or put
 * together from those, made of one short piece, a walk over the keyboard, or made of the person's own address, name or
 * team. No rules of composition.
 */
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "../../shared/accounts.ts";
import { PerchError } from "../errors.ts";
import { COMMON_PASSWORDS, COMMON_WORDS } from "./common-passwords.ts";
import { TOP_PASSWORDS } from "./top-passwords.ts";

export interface PasswordContext {
  readonly email: string;
  readonly fullName?: string | undefined;
  /** Names of the person's teams. */
  readonly teams?: readonly string[];
}

/** Rows a finger walks along; walked in both directions. */
const WALKS = [
  "012345678901234567890123456789",
  "123456789012345678901234567890",
  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
  "qwertyuiopasdfghjklzxcvbnmqwertyuiop",
  "qwertzuiopasdfghjklyxcvbnm",
  "azertyuiopqsdfghjklmwxcvbn",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
  "qazwsxedcrfvtgbyhnujmikolp",
  "1q2w3e4r5t6y7u8i9o0p",
  "q1w2e3r4t5y6u7i8o9p0",
  "!@#$%^&*()_+",
].flatMap((walk) => [walk, [...walk].reverse().join("")]);
const LEET: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "l",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};
const common = new Set([...COMMON_PASSWORDS, ...TOP_PASSWORDS]);
/** Three words of a list of about 200 are eight million tries; four well-chosen ones are somebody's own phrase. */
const words = { list: new Set(COMMON_WORDS), most: 3 };
/** Two of the 5,000 used most are 25 million. */
const topPasswords = { list: TOP_PASSWORDS, most: 2 };
const LONGEST_WORD = 20;

/** Why a password is refused, as a sentence that says what to do; `undefined` when it is fine. */
export function passwordProblem(password: string, about: PasswordContext): string | undefined {
  const text = password.normalize("NFC");
  const length = [...text].length;
  if (length < MIN_PASSWORD_LENGTH) {
    return `Use at least ${MIN_PASSWORD_LENGTH} characters. A few words in a row are easy to remember.`;
  }
  if (length > MAX_PASSWORD_LENGTH) return `Use at most ${MAX_PASSWORD_LENGTH} characters.`;
  const plain = text.toLowerCase();
  const bare = stripEnds(plain);
  const forms = [plain, bare, unleet(plain), unleet(bare)];
  if (forms.some((form) => common.has(form) || isMadeOf(form, words) || isMadeOf(form, topPasswords))) {
    return "This password is on the lists that are tried first. Choose words that nobody would put together.";
  }
  if (isRepeated(plain) || new Set(plain).size < 4) {
    return "This password repeats one short piece. Choose something less regular.";
  }
  if (isWalk(plain)) return "This password follows the keyboard or the alphabet. Choose something less regular.";
  if (leftWithout(plain, contextWords(about)) < MIN_PASSWORD_LENGTH / 2) {
    return "This password is mostly your e-mail address, your name, your team's or ours. Choose something others cannot know about you.";
  }
  return undefined;
}

/** Throws `bad_input` with that sentence at the field `password`. */
export function demandGoodPassword(password: string, about: PasswordContext): void {
  const problem = passwordProblem(password, about);
  if (problem !== undefined) throw new PerchError("bad_input", problem, { fields: { password: problem } });
}

/** Without the digits and signs people put around a word. */
function stripEnds(text: string): string {
  return text.replace(/^[\d\s\p{P}\p{S}]+|[\d\s\p{P}\p{S}]+$/gu, "");
}

/** Letters again where digits and signs stand for them. */
function unleet(text: string): string {
  return [...text].map((character) => LEET[character] ?? character).join("");
}

/** "passwordpassword", "letmein-letmein": nothing but words of the list, and so few that trying all is quick. */
function isMadeOf(
  form: string,
  { list, most }: { readonly list: ReadonlySet<string>; readonly most: number },
): boolean {
  const joined = form.replaceAll(/[\s\p{P}\p{S}]/gu, "");
  const fewest: (number | undefined)[] = [0];
  for (let end = 1; end <= joined.length; end += 1) {
    for (let start = Math.max(0, end - LONGEST_WORD); start < end; start += 1) {
      const before = fewest[start];
      if (before === undefined || !list.has(joined.slice(start, end))) continue;
      fewest[end] = Math.min(fewest[end] ?? Number.POSITIVE_INFINITY, before + 1);
    }
  }
  const count = fewest[joined.length];
  return joined !== "" && count !== undefined && count <= most;
}

/** One piece of at most a third of the text, over and over: "abcabcabcabc", "aaaaaaaaaaaa". */
function isRepeated(text: string): boolean {
  for (let size = 1; size <= Math.floor(text.length / 3); size += 1) {
    if (
      text ===
      text
        .slice(0, size)
        .repeat(Math.ceil(text.length / size))
        .slice(0, text.length)
    )
      return true;
  }
  return false;
}

/** At most three unbroken walks make up the whole. */
function isWalk(text: string): boolean {
  let at = 0;
  for (let walks = 0; walks < 3 && at < text.length; walks += 1) {
    let longest = 0;
    for (const walk of WALKS) {
      let length = 0;
      while (at + length < text.length && walk.includes(text.slice(at, at + length + 1))) length += 1;
      longest = Math.max(longest, length);
    }
    if (longest < 4) return false;
    at += longest;
  }
  return at >= text.length;
}

function contextWords({ email, fullName = "", teams = [] }: PasswordContext): string[] {
  const [local = "", domain = ""] = email.normalize("NFC").toLowerCase().split("@");
  const pieces = [
    email.toLowerCase(),
    local,
    domain,
    ...local.split(/[._+-]/),
    ...domain.split("."),
    ...[fullName, ...teams].flatMap((name) =>
      name
        .normalize("NFC")
        .toLowerCase()
        .split(/[\s\p{P}\p{S}]+/u),
    ),
    "perch",
  ];
  return [...new Set(pieces)].filter((piece) => piece.length >= 3).sort((a, b) => b.length - a.length);
}

/** How many letters and digits remain when the person's own words are taken out. */
function leftWithout(text: string, words: readonly string[]): number {
  let rest = text;
  for (const word of words) rest = rest.replaceAll(word, " ");
  if (rest === text) return text.length;
  return rest.replaceAll(/[^\p{L}\p{N}]/gu, "").length;
}
