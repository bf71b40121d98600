import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { consentText, originsOf, startsOf, tierOf } from "./consent.ts";
import type { RuleInput } from "./model.ts";
import { parseRule } from "./parse-rule.ts";
import { findRegex, regexProblems, vetRegex } from "./regex.ts";
import { makeRule, ruleInput } from "./rule.fixture.ts";

const problems = (over: Record<string, unknown>) => {
  const parsed = parseRule({ ...ruleInput(), ...over });
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

describe("a rule", () => {
  it("gets careful defaults", () => {
    expect(makeRule()).toMatchObject({
      enabled: true,
      mode: "single",
      oncePer: "navigation",
      debounceMs: 800,
      cooldownMs: 30_000,
      caps: { hour: 20, day: 100 },
      confirm: "first",
      dryRun: false,
    });
  });
  it.each<[Record<string, unknown>, string]>([
    [
      { scope: ["https://shop.example"] },
      'scope.0: "https://shop.example": The path is missing; write https://shop.example/*',
    ],
    [{ scope: ["<all_urls>"] }, "scope.0: <all_urls> is every site. Name the sites, or leave the scope empty"],
    [{ scope: ["*://*/*"] }, "scope.0: *://*/* is every site."],
    [{ scope: ["https://*.co.uk/*"] }, "scope.0: https://*.co.uk/* is every site under co.uk."],
    [{ scope: ["https://*.com/*"] }, "every site under com"],
    [{ when: { all: [{ kind: "url", is: "shop" }] } }, 'when.all.0.is: "shop": A pattern begins with'],
    [
      { when: { any: [{ kind: "url", is: { pathname: "/(a+)+$" } }] } },
      "when.any.0.is: In pathname, at character 2, ( is not supported",
    ],
    [
      { when: { all: [{ kind: "url", is: "https://a.example/*", regex: "x" }] } },
      "when.all.0: There is no regex here.",
    ],
    [{ when: { all: [{ kind: "host", is: "shop.example/x" }] } }, 'when.all.0.is: "shop.example/x" is not a host'],
    [{ when: { all: [{ kind: "dom", css: "a ~ b" }] } }, "when.all.0.css: A selector cannot use :has() or ~"],
    [
      { when: { all: [{ kind: "schedule", cron: "0 9", timeZone: "UTC" }] } },
      "when.all.0.cron: A schedule has 5 fields",
    ],
    [{ when: { all: [{ kind: "schedule", cron: "0 9 * * *", timeZone: "Mars/Base" }] } }, "There is no such time zone"],
    [{ when: { all: [{ kind: "mood" }] } }, "when.all.0.kind: There is no such condition."],
    [{ when: { any: [] } }, "when.any: Add a condition."],
    [{ when: {} }, "when: Conditions stand in either all or any."],
    [{ oncePer: { value: "sku" } }, "oncePer.value: The rule reads no value sku; it reads no values."],
    [
      { action: { ...ruleInput().action, inputs: { x: { var: "sku" } } } },
      "action.inputs.x.var: The rule reads no value sku",
    ],
    [{ action: { ...ruleInput().action, phone: "any" } }, "action.phone: This is not a phone id."],
    [{ extract: [{ var: "__proto__", from: [{ kind: "canonical" }] }] }, "extract.0.var: A name has letters"],
    [{ extract: [{ var: "id", from: [{ kind: "group", name: "id" }] }] }, "No url condition names a piece :id"],
    [{ extract: [{ var: "id", from: [{ kind: "menu", part: "link" }] }] }, "Nothing was clicked in a menu"],
    [{ expiresAt: "tomorrow" }, "expiresAt: Write the time as 2026-12-31T23:59:59Z."],
    [{ caps: { hour: 0, day: 1 } }, "caps.hour: The cap is at least 1."],
    [{ name: "" }, "name: Give the rule a name."],
  ])("refuses %j with a sentence and its place", (over, message) => {
    expect(problems(over).join("\n")).toContain(message);
  });
  it("may span every site when only the menu starts it", () => {
    const rule = makeRule({ scope: ["<all_urls>"], when: { all: [{ kind: "contextMenu", on: "link" }] } });
    expect([tierOf(rule), originsOf(rule), startsOf(rule)]).toEqual([0, [], ["menu"]]);
  });
  it("reads anything without a throw", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), fc.anything(), (value, when) => {
        parseRule(value);
        parseRule({ ...ruleInput(), when });
        parseRule({ ...ruleInput(), when: { all: [when] }, extract: [{ var: "a", from: [when] }] });
      }),
    );
  });
});

