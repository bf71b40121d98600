import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROVE_TIMES } from "../testing/prove.ts";
import { evaluate, inputsOf } from "./evaluate.ts";
import type { RuleInput } from "./model.ts";
import { type Facts, needsOf, type PageFacts } from "./page-facts.ts";
import { findRegex } from "./regex.ts";
import { FLOW_ID, makeFacts, makeRule, PHONE_ID } from "./rule.fixture.ts";
import { normalise } from "./text.ts";

type ConditionInput = Extract<RuleInput["when"], { all: unknown }>["all"][number];
type SourceInput = NonNullable<RuleInput["extract"]>[number]["from"][number];

const holds = (condition: ConditionInput, facts: Facts = makeFacts()) =>
  evaluate(makeRule({ when: { all: [condition] } }), facts, findRegex).checks.at(-1);
const value = (from: SourceInput | SourceInput[], facts: Facts, over: Partial<RuleInput> = {}) => {
  const rule = makeRule({ extract: [{ var: "v", from: Array.isArray(from) ? from : [from] }], ...over });
  return evaluate(rule, facts, findRegex).values[0]?.value;
};
const page = (over: Partial<PageFacts>) => makeFacts({}, over);

describe("conditions", () => {
  const product = JSON.stringify({
    "@graph": [{ "@type": ["Product"], name: "Lamp", offers: [{ price: 12.5 }, { price: 40 }] }],
  });
  it.each<[ConditionInput, Facts, Facts]>([
    [
      { kind: "url", is: "https://shop.example/product/*" },
      makeFacts(),
      makeFacts({ url: "https://shop.example/cart" }),
    ],
    [
      { kind: "url", is: { pathname: "/product/:id" } },
      makeFacts(),
      makeFacts({ url: "https://shop.example/product/" }),
    ],
    [{ kind: "host", is: "*.shop.example" }, makeFacts(), makeFacts({ url: "https://other.example/" })],
    [
      { kind: "query", name: "sku", op: "equals", value: "A 1" },
      makeFacts(),
      makeFacts({ url: "https://shop.example/?sku=B" }),
    ],
    [
      { kind: "query", name: "n", op: "greaterThan", value: "9" },
      makeFacts({ url: "https://shop.example/?n=10" }),
      makeFacts({ url: "https://shop.example/?n=" }),
    ],
    [
      { kind: "dom", css: "h1", minCount: 2 },
      page({ dom: [{ css: "h1", visible: false, count: 2 }] }),
      page({ dom: [{ css: "h1", visible: false, count: 1 }] }),
    ],
    [
      { kind: "dom", css: "h1", visible: true },
      page({ dom: [{ css: "h1", visible: true, count: 1 }] }),
      page({ dom: [{ css: "h1", visible: false, count: 9 }] }),
    ],
    [{ kind: "text", op: "contains", value: "In stock" }, page({ text: "now IN STOCK!" }), page({ text: "sold out" })],
    [
      { kind: "text", op: "wildcard", value: "from * EUR" },
      page({ text: "Lamp from 12 eur only" }),
      page({ text: "EUR from" }),
    ],
    [{ kind: "text", op: "regex", value: "\\d+ left" }, page({ text: "only 3 left" }), page({ text: "none left" })],
    [{ kind: "selection", minLen: 3 }, page({ selection: "abc" }), page({ selection: " a  " })],
    [
      { kind: "meta", name: "OG:type", op: "equals", value: "product" },
      page({ meta: [{ name: "og:type", content: "product" }] }),
      page({}),
    ],
    [
      { kind: "jsonld", type: "Product", op: "exists" },
      page({ jsonLd: ["{", product] }),
      page({ jsonLd: [product.replace("Product", "Event")] }),
    ],
    [
      { kind: "jsonld", type: "Product", path: "offers.price", op: "lessThan", value: "13" },
      page({ jsonLd: [product] }),
      page({ jsonLd: [product.replace("12.5", "99")] }),
    ],
    [{ kind: "media", playing: true }, page({ playing: true }), page({ playing: false })],
    [
      { kind: "visits", count: 2, windowMs: 3_600_000 },
      makeFacts({ visits: [makeFacts().at - 60_000, makeFacts().at] }),
      makeFacts({ visits: [makeFacts().at - 3_600_000, makeFacts().at] }),
    ],
    [
      { kind: "schedule", cron: "0 10 * * 4", timeZone: "Europe/Berlin" },
      makeFacts(),
      makeFacts({ at: makeFacts().at + 60_000 }),
    ],
    [{ kind: "contextMenu", on: "link" }, makeFacts({ menu: { on: ["link", "page"] } }), makeFacts()],
  ])("%j", (condition, yes, no) => {
    expect(holds(condition, yes)?.holds).toBe(true);
    expect(holds(condition, no)?.holds).toBe(false);
  });
  it("fail on a page that was not read", () => {
    const { page: _, ...unread } = makeFacts();
    for (const condition of [
      { kind: "dom", css: "h1" },
      { kind: "text", op: "contains", value: "a" },
      { kind: "meta", name: "a", op: "not", value: "b" },
      { kind: "jsonld", type: "a", op: "not", value: "b" },
      { kind: "media", playing: false },
    ] as const) {
      expect(holds(condition, unread)).toMatchObject({ holds: false, observed: "a page that was not read" });
    }
  });
  it("are all told, with what was there, and one sentence says why", () => {
    const rule = makeRule({
      when: {
        all: [
          { kind: "text", op: "contains", value: "Sale" },
          { kind: "host", is: "shop.example" },
        ],
      },
    });
    const told = evaluate(rule, page({ text: "x".repeat(500) }), findRegex);
    expect(told.fits).toBe(false);
    expect(told.checks.map(({ kind, holds: ok }) => [kind, ok])).toEqual([
      ["start", true],
      ["scope", true],
      ["text", false],
      ["host", true],
    ]);
    expect(told.checks[2]?.observed).toHaveLength(80);
    expect(told.reason).toMatch(/^Wanted text with Sale; there was x+…\.$/);
  });
  it("of any need one", () => {
    const any = [
      { kind: "text" as const, op: "contains" as const, value: "Sale" },
      { kind: "host" as const, is: "shop.example" },
    ];
    expect(evaluate(makeRule({ when: { any } }), makeFacts(), findRegex).fits).toBe(true);
    expect(evaluate(makeRule({ when: { any: any.slice(0, 1) } }), makeFacts(), findRegex).reason).toBe(
      "None of the 1 conditions holds.",
    );
  });
  it("do not matter outside the scope, or when started in another way", () => {
    expect(evaluate(makeRule(), makeFacts({ url: "https://evil.example/" }), findRegex).fits).toBe(false);
    expect(evaluate(makeRule({ scope: [] }), makeFacts(), findRegex)).toMatchObject({
      fits: false,
      reason: "Wanted a start by click; there was navigation.",
    });
    expect(evaluate(makeRule({ scope: [] }), makeFacts({ start: "click" }), findRegex).fits).toBe(true);
  });
});

