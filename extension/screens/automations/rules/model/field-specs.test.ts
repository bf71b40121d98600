import { describe, expect, it } from "vitest";
import { condition, source } from "../../../../../shared/rules/model.ts";
import { parseRule } from "../../../../../shared/rules/parse-rule.ts";
import { RULE_ID, ruleInput } from "../../../../../shared/rules/rule.fixture.ts";
import { CONDITION_SPECS, conditionSpec, fieldValue, SOURCE_SPECS, sourceSpec, withField } from "./field-specs.ts";

/** Every alternative of a discriminated union in the model. */
const kindsOf = (union: typeof condition | typeof source): string[] =>
  union.def.options.flatMap((option) => [...option.def.shape.kind.def.values]).map(String);

describe("the fields of conditions and sources", () => {
  it("cover every kind there is", () => {
    expect(new Set(CONDITION_SPECS.map(({ initial }) => initial.kind))).toEqual(new Set(kindsOf(condition)));
    expect(new Set(SOURCE_SPECS.map(({ initial }) => initial.kind))).toEqual(new Set(kindsOf(source)));
  });
  it("are found again from what they begin as", () => {
    for (const spec of CONDITION_SPECS) expect(conditionSpec(spec.initial)).toBe(spec);
    for (const spec of SOURCE_SPECS) expect(sourceSpec(spec.initial)).toBe(spec);
  });
  it("lead to rules that can be saved once they are filled in", () => {
    const filled: Record<string, string> = {
      is: "https://shop.example/*",
      "is.hostname": "shop.example",
      "is.pathname": "/p/:id",
      "is.search": "a=*",
      name: "sku",
      css: "#price",
      value: "x",
      path: "offers.price",
    };
    for (const spec of CONDITION_SPECS) {
      let one = spec.initial;
      for (const field of spec.fields) {
        const text = spec.id === "host" && field.key === "is" ? "shop.example" : filled[field.key];
        if (field.type === "text" && text !== undefined) one = withField(one, field, text);
      }
      const parsed = parseRule(ruleInput({ id: RULE_ID, when: { all: [one] } }));
      expect(parsed.ok ? [] : parsed.problems, spec.id).toEqual([]);
    }
  });
  it("change one value and leave out what is empty", () => {
    const field = { key: "is.pathname", label: "", type: "text" } as const;
    const one = withField({ kind: "url", is: { hostname: "a.example" } }, field, "/x");
    expect(one).toEqual({ kind: "url", is: { hostname: "a.example", pathname: "/x" } });
    expect(fieldValue(one, field)).toBe("/x");
    expect(withField(one, field, undefined)).toEqual({ kind: "url", is: { hostname: "a.example" } });
  });
});
