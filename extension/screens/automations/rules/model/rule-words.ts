/** Rules in words: where they act, what they read, what follows. */
import { readPattern } from "../../../../../shared/rules/address.ts";
import { startsOf } from "../../../../../shared/rules/consent.ts";
import { coversHost } from "../../../../../shared/rules/match-pattern.ts";
import type { Condition, Rule } from "../../../../../shared/rules/model.ts";
import { conditionsOf } from "../../../../../shared/rules/rule-parts.ts";
import type { ConsentState } from "../../../../rules/site-consent.ts";
import { siteNames } from "./rule-draft.ts";

/** How a rule starts, in a few words. */
export function startWords(rule: Rule): string {
  const ways = startsOf(rule);
  if (ways.includes("navigation")) return siteNames(rule).join(", ");
  if (ways.includes("schedule")) return "By the clock";
  return ways.includes("click") ? "By a click, on any page" : "In a right-click menu";
}

/** What is special about a rule in this browser; undefined when it does what it says. */
export function consentNotice(state: ConsentState): string | undefined {
  if (state === "none") return "By click only here";
  return state === "changed" ? "Changed, allow it again" : undefined;
}

const READ_WORDS: Readonly<Partial<Record<Condition["kind"], string>>> = {
  url: "the page's address",
  host: "the page's address",
  query: "the page's address",
  dom: "whether an element is there",
  text: "the page's text",
  selection: "the selected text",
  meta: "the page's description",
  jsonld: "the thing the page describes",
  media: "whether something plays",
  visits: "how often you come here",
};

/** What a rule looks at, each once. */
export function readWords(rule: Rule): readonly string[] {
  const seen = conditionsOf(rule).flatMap(({ kind }) => READ_WORDS[kind] ?? []);
  return [...new Set(["the page's address", ...seen])];
}

/** What goes to the server with a run. */
export function sentWords(rule: Rule): string {
  const names = rule.extract.map((one) => one.var);
  return names.length === 0 ? "which rule it is, nothing of the page" : `which rule it is, and ${names.join(", ")}`;
}

/** Whether a rule may act by itself on a host. */
export function actsOn(rule: Rule, host: string): boolean {
  if (!startsOf(rule).includes("navigation")) return false;
  return rule.scope.some((text) => {
    const pattern = readPattern(text);
    return pattern !== undefined && coversHost(pattern, host);
  });
}