describe("values", () => {
  it("come from addresses, decoded", () => {
    const facts = makeFacts({ url: "https://shop.example/a%20b/42?q=1%2F2#top" });
    expect(value({ kind: "url", part: "host" }, facts)).toBe("shop.example");
    expect(value({ kind: "path", index: 0 }, facts)).toBe("a b");
    expect(value({ kind: "path", index: -1 }, facts)).toBe("42");
    expect(value({ kind: "query", name: "q" }, facts)).toBe("1/2");
    const when = { all: [{ kind: "url" as const, is: { pathname: "/:shelf/:id" } }] };
    expect(value({ kind: "group", name: "shelf" }, facts, { when })).toBe("a b");
  });
  it("take the most trusted source that has one, whatever the order", () => {
    const from: SourceInput[] = [{ kind: "css", css: "h1" }, { kind: "meta", name: "og:title" }, { kind: "canonical" }];
    const facts = page({
      css: [{ css: "h1", value: "H" }],
      meta: [{ name: "og:title", content: "M" }],
      canonical: "https://evil.example/",
    });
    expect(value(from, facts)).toBe("M");
  });
  it("believe a canonical address only of the same site", () => {
    const read = (canonical: string, scope = ["https://shop.example/*"]) =>
      value({ kind: "canonical" }, page({ canonical }), { scope });
    expect(read("https://www.shop.example/p/42")).toBe("https://www.shop.example/p/42");
    expect(read("/p/42")).toBe("https://shop.example/p/42");
    expect(read("https://evil.example/p/42")).toBeUndefined();
    expect(read("https://de.shop.example/p")).toBeUndefined();
    expect(read("https://de.shop.example/p", ["https://*.shop.example/*"])).toBe("https://de.shop.example/p");
    expect(read("javascript:alert(1)")).toBeUndefined();
    expect(read("https://me:pw@shop.example/")).toBeUndefined();
  });
  it("name an app only by a name an app can have", () => {
    const app = (over: Partial<PageFacts>, url?: string) =>
      value({ kind: "app", part: "package" }, makeFacts(url === undefined ? {} : { url }, over));
    expect(app({ meta: [{ name: "al:android:package", content: "com.shop.app" }] })).toBe("com.shop.app");
    expect(app({ meta: [{ name: "google-play-app", content: "app-id=com.shop.app, x=1" }] })).toBe("com.shop.app");
    expect(app({ apps: ["android-app://com.shop.app/https/shop.example"] })).toBe("com.shop.app");
    expect(app({ apps: ["market://details?id=com.shop.app"] })).toBe("com.shop.app");
    for (const bad of ["com", "com.shop;rm -rf", "com.shop.app\n--x", "-com.shop", `a.${"b".repeat(300)}`]) {
      expect(app({ meta: [{ name: "al:android:package", content: bad }] })).toBeUndefined();
    }
    const play = (url: string) => value({ kind: "play" }, makeFacts({ url }), { scope: [url] });
    expect(play("https://play.google.com/store/apps/details?id=com.shop.app")).toBe("com.shop.app");
    expect(play("https://play.google.com/store/apps?id=com.shop.app")).toBeUndefined();
  });
  it("open no address that runs code", () => {
    const address = (content: string) =>
      value({ kind: "app", part: "address" }, page({ meta: [{ name: "al:android:url", content }] }));
    expect(address("shop://item/42")).toBe("shop://item/42");
    for (const bad of [
      "javascript:alert(1)",
      "JavaScript:x",
      "intent://x#Intent;end",
      "data:text/html,x",
      "file:///etc/passwd",
      "x",
    ]) {
      expect(address(bad)).toBeUndefined();
    }
  });
  it("keep a rule from fitting when a required one is missing", () => {
    const extract = [
      { var: "a", from: [{ kind: "canonical" as const }] },
      { var: "b", from: [{ kind: "selection" as const }], required: false },
    ];
    expect(evaluate(makeRule({ extract }), makeFacts(), findRegex)).toMatchObject({
      fits: false,
      missing: ["a"],
      reason: "Nothing was found for a.",
    });
  });
  it("can be cut out by an expression", () => {
    const extract = [{ var: "price", from: [{ kind: "css" as const, css: ".price" }], regex: "([\\d.]+) EUR" }];
    const read = (text: string) =>
      evaluate(makeRule({ extract }), page({ css: [{ css: ".price", value: text }] }), findRegex).values;
    expect(read("only 12.50 EUR")).toEqual([{ name: "price", value: "12.50", source: "css" }]);
    expect(read("free")).toEqual([]);
  });
  it("are one line of at most 2 KB without characters that deceive", () => {
    expect(normalise(" a\u202eb\n\tc\u0000d ")).toBe("ab cd");
    expect(normalise("e\u0301")).toBe("é");
    expect(normalise("é".repeat(3_000))).toBe("é".repeat(1_024));
    expect(normalise(`x${"😀".repeat(3_000)}`)).toBe(`x${"😀".repeat(511)}`);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 6_000 }), (text) => {
        const line = normalise(text.repeat(3));
        expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(2_048);
        expect(line.isWellFormed()).toBe(true);
      }),
      { numRuns: 200 * PROVE_TIMES },
    );
  });
});

