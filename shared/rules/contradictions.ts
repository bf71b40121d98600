/** What is wrong with a rule whose parts are each right: too wide a scope, names nobody gives. */
import { isMenuOnly } from "./consent.ts";
import { parseMatchPattern } from "./match-pattern.ts";
import type { Rule } from "./model.ts";
import { conditionsOf, groupNames } from "./rule-parts.ts";
import { isPublicSuffix } from "./site.ts";

type Contradiction = { readonly path: readonly (string | number)[]; readonly message: string };

export function contradictions(rule: Rule): readonly Contradiction[] {
  return [...wideScope(rule), ...unknownNames(rule), ...menuSources(rule)];
}

function wideScope(rule: Rule): readonly Contradiction[] {
  if (isMenuOnly(rule)) return [];
  return rule.scope.flatMap((text, index): Contradiction[] => {
    const parsed = parseMatchPattern(text);
    if (!parsed.ok) return [];
    const { reach, host } = parsed.value;
    const path = ["scope", index];
    if (reach === "any") {
      return [
        {
          path,
          message: `${text} is every site. Name the sites, or leave the scope empty: the rule then runs on any site by a click.`,
        },
      ];
    }
    if (reach === "suffix" && isPublicSuffix(host)) {
      return [{ path, message: `${text} is every site under ${host}. Name the sites, as in *.shop.${host}.` }];
    }
    return [];
  });
}

function unknownNames(rule: Rule): readonly Contradiction[] {
  const names = rule.extract.map((one) => one.var);
  const known = names.length === 0 ? "it reads no values" : `it reads ${names.join(", ")}`;
  const found: Contradiction[] = [];
  names.forEach((name, index) => {
    if (names.indexOf(name) < index)
      found.push({ path: ["extract", index, "var"], message: `The name ${name} stands twice.` });
  });
  if (typeof rule.oncePer === "object" && !names.includes(rule.oncePer.value)) {
    found.push({ path: ["oncePer", "value"], message: `The rule reads no value ${rule.oncePer.value}; ${known}.` });
  }
  for (const [input, value] of Object.entries(rule.action.inputs)) {
    if ("var" in value && !names.includes(value.var)) {
      found.push({
        path: ["action", "inputs", input, "var"],
        message: `The rule reads no value ${value.var}; ${known}.`,
      });
    }
  }
  const groups = groupNames(rule);
  rule.extract.forEach(({ from }, index) => {
    from.forEach((one, place) => {
      if (one.kind !== "group" || groups.includes(one.name)) return;
      found.push({
        path: ["extract", index, "from", place, "name"],
        message: `No url condition names a piece :${one.name}.`,
      });
    });
  });
  return found;
}

function menuSources(rule: Rule): readonly Contradiction[] {
  if (conditionsOf(rule).some(({ kind }) => kind === "contextMenu")) return [];
  return rule.extract.flatMap(({ from }, index) =>
    from.every(({ kind }) => kind === "menu")
      ? [
          {
            path: ["extract", index, "from"],
            message: "Nothing was clicked in a menu: add a contextMenu condition, or another source.",
          },
        ]
      : [],
  );
}
