import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate } from "./evaluate.ts";
import { needsOf, type PageFacts, type PageNeeds } from "./page-facts.ts";
import { readPageFacts } from "./read-page-facts.ts";
import { findRegex } from "./regex.ts";
import { makeFacts, makeRule } from "./rule.fixture.ts";

describe("a page's answer", () => {
  const needs: PageNeeds = {
    dom: [{ css: "h1", visible: false }],
    css: [{ css: "a", attr: "href" }, { css: "b" }],
    meta: ["og:type"],
    text: true,
    selection: true,
    links: true,
    jsonLd: true,
    media: true,
  };
  const answer: PageFacts = {
    dom: [{ css: "h1", visible: false, count: 2 }],
    css: [
      { css: "a", attr: "href", value: "x" },
      { css: "b", value: null },
    ],
    meta: [{ name: "og:type", content: "product" }],
    text: "a",
    selection: "b",
    canonical: "https://shop.example/",
    apps: ["market://x"],
    jsonLd: ["{}"],
    playing: true,
    cut: false,
    tookMs: 1.5,
  };
  it("is taken as it is when it answers what was asked", () => {
    expect(readPageFacts(JSON.parse(JSON.stringify(answer)), needs)).toEqual(answer);
  });
  it("is cut down to what was asked", () => {
    const nothing = {
      dom: [],
      css: [],
      meta: [],
      text: false,
      selection: false,
      links: false,
      jsonLd: false,
      media: false,
    };
    expect(readPageFacts(answer, nothing)).toEqual({
      ...{ dom: [], css: [], meta: [], text: "", selection: "", canonical: null, apps: [], jsonLd: [], playing: false },
      cut: false,
      tookMs: 1.5,
    });
    const long = {
      ...answer,
      text: "x".repeat(99_999),
      jsonLd: Array(99).fill("x".repeat(9_000)),
      apps: Array(99).fill("x"),
      meta: [
        { name: "other", content: "x" },
        { name: "og:type", content: "x".repeat(9_999) },
      ],
    };
    const read = readPageFacts(long, needs);
    expect([read?.text.length, read?.jsonLd.length, read?.apps.length]).toEqual([10_240, 7, 10]);
    expect(read?.meta).toEqual([{ name: "og:type", content: "x".repeat(2_048) }]);
  });
  it("of any other shape is none, and whatever it is, rules can be judged by it", () => {
    for (const bad of [
      null,
      1,
      "x",
      [],
      {},
      { ...answer, dom: null },
      { ...answer, dom: [] },
      { ...answer, text: 1 },
      { ...answer, apps: [1] },
      { ...answer, jsonLd: "x" },
    ]) {
      expect(readPageFacts(bad, needs)).toBeUndefined();
    }
    const rule = makeRule({
      when: {
        all: [
          { kind: "dom", css: "h1" },
          { kind: "text", op: "contains", value: "a" },
          { kind: "jsonld", type: "P", op: "exists" },
        ],
      },
      extract: [
        { var: "a", from: [{ kind: "canonical" }, { kind: "app", part: "package" }, { kind: "css", css: "b" }] },
      ],
    });
    const asked = needsOf([rule]) ?? needs;
    const field = fc.oneof(fc.anything(), fc.array(fc.anything()), fc.string());
    const shape = fc.record({ ...Object.fromEntries(Object.keys(answer).map((key) => [key, field])) });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          shape,
          shape.map((over) => ({ ...answer, ...over })),
        ),
        (value_) => {
          const page_ = readPageFacts(value_, asked);
          if (page_ !== undefined) evaluate(rule, { ...makeFacts(), page: page_ }, findRegex);
        },
      ),
    );
  });
});
