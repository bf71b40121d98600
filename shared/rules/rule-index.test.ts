import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId } from "../id-values.ts";
import { PROVE_TIMES } from "../testing/prove.ts";
import { addressOf, compileAddress, readAddress } from "./address.ts";
import type { Rule, RuleInput } from "./model.ts";
import { parseRule } from "./parse-rule.ts";
import { makeRule, ruleInput } from "./rule.fixture.ts";
import { buildIndex, candidates, loadIndex } from "./rule-index.ts";

const brute = (rules: readonly Rule[], address: string) => {
  const url = readAddress(address);
  return rules
    .filter((one) => one.enabled && url !== undefined && compileAddress(addressOf(one))(url))
    .map(({ id }) => id);
};

const label = fc.constantFrom("shop", "www", "a", "news", "example");
const host = fc.array(label, { minLength: 1, maxLength: 3 }).map((all) => [...all, "test"].join("."));
const segment = fc.constantFrom("product", "item", "p", "index", "html", "42", "prod", "uct", "%20", "ä");
const query = fc.array(fc.tuple(fc.constantFrom("id", "sku", "q", "s%6Bu"), segment), { maxLength: 3 });
const address = fc
  .tuple(
    fc.constantFrom("http", "https"),
    host,
    fc.array(segment, { maxLength: 4 }),
    query,
    fc.constantFrom("", "#product"),
  )
  .map(([scheme, name, path, pairs, hash]) => {
    const search = pairs.map(([key, value]) => `${key}=${value}`).join("&");
    return `${scheme}://${name}/${path.join("/")}${search === "" ? "" : `?${search}`}${hash}`;
  });
const pathPattern = fc
  .array(fc.oneof(segment, fc.constantFrom("*", "*", "/", "?", "=", "prod*", "*uct")), { maxLength: 5 })
  .map((all) => `/${all.join("")}`);
const hostPattern = fc.oneof(
  host,
  host.map((name) => `*.${name}`),
);
const pattern = (hosts: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.constantFrom("*", "http", "https"), hosts, pathPattern)
    .map(([scheme, name, path]) => `${scheme}://${name}${path}`);
const condition = fc.oneof(
  pattern(fc.oneof(hostPattern, fc.constant("*"))).map((is) => ({ kind: "url" as const, is })),
  fc
    .record(
      {
        hostname: fc.oneof(
          host,
          host.map((name) => `*.${name}`),
          host.map((name) => `:sub.${name}`),
          host.map((name) => `*${name}`),
        ),
        pathname: fc
          .array(fc.oneof(segment, fc.constantFrom("*", ":x", "/")), { maxLength: 4 })
          .map((all) => `/${all.join("")}`),
        search: fc
          .array(fc.oneof(segment, fc.constantFrom("*", "id=", "&")), { maxLength: 3 })
          .map((all) => all.join("")),
      },
      { requiredKeys: [] },
    )
    .map((is) => ({ kind: "url" as const, is })),
  hostPattern.map((is) => ({ kind: "host" as const, is })),
  fc
    .tuple(
      fc.constantFrom("id", "sku", "none"),
      fc.constantFrom("exists", "equals", "not", "contains", "lessThan"),
      segment,
    )
    .map(([name, op, value]) => ({ kind: "query" as const, name, op: op as "exists", value })),
  fc.constant({ kind: "dom" as const, css: "h1" }),
);
const input: fc.Arbitrary<RuleInput> = fc
  .record({
    scope: fc.array(pattern(hostPattern), { maxLength: 3 }),
    when: fc.oneof(
      fc.array(condition, { maxLength: 3 }).map((all) => ({ all })),
      fc.array(condition, { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    ),
    enabled: fc.constantFrom(true, true, true, false),
  })
  .map((over) => ruleInput({ ...over, id: newId("rule") }));
const rules = fc.array(input, { maxLength: 40 }).map((all) =>
  all.flatMap((one) => {
    const parsed = parseRule(one);
    return parsed.ok ? [parsed.rule] : [];
  }),
);

describe("the index of rules", () => {
  it("finds what trying every rule finds, also after a round through JSON", () => {
    let found = 0;
    fc.assert(
      fc.property(rules, fc.array(address, { minLength: 5, maxLength: 10 }), (all, addresses) => {
        const index = buildIndex(all, "v1");
        const loaded = loadIndex(JSON.parse(JSON.stringify(index.data)));
        for (const one of addresses) {
          const expected = brute(all, one);
          found += expected.length;
          expect(candidates(index, one)).toEqual(expected);
          expect(candidates(loaded, one)).toEqual(expected);
        }
      }),
      { numRuns: 400 * PROVE_TIMES },
    );
    expect(found).toBeGreaterThan(500);
  });
  it.each([
    ["*://*/prod*", "https://a.test/product"],
    ["*://*/*duct", "https://a.test/product"],
    ["*://*/a*product*b/item", "https://a.test/a1product2b/item"],
    ["*://*/*?sku=1*", "https://a.test/x?sku=123"],
  ])("hangs %s on no token that a wildcard makes longer", (is, address) => {
    const rule = makeRule({ scope: [], when: { all: [{ kind: "url", is }] } });
    expect(candidates(buildIndex([rule], "v1"), address)).toEqual([rule.id]);
  });
  it("leaves out rules that are off and addresses that are none", () => {
    const on = makeRule({ id: newId("rule") });
    const index = buildIndex([on, makeRule({ id: newId("rule"), enabled: false })], "v1");
    expect(candidates(index, "https://shop.example/a")).toEqual([on.id]);
    for (const bad of ["", "shop.example", "file:///x", "about:blank", `https://shop.example/${"a".repeat(9_000)}`]) {
      expect(candidates(index, bad)).toEqual([]);
    }
  });
  it("tries few rules of many: on one host by their paths, on any host by a token", () => {
    const all = Array.from({ length: 2_000 }, (_, number) =>
      makeRule(
        number % 2 === 0
          ? { id: newId("rule"), scope: [`https://shop.example/item/num${number}/*`] }
          : { id: newId("rule"), scope: [], when: { all: [{ kind: "url", is: `*://*/item/num${number}/*` }] } },
      ),
    );
    const index = buildIndex(all, "v1");
    expect(candidates(index, "https://shop.example/item/num1000/x")).toHaveLength(1);
    expect(candidates(index, "https://other.example/item/num1001/x")).toHaveLength(1);
    expect(index.verifiers.filter(Boolean)).toHaveLength(2);
  });
  it("builds 10,000 rules in bounded work", () => {
    const all = Array.from({ length: 10_000 }, (_, number) =>
      makeRule({ id: newId("rule"), scope: [`https://s${number % 3_000}.example/p/${number}*`] }),
    );
    const started = performance.now();
    const index = buildIndex(all, "v1");
    expect(performance.now() - started).toBeLessThan(10_000);
    const hung = index.data.keys.reduce((sum, [, positions]) => sum + positions.length, index.data.rest.length);
    expect(hung).toBe(10_000);
  });
});