describe("the consent a rule needs", () => {
  it.each<[string, Partial<RuleInput>, number, readonly string[]]>([
    ["a click anywhere", { scope: [] }, 0, []],
    ["a click that reads the page", { scope: [], when: { all: [{ kind: "dom", css: "h1" }] } }, 0, []],
    ["a schedule", { scope: [], when: { all: [{ kind: "schedule", cron: "0 9 * * *", timeZone: "UTC" }] } }, 0, []],
    [
      "addresses",
      { scope: ["https://*.shop.example/p/*", "https://*.shop.example/q/*"] },
      1,
      ["https://*.shop.example/*"],
    ],
    ["a query", { when: { all: [{ kind: "query", name: "q", op: "exists" }] } }, 1, ["https://shop.example/*"]],
    ["page text", { when: { any: [{ kind: "text", op: "contains", value: "Sale" }] } }, 2, ["https://shop.example/*"]],
    [
      "a value of the page",
      { extract: [{ var: "name", from: [{ kind: "css", css: "h1" }] }] },
      2,
      ["https://shop.example/*"],
    ],
    [
      "a value of the address",
      { extract: [{ var: "id", from: [{ kind: "path", index: 1 }] }] },
      1,
      ["https://shop.example/*"],
    ],
  ])("for %s", (_, over, tier, origins) => {
    const rule = makeRule(over);
    expect([tierOf(rule), originsOf(rule)]).toEqual([tier, origins]);
  });
});

describe("regular expressions of rules", () => {
  it.each([
    ["(?=a)b", "Look-around"],
    ["(?<!a)b", "Look-around"],
    ["(a)\\1", "Backreferences"],
    ["[", "cannot be read: missing closing ]"],
    ["a{1,1000}", "repeats too much"],
    ["", "is empty"],
    ["a".repeat(257), "at most 256 characters; this one has 257"],
  ])("refuse %s with a sentence", (source, message) => {
    const vetted = vetRegex(source);
    expect(vetted.ok ? "accepted" : vetted.message).toContain(message);
    expect(findRegex(source, "aaa")).toHaveProperty("refused");
  });
  it("give the first group, else the match, of the first 10 KB", () => {
    expect(findRegex("sku-(\\d+)", "x sku-42")).toEqual({ found: "42" });
    expect(findRegex("\\d+", "x 42")).toEqual({ found: "42" });
    expect(findRegex("\\d+", "x")).toEqual({ found: null });
    expect(findRegex("needle", `${"x".repeat(10_240)}needle`)).toEqual({ found: null });
  });
  it("stay quick on what makes backtracking engines hang", () => {
    const started = performance.now();
    for (const source of ["^(a+)+$", "(a|a)*b", "(.*a){20}b"]) findRegex(source, `${"a".repeat(10_239)}!`);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
  it("are named with their place in the rule", () => {
    const rule = makeRule({
      when: { all: [{ kind: "text", op: "regex", value: "(?=a)" }] },
      extract: [{ var: "a", from: [{ kind: "canonical" }], regex: "(" }],
    });
    expect(regexProblems(rule).map(({ path }) => path)).toEqual(["when.all.0.value", "extract.0.regex"]);
  });
});

describe("what a person agrees to", () => {
  it("is the same text in any order of keys, and another when anything but name, switch and end changes", () => {
    const rule = makeRule({ when: { all: [{ kind: "query", name: "a", op: "equals", value: "b" }] } });
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, inner]) => [key, reversed(inner)]),
      );
    };
    expect(consentText(reversed(rule) as typeof rule)).toBe(consentText(rule));
    expect(consentText({ ...rule, name: "Other", enabled: false })).toBe(consentText(rule));
    for (const change of [{ confirm: "never" }, { scope: ["https://b.example/*"] }, { cooldownMs: 1 }] as const) {
      expect(consentText({ ...rule, ...change } as typeof rule)).not.toBe(consentText(rule));
    }
  });
});