describe("hostile pages", () => {
  const rule = makeRule({
    when: {
      any: [
        { kind: "jsonld", type: "Product", path: "a.b", op: "exists" },
        { kind: "text", op: "regex", value: "(a+)+$" },
        { kind: "meta", name: "m", op: "exists" },
      ],
    },
    extract: [
      {
        var: "constructor",
        from: [
          { kind: "jsonld", type: "Product", path: "__proto__.polluted" },
          { kind: "meta", name: "__proto__" },
        ],
      },
      { var: "c", from: [{ kind: "canonical" }, { kind: "app", part: "address" }, { kind: "play" }], required: false },
    ],
  });
  it("make nothing throw and pollute nothing", () => {
    const page_ = fc.record({
      text: fc.string(),
      canonical: fc.option(fc.string()),
      apps: fc.array(fc.string().map((rest) => `market://${rest}`)),
      jsonLd: fc.array(
        fc.oneof(fc.json(), fc.string(), fc.constant('{"@type":"Product","__proto__":{"polluted":"x"},"a":{"b":1}}')),
      ),
      meta: fc.array(fc.record({ name: fc.constantFrom("m", "__proto__", "al:android:url"), content: fc.string() })),
    });
    fc.assert(
      fc.property(page_, fc.oneof(fc.webUrl(), fc.string()), (facts, url) => {
        const { values } = evaluate(rule, makeFacts({ url }, facts), findRegex);
        expect(values.length).toBeLessThanOrEqual(2);
        expect(Reflect.get({}, "polluted")).toBeUndefined();
      }),
    );
  });
  it("of deep, wide and many blocks cost little", () => {
    const deep = `{"@type":"Product","a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
    const wide = JSON.stringify(Array.from({ length: 3_000 }, () => ({ "@type": "Product" })));
    const started = performance.now();
    for (const jsonLd of [
      [deep],
      [wide],
      Array.from({ length: 10_000 }, () => '{"@type":"Product"}'),
      ["x".repeat(1_000_000)],
    ]) {
      evaluate(rule, page({ jsonLd }), findRegex);
    }
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

describe("what a page is asked", () => {
  it("is only what the rules need", () => {
    expect(needsOf([makeRule()])).toBeUndefined();
    const rules = [
      makeRule({
        when: {
          all: [
            { kind: "dom", css: "h1" },
            { kind: "meta", name: "OG:Type", op: "exists" },
          ],
        },
      }),
      makeRule({
        when: { all: [{ kind: "dom", css: "h1" }] },
        extract: [{ var: "a", from: [{ kind: "css", css: "a", attr: "href" }] }],
      }),
    ];
    expect(needsOf(rules)).toEqual({
      dom: [{ css: "h1", visible: false }],
      css: [{ css: "a", attr: "href" }],
      meta: ["og:type"],
      text: false,
      selection: false,
      links: false,
      jsonLd: false,
      media: false,
    });
  });
});

describe("a flow's inputs", () => {
  it("are the values that were found and fixed texts", () => {
    const rule = makeRule({
      extract: [
        { var: "a", from: [{ kind: "url", part: "host" }] },
        { var: "b", from: [{ kind: "selection" }], required: false },
      ],
      action: { flowId: FLOW_ID, phone: PHONE_ID, inputs: { x: { var: "a" }, y: { var: "b" }, z: { text: "{{a}}" } } },
    });
    expect(inputsOf(rule, evaluate(rule, makeFacts(), findRegex).values)).toEqual({ x: "shop.example", z: "{{a}}" });
  });
});
