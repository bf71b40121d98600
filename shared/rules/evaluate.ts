/** Whether a rule fits what was observed, why, and the values it would hand on. Pure; asks nobody's consent (`gates.ts`). */
import { compileCondition, isInScope, readAddress } from "./address.ts";
import { compares } from "./compare.ts";
import { startsOf } from "./consent.ts";
import { cronMatches, localMinute, parseCron } from "./cron.ts";
import { matchesStars } from "./glob.ts";
import { jsonLdValues } from "./json-ld.ts";
import type { Condition, Extraction, Operator, Rule, Source } from "./model.ts";
import type { Facts } from "./page-facts.ts";
import type { FindRegex } from "./regex.ts";
import { conditionsOf } from "./rule-parts.ts";
import { byTrust, meta, readSource } from "./sources.ts";
import { normalise, shorten } from "./text.ts";

/** One line of an explanation. */
export interface Check {
  /** `start` and `scope` are checks every rule has. */
  readonly kind: Condition["kind"] | "start" | "scope";
  readonly holds: boolean;
  /** What was wanted, in words. */
  readonly wanted: string;
  /** What was there, shortened. */
  readonly observed: string;
}

export interface ExtractedValue {
  readonly name: string;
  /** Page-derived text: data, never code. At most 2 KB. */
  readonly value: string;
  readonly source: Source["kind"];
}

export interface Evaluation {
  readonly ruleId: Rule["id"];
  /** Whether it would start, were it not for the gates. */
  readonly fits: boolean;
  readonly checks: readonly Check[];
  readonly values: readonly ExtractedValue[];
  /** Required values nothing was found for. */
  readonly missing: readonly string[];
  /** One sentence that says why it fits or not. */
  readonly reason: string;
}

export function evaluate(rule: Rule, facts: Facts, findRegex: FindRegex): Evaluation {
  const fixed = [startCheck(rule, facts), scopeCheck(rule, facts)];
  const own = conditionsOf(rule).map((condition) => check(condition, facts, findRegex));
  const found = rule.extract.map((one) => ({ one, value: extract(one, rule, facts, findRegex) }));
  const values = found.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const missing = found.flatMap(({ one, value }) => (value === undefined && one.required ? [one.var] : []));
  const any = "any" in rule.when;
  const failed = [...fixed, ...(any ? [] : own)].find(({ holds }) => !holds);
  const none = any && !own.some(({ holds }) => holds);
  const reason =
    failed !== undefined
      ? `Wanted ${failed.wanted}; there was ${failed.observed}.`
      : none
        ? `None of the ${own.length} conditions holds.`
        : missing.length > 0
          ? `Nothing was found for ${missing.join(", ")}.`
          : "All that has to hold holds.";
  const fits = failed === undefined && !none && missing.length === 0;
  return { ruleId: rule.id, fits, checks: [...fixed, ...own], values, missing, reason };
}

function startCheck(rule: Rule, { start }: Facts): Check {
  const ways = startsOf(rule);
  return { kind: "start", holds: ways.includes(start), wanted: `a start by ${ways.join(" or ")}`, observed: start };
}

function scopeCheck({ scope }: Rule, { url }: Facts): Check {
  const address = readAddress(url);
  const holds = scope.length === 0 || (address !== undefined && isInScope(scope, address));
  const wanted = scope.length === 0 ? "any page" : `a page of ${shorten(scope.join(", "))}`;
  return { kind: "scope", holds, wanted, observed: address === undefined ? "no web page" : shorten(url) };
}

