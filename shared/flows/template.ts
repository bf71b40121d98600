/** Text with `${expressions}` in it, taken apart for the script engine; and what counts as true. */
import type { Template } from "./model.ts";

export type TemplatePart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "expression"; readonly source: string };

/**
 * Parts in order; joined they are the text, with each expression's value in its place. `\${` is the text `${`. Braces
 * nest; quotes, template strings and comments inside an expression hide theirs. What never closes is literal.
 */
export function splitTemplate(template: Template): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let literal = "";
  let at = 0;
  while (at < template.length) {
    if (template.startsWith("\\${", at)) {
      literal += "${";
      at += 3;
      continue;
    }
    const end = template.startsWith("${", at) ? expressionEnd(template, at + 2) : undefined;
    if (end === "open") {
      literal += template.slice(at);
      break;
    }
    if (end === undefined) {
      literal += template[at];
      at += 1;
      continue;
    }
    if (literal !== "") parts.push({ kind: "literal", text: literal });
    literal = "";
    parts.push({ kind: "expression", source: template.slice(at + 2, end).trim() });
    at = end + 1;
  }
  if (literal !== "") parts.push({ kind: "literal", text: literal });
  return parts;
}

/** Whether there is anything to evaluate. */
export function hasExpression(template: Template): boolean {
  return template.includes("${") && splitTemplate(template).some(({ kind }) => kind === "expression");
}

/** Where the `}` of an expression stands. One pass, with a stack of what is open. */
function expressionEnd(text: string, start: number): number | "open" {
  const open: ("{" | "`")[] = ["{"];
  let at = start;
  while (at < text.length) {
    const here = text[at];
    if (open.at(-1) === "`") {
      if (here === "\\") at += 1;
      else if (here === "`") open.pop();
      else if (here === "$" && text[at + 1] === "{") {
        open.push("{");
        at += 1;
      }
    } else if (here === '"' || here === "'") {
      const close = quoteEnd(text, at);
      if (close === undefined) return "open";
      at = close;
    } else if (here === "/" && (text[at + 1] === "*" || text[at + 1] === "/")) {
      const close = text[at + 1] === "*" ? text.indexOf("*/", at + 2) : text.indexOf("\n", at + 2);
      if (close >= 0) at = text[at + 1] === "*" ? close + 1 : close;
    } else if (here === "`" || here === "{") {
      open.push(here);
    } else if (here === "}") {
      open.pop();
      if (open.length === 0) return at;
    }
    at += 1;
  }
  return "open";
}

function quoteEnd(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === text[start]) return at;
  }
  return undefined;
}

/** Truthy unless blank, "false" in any case, "undefined", "null" or a zero (research/automation.md §1.5). */
export function truthy(text: string): boolean {
  if (text.trim() === "" || text.toLowerCase() === "false" || text === "undefined" || text === "null") return false;
  return !/^\s*[+-]?(0+(\.0*)?|\.0+)([eE][+-]?\d+)?\s*$/.test(text);
}
