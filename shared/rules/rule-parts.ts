/** What a rule holds, read without its schemas: the background worker evaluates rules and needs no validator for it. */
import type { Condition, Rule } from "./model.ts";
import { parseUrlParts, type UrlParts } from "./url-parts.ts";

export const MAX_REGEX_LENGTH = 256;

export function conditionsOf({ when }: Pick<Rule, "when">): readonly Condition[] {
  return "all" in when ? when.all : when.any;
}

/** The names url conditions give to pieces of an address. */
export function groupNames(rule: Pick<Rule, "when">): readonly string[] {
  return conditionsOf(rule).flatMap((one) => {
    const compiled = one.kind === "url" && typeof one.is !== "string" ? parseUrlParts(one.is as UrlParts) : undefined;
    if (compiled?.ok !== true) return [];
    return compiled.value.flatMap(([, glob]) =>
      glob.flatMap((piece) => (typeof piece !== "string" && "name" in piece ? [piece.name] : [])),
    );
  });
}

export function regexesOf(
  rule: Pick<Rule, "when" | "extract">,
): readonly { readonly path: string; readonly source: string }[] {
  const mode = "all" in rule.when ? "all" : "any";
  const inConditions = conditionsOf(rule).flatMap((one, index) =>
    one.kind === "text" && one.op === "regex" ? [{ path: `when.${mode}.${index}.value`, source: one.value }] : [],
  );
  const inValues = rule.extract.flatMap(({ regex }, index) =>
    regex === undefined ? [] : [{ path: `extract.${index}.regex`, source: regex }],
  );
  return [...inConditions, ...inValues];
}
