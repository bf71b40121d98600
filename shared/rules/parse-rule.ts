/** Reads rules, and says of each fault where it is and what to do. */
import * as z from "zod/mini";
import { contradictions } from "./contradictions.ts";
import { type Problem, type Rule, ruleShape } from "./model.ts";

/** A rule that can be saved, but for its regular expressions: `regexProblems` vets those. */
export const rule = ruleShape.check((payload) => {
  for (const { path, message } of contradictions(payload.value)) {
    payload.issues.push({ code: "custom", input: payload.value, path: [...path], message });
  }
});

/** Reads a rule from anything; never throws. */
export function parseRule(
  value: unknown,
): { readonly ok: true; readonly rule: Rule } | { readonly ok: false; readonly problems: readonly Problem[] } {
  const result = z.safeParse(rule, value);
  if (result.success) return { ok: true, rule: result.data };
  return { ok: false, problems: result.error.issues.flatMap((issue) => leaves(issue, [])) };
}

/** Issues of a union stand below the alternative that came nearest: the one whose fault lies deepest. */
function leaves(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code !== "invalid_union" || issue.errors.length === 0) {
    return [{ path: path.map(String).join("."), message: sentence(issue) }];
  }
  const depth = (issues: readonly z.core.$ZodIssue[]) =>
    Math.max(...issues.map((one) => one.path.length + (one.code === "custom" ? 2 : 0)));
  const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0] ?? [];
  if (depth(nearest) < 2) return [{ path: path.map(String).join("."), message: sentence(issue) }];
  return nearest.flatMap((one) => leaves(one, path));
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return `There is no ${issue.keys.join(", ")} here.`;
  return issue.message === "Invalid input" || issue.message === ""
    ? "This is missing or not of the expected kind."
    : issue.message;
}
