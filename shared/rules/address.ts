/** The part of a rule that an address alone decides. Plain data, so that an index of it can be kept. */
import { compares } from "./compare.ts";
import { coversHost, type MatchPattern, matchesPattern, parseMatchPattern } from "./match-pattern.ts";
import type { Condition, Rule } from "./model.ts";
import { conditionsOf } from "./rule-parts.ts";
import { matchParts, parseUrlParts, type UrlParts } from "./url-parts.ts";

export type AddressCondition = Extract<Condition, { kind: "url" | "host" | "query" }>;

export interface AddressRule {
  readonly scope: readonly string[];
  /** `all`: every condition holds; `any`: one does, or one of the rule's others might (`open`). */
  readonly mode: "all" | "any";
  readonly conditions: readonly AddressCondition[];
  readonly open: boolean;
}

/** Longer addresses match no rule. */
const MAX_ADDRESS = 8_192;

/** The address as rules see it; undefined when it is none that rules are for. */
export function readAddress(text: string): URL | undefined {
  if (text.length > MAX_ADDRESS || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return (url.protocol === "https:" || url.protocol === "http:") && url.href.length <= 3 * MAX_ADDRESS
    ? url
    : undefined;
}

export function isAddressCondition(condition: Condition): condition is AddressCondition {
  return condition.kind === "url" || condition.kind === "host" || condition.kind === "query";
}

export function addressOf(rule: Pick<Rule, "scope" | "when">): AddressRule {
  const all = conditionsOf(rule);
  const conditions = all.filter(isAddressCondition);
  return {
    scope: rule.scope,
    mode: "all" in rule.when ? "all" : "any",
    conditions,
    open: conditions.length < all.length,
  };
}

/** What an address condition found: whether it holds, and the pieces it named. */
export interface AddressMatch {
  readonly holds: boolean;
  readonly names: ReadonlyMap<string, string>;
}
type Matcher = (url: URL) => AddressMatch;

const NO_NAMES: ReadonlyMap<string, string> = new Map();
const NO_MATCH: AddressMatch = { holds: false, names: NO_NAMES };
const plain = (holds: boolean): AddressMatch => (holds ? { holds, names: NO_NAMES } : NO_MATCH);

/** A condition that cannot be read matches nothing. */
export function compileCondition(condition: AddressCondition): Matcher {
  if (condition.kind === "query") {
    return (url) => plain(compares(condition.op, condition.value, url.searchParams.getAll(condition.name)));
  }
  if (condition.kind === "url" && typeof condition.is !== "string") {
    const parts = parseUrlParts(condition.is as UrlParts);
    if (!parts.ok) return () => NO_MATCH;
    return (url) => {
      const names = matchParts(parts.value, url);
      return names === undefined ? NO_MATCH : { holds: true, names };
    };
  }
  const pattern = patternOf(condition);
  if (pattern === undefined) return () => NO_MATCH;
  return (url) => plain(condition.kind === "host" ? coversHost(pattern, url.hostname) : matchesPattern(pattern, url));
}

/** The match pattern of a condition that is one. */
export function patternOf(condition: AddressCondition): MatchPattern | undefined {
  if (condition.kind === "query" || typeof condition.is !== "string") return undefined;
  return readPattern(condition.kind === "host" ? `*://${condition.is}/*` : condition.is);
}

export function readPattern(text: string): MatchPattern | undefined {
  const parsed = parseMatchPattern(text);
  return parsed.ok ? parsed.value : undefined;
}

export function isInScope(scope: readonly string[], url: URL): boolean {
  return scope.some((text) => {
    const pattern = readPattern(text);
    return pattern !== undefined && matchesPattern(pattern, url);
  });
}

/** Whether an address leaves it possible that the rule holds. */
export function compileAddress(rule: AddressRule): (url: URL) => boolean {
  const scope = rule.scope.map(readPattern).filter((pattern) => pattern !== undefined);
  const conditions = rule.conditions.map(compileCondition);
  const hold = (matcher: Matcher, url: URL) => matcher(url).holds;
  return (url) => {
    if (rule.scope.length > 0 && !scope.some((pattern) => matchesPattern(pattern, url))) return false;
    if (rule.mode === "all") return conditions.every((matcher) => hold(matcher, url));
    return rule.open || conditions.some((matcher) => hold(matcher, url));
  };
}
