/** Text with `${expressions}` in it, taken apart for the script engine; and what counts as true. */
import type { Template } from "./model.ts";

export type TemplatePart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "expression"; readonly source: string };

/**
 * Parts in order; joined they are the text, with each expression's value in its place. `\${` is the text `${`. An
 * expression ends at the brace that closes it: braces in pairs, in strings and in comments do not. What is opened and
 * never closed stays text. Time grows with the text's length alone.
 */
export function splitTemplate(template: Template): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let text = "";
  let at = 0;
  for (let next = template.indexOf("${"); next !== -1; next = template.indexOf("${", at)) {
    if (next > at && template[next - 1] === "\\") {
      text += `${template.slice(at, next - 1)}\${`;
      at = next + 2;
      continue;
    }
    const end = endOfExpression(template, next + 2);
    if (end === -1) break;
    text += template.slice(at, next);
    if (text !== "") parts.push({ kind: "literal", text });
    parts.push({ kind: "expression", source: template.slice(next + 2, end) });
    text = "";
    at = end + 1;
  }
  text += template.slice(at);
  if (text !== "") parts.push({ kind: "literal", text });
  return parts;
}

/** Whether there is anything to evaluate. */
export function hasExpression(template: Template): boolean {
  return template.includes("${") && splitTemplate(template).some(({ kind }) => kind === "expression");
}

/** Where the brace that closes the expression is; -1 when there is none. */
function endOfExpression(template: string, start: number): number {
  // A quote that nothing closes is no string, and neither is the next of its kind.
  const unclosed = new Set<string>();
  let depth = 0;
  for (let at = start; at < template.length; at += 1) {
    const character = template[at] ?? "";
    const opens = character === "/" ? template.slice(at, at + 2) : character;
    if (OPENERS.test(opens) && !unclosed.has(opens)) {
      const closed = closingPlace(template, at, opens);
      if (closed === -1) unclosed.add(opens);
      else at = closed;
    } else if (character === "{") depth += 1;
    else if (character === "}") {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return -1;
}

const OPENERS = /^(?:["'`]|\/\*|\/\/)$/;

/** Where the string or comment that begins at `start` ends; -1 when it does not. */
function closingPlace(template: string, start: number, opens: string): number {
  if (opens === "//") return template.indexOf("\n", start + 2);
  if (opens !== "/*") return closingQuote(template, start);
  const end = template.indexOf("*/", start + 2);
  return end === -1 ? -1 : end + 1;
}

function closingQuote(template: string, start: number): number {
  for (let at = start + 1; at < template.length; at += 1) {
    if (template[at] === "\\") at += 1;
    else if (template[at] === template[start]) return at;
  }
  return -1;
}

/** Truthy unless blank, "false" in any case, "undefined", "null" or a zero (research/automation.md §1.5). */
export function truthy(text: string): boolean {
  if (text.trim() === "" || text.toLowerCase() === "false" || text === "undefined" || text === "null") return false;
  return !/^\s*[+-]?(0+(\.0*)?|\.0+)([eE][+-]?\d+)?\s*$/.test(text);
}