function check(condition: Condition, facts: Facts, findRegex: FindRegex): Check {
  const done = (holds: boolean, wanted: string, observed: string): Check => ({
    kind: condition.kind,
    holds,
    wanted,
    observed: observed === "" ? "nothing" : shorten(observed),
  });
  const { page, menu } = facts;
  const unread = "a page that was not read";
  switch (condition.kind) {
    case "url":
    case "host":
    case "query": {
      const url = readAddress(facts.url);
      const holds = url !== undefined && compileCondition(condition)(url).holds;
      if (condition.kind === "query") {
        const observed = url?.searchParams.getAll(condition.name) ?? [];
        return done(holds, `query ${condition.name} ${comparison(condition)}`, observed.join(", "));
      }
      const wanted = typeof condition.is === "string" ? condition.is : JSON.stringify(condition.is);
      return done(holds, shorten(wanted), (condition.kind === "host" ? url?.hostname : facts.url) ?? "");
    }
    case "dom": {
      const found = page?.dom.find(({ css, visible }) => css === condition.css && visible === condition.visible);
      const wanted = `at least ${condition.minCount} ${condition.visible ? "visible " : ""}${shorten(condition.css)}`;
      if (found === undefined) return done(false, wanted, unread);
      if (found.count < 0) return done(false, wanted, "a selector the browser cannot read");
      return done(found.count >= condition.minCount, wanted, String(found.count));
    }
    case "text":
      return textCheck(condition, page?.text, findRegex, done, unread);
    case "selection": {
      const selection = normalise(menu?.selection ?? page?.selection ?? "");
      return done(selection.length >= condition.minLen, `${condition.minLen} selected characters`, selection);
    }
    case "contextMenu":
      return done(
        menu?.on.includes(condition.on) === true,
        `a menu click on ${condition.on}`,
        menu?.on.join(", ") ?? "",
      );
    case "meta": {
      const content = meta(facts, condition.name);
      const observed = content === undefined ? [] : [content];
      const holds = page !== undefined && compares(condition.op, condition.value, observed);
      return done(
        holds,
        `meta ${condition.name} ${comparison(condition)}`,
        page === undefined ? unread : observed.join(),
      );
    }
    case "jsonld": {
      const observed = jsonLdValues(page?.jsonLd ?? [], condition.type, condition.path);
      const holds = page !== undefined && compares(condition.op, condition.value, observed);
      const wanted = `JSON-LD ${condition.type}${condition.path === "" ? "" : `.${condition.path}`} ${comparison(condition)}`;
      return done(holds, wanted, page === undefined ? unread : observed.join(", "));
    }
    case "media": {
      const words = (playing: boolean) => (playing ? "media that plays" : "no media that plays");
      if (page === undefined) return done(false, words(condition.playing), unread);
      return done(page.playing === condition.playing, words(condition.playing), words(page.playing));
    }
    case "visits": {
      const recent = facts.visits.filter((at) => at > facts.at - condition.windowMs && at <= facts.at).length;
      const minutes = Math.round(condition.windowMs / 60_000);
      return done(recent >= condition.count, `${condition.count} visits in ${minutes} min`, String(recent));
    }
    case "schedule": {
      const cron = parseCron(condition.cron);
      const holds = cron.ok && cronMatches(cron.value, condition.timeZone, facts.at);
      return done(holds, `${condition.cron} in ${condition.timeZone}`, localMinute(facts.at, condition.timeZone));
    }
  }
}

/** Letters' case does not matter in texts of pages, but in regular expressions. */
function textCheck(
  { op, value }: Extract<Condition, { kind: "text" }>,
  text: string | undefined,
  findRegex: FindRegex,
  done: (holds: boolean, wanted: string, observed: string) => Check,
  unread: string,
): Check {
  const wanted = `text ${op === "regex" ? "that matches" : op === "wildcard" ? "like" : "with"} ${shorten(value)}`;
  if (text === undefined) return done(false, wanted, unread);
  if (op === "regex") {
    const result = findRegex(value, text);
    if ("refused" in result) return done(false, wanted, `an expression that is refused: ${result.refused}`);
    return done(result.found !== null, wanted, result.found ?? text);
  }
  const [low, low2] = [text.toLowerCase(), value.toLowerCase()];
  return done(op === "contains" ? low.includes(low2) : matchesStars(`*${low2}*`, low), wanted, text);
}

function comparison({ op, value }: { readonly op: Operator; readonly value: string }): string {
  return op === "exists" ? OPERATOR_WORDS.exists : `${OPERATOR_WORDS[op]} ${shorten(value)}`;
}

const OPERATOR_WORDS = {
  exists: "is there",
  equals: "equals",
  not: "is not",
  contains: "contains",
  startsWith: "starts with",
  wildcard: "is like",
  lessThan: "is less than",
  greaterThan: "is more than",
} as const satisfies Record<Operator, string>;

function extract(one: Extraction, rule: Rule, facts: Facts, findRegex: FindRegex): ExtractedValue | undefined {
  for (const source of byTrust(one.from)) {
    const text = readSource(source, rule, facts);
    if (text === undefined) continue;
    const result = one.regex === undefined ? { found: text } : findRegex(one.regex, text);
    const value = "found" in result && result.found !== null ? normalise(result.found) : "";
    if (value !== "") return { name: one.var, value, source: source.kind };
  }
  return undefined;
}

/** What the flow gets: values as they are and fixed texts, by input. An optional value that was not found is left out. */
export function inputsOf(
  rule: Pick<Rule, "action">,
  values: readonly Pick<ExtractedValue, "name" | "value">[],
): Readonly<Record<string, string>> {
  const inputs = Object.entries(rule.action.inputs).flatMap(([input, from]): [string, string][] => {
    const value = "text" in from ? from.text : values.find(({ name }) => name === from.var)?.value;
    return value === undefined ? [] : [[input, value]];
  });
  return Object.fromEntries(inputs);
}
