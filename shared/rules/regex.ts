/**
 * Regular expressions people write in rules. They are RE2's: matched in time linear in the text, without look-around and
 * backreferences. The engine is large (45 kB gzipped), so nothing else in this folder imports this file at run time:
 * callers pass `findRegex` to `evaluate`.
 */
import { RE2JS } from "re2js";
import type { Parsed } from "./match-pattern.ts";
import type { Rule } from "./model.ts";
import { MAX_REGEX_LENGTH, regexesOf } from "./rule-parts.ts";

/** Looks for an expression; `found` is null when the text has none, `refused` says why it was not looked for. */
export type FindRegex = (
  source: string,
  text: string,
) => { readonly found: string | null } | { readonly refused: string };

/** Instructions of the compiled program: time is this × length of the text. */
const MAX_PROGRAM = 600;
/** Characters of a text that are looked at. */
export const MAX_REGEX_TEXT = 10_240;
const MAX_KEPT = 200;

/** Whether an expression can be saved; a refusal says why and what to do. */
export function vetRegex(source: string): Parsed<RE2JS> {
  const wrong = (message: string) => ({ ok: false, message }) as const;
  if (source === "") return wrong("The expression is empty.");
  if (source.length > MAX_REGEX_LENGTH) {
    return wrong(`An expression has at most ${MAX_REGEX_LENGTH} characters; this one has ${source.length}.`);
  }
  try {
    const compiled = RE2JS.compile(source);
    if (compiled.programSize() > MAX_PROGRAM) {
      return wrong("The expression repeats too much to be quick; use smaller numbers in {…}.");
    }
    return { ok: true, value: compiled };
  } catch (error) {
    return wrong(reason(source, error instanceof Error ? error.message : ""));
  }
}

function reason(source: string, message: string): string {
  const outsideClasses = source.replace(/\\\\|\[(?:\\.|[^\]\\])*\]/gs, "");
  if (/\(\?<?[=!]/.test(outsideClasses))
    return "Look-around such as (?=…) is not supported; take what it looks for into the expression.";
  if (/\\[1-9]|\\k</.test(outsideClasses)) return "Backreferences such as \\1 are not supported.";
  return `The expression cannot be read: ${message.replace(/^error parsing regexp: /, "") || "its syntax is wrong"}.`;
}

const kept = new Map<string, Parsed<RE2JS>>();

function compiledOf(source: string): Parsed<RE2JS> {
  const known = kept.get(source);
  if (known !== undefined) return known;
  if (kept.size >= MAX_KEPT) kept.clear();
  const compiled = vetRegex(source);
  kept.set(source, compiled);
  return compiled;
}

/** The first match in the first 10 KB of a text: the whole match, or its first group when the expression has one. */
export const findRegex: FindRegex = (source, text) => {
  const compiled = compiledOf(source);
  if (!compiled.ok) return { refused: compiled.message };
  const matcher = compiled.value.matcher(text.slice(0, MAX_REGEX_TEXT));
  if (!matcher.find()) return { found: null };
  return { found: (compiled.value.groupCount() > 0 ? matcher.group(1) : matcher.group()) ?? "" };
};

/** What is wrong with the expressions of a rule; to be asked before it is saved. */
export function regexProblems(rule: Rule): readonly { readonly path: string; readonly message: string }[] {
  return regexesOf(rule).flatMap(({ path, source }) => {
    const vetted = vetRegex(source);
    return vetted.ok ? [] : [{ path, message: vetted.message }];
  });
}
