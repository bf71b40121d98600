/** What a rule needs a person's consent for (research/automation.md §4.3), and what is asked too much. */
import { originPattern, parseMatchPattern } from "./match-pattern.ts";
import type { Condition, Rule, Source, StartWay } from "./model.ts";
import { conditionsOf } from "./rule-parts.ts";

/** 0: no site access, by click, menu or schedule. 1: addresses on chosen sites. 2: page content on chosen sites. */
export type Tier = 0 | 1 | 2;

type Needs = Pick<Rule, "when" | "scope" | "extract">;

const PAGE_CONDITIONS: ReadonlySet<Condition["kind"]> = new Set([
  "dom",
  "text",
  "selection",
  "meta",
  "jsonld",
  "media",
]);
const PAGE_SOURCES: ReadonlySet<Source["kind"]> = new Set([
  "canonical",
  "jsonld",
  "meta",
  "app",
  "play",
  "css",
  "selection",
]);

/** Whether only a click in the context menu can start it. */
export function isMenuOnly({ when }: Pick<Rule, "when">): boolean {
  return "all" in when
    ? when.all.some(({ kind }) => kind === "contextMenu")
    : when.any.every(({ kind }) => kind === "contextMenu");
}

/** What may start a rule. Without a scope nothing a page does can. */
export function startsOf(rule: Needs): readonly StartWay[] {
  if (isMenuOnly(rule)) return ["menu"];
  const kinds = new Set(conditionsOf(rule).map(({ kind }) => kind));
  const menu: readonly StartWay[] = kinds.has("contextMenu") ? ["menu"] : [];
  if (rule.scope.length > 0) return ["navigation", "click", ...menu];
  return kinds.has("schedule") ? ["schedule", ...menu] : ["click", ...menu];
}

/** Whether a rule or its values look into pages. */
export function readsPage(rule: Needs): boolean {
  return (
    conditionsOf(rule).some(({ kind }) => PAGE_CONDITIONS.has(kind)) ||
    rule.extract.some(({ from }) => from.some(({ kind }) => PAGE_SOURCES.has(kind)))
  );
}

export function tierOf(rule: Needs): Tier {
  if (!startsOf(rule).includes("navigation")) return 0;
  return readsPage(rule) ? 2 : 1;
}

/**
 * What a person agrees to who lets a rule act by itself: all of it but its name, whether it is on and when it ends. The
 * same rule gives the same text, whatever order its JSON came in.
 */
export function consentText(rule: Rule): string {
  const { id: _id, name: _name, enabled: _enabled, expiresAt: _expiresAt, ...agreed } = rule;
  return JSON.stringify(agreed, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** Match patterns of whole hosts a browser must be asked for; none for tier 0. */
export function originsOf(rule: Needs): readonly string[] {
  if (tierOf(rule) === 0) return [];
  const patterns = rule.scope.flatMap((text) => {
    const parsed = parseMatchPattern(text);
    return parsed.ok ? [originPattern(parsed.value)] : [];
  });
  return [...new Set(patterns)];
}
