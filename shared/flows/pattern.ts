/**
 * A selector's text as Maestro reads it: a regular expression over the whole value, in any case, `.` over lines too.
 * Plain words are compared as words; the rest runs in RE2, whose time grows with pattern times text and never faster.
 */
import { RE2JS } from "re2js";

export interface Pattern {
  readonly engine: "literal" | "linear";
  matches(value: string): boolean;
}

/** Longer patterns and larger programs are compared as plain text; longer values only match what equals them. */
export const MAX_PATTERN_LENGTH = 1000;
export const MAX_PROGRAM_SIZE = 2000;
export const MAX_VALUE_LENGTH = 10_000;

/** What is no regular expression, or none that RE2 can run, stands for itself. */
export function compilePattern(source: string): Pattern {
  if (!/[\\^$|?*+()[\]{}]/.test(source)) return source.includes(".") ? withDots(source) : literal(source);
  if (/^(?:[^\\^$|?*+()[\]{}.]|\.\*)*$/.test(source)) return withGaps(source);
  if (source.length > MAX_PATTERN_LENGTH) return literal(source);
  try {
    const expression = RE2JS.compile(fromJava(source), RE2JS.CASE_INSENSITIVE | RE2JS.DOTALL | RE2JS.MULTILINE);
    if (expression.programSize() > MAX_PROGRAM_SIZE) return literal(source);
    return { engine: "linear", matches: (value) => value.length <= MAX_VALUE_LENGTH && expression.testExact(value) };
  } catch {
    return literal(source);
  }
}

function literal(source: string): Pattern {
  const folded = fold(source);
  return { engine: "literal", matches: (value) => fold(value) === folded };
}

/** `com.shop:id/buy` and `Done.`: a dot is any one character. */
function withDots(source: string): Pattern {
  const cells = [...fold(source)];
  return {
    engine: "literal",
    matches(value) {
      if (value.length < cells.length || value.length > 2 * cells.length) return false;
      const letters = [...fold(value)];
      return letters.length === cells.length && cells.every((cell, index) => cell === "." || cell === letters[index]);
    },
  };
}

/** `.*part.*`: words with anything between them. The first place for each word is as good as any. */
function withGaps(source: string): Pattern {
  const [first = "", ...words] = fold(source).split(".*");
  const last = words.pop() ?? "";
  return {
    engine: "literal",
    matches(value) {
      const folded = fold(value);
      const end = folded.length - last.length;
      if (!folded.startsWith(first) || !folded.endsWith(last)) return false;
      let at = first.length;
      for (const word of words) {
        const found = folded.indexOf(word, at);
        if (found < 0) return false;
        at = found + word.length;
      }
      return at <= end;
    },
  };
}

/** Letter by letter, as regular expressions ignore case: no letter becomes two. */
function fold(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII, where the short way is right
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  let folded = "";
  for (const letter of text)
    folded += single(single(letter, letter.toUpperCase()), single(letter, letter.toUpperCase()).toLowerCase());
  return folded;
}

function single(letter: string, changed: string): string {
  return [...changed].length === 1 ? changed : letter;
}

/** What flows written for Java's engine may hold and RE2 writes differently. */
function fromJava(source: string): string {
  return source.replace(
    /\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g,
    (whole, code: string | undefined, other: string | undefined) => {
      if (code !== undefined) return `\\x{${code}}`;
      if (other === "h") return "[ \\t]";
      return other === "Z" ? "\\z" : whole;
    },
  );
}
