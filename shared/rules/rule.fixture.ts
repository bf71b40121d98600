/** A valid rule to vary in tests. */
import type { FlowId, PhoneId, RuleId } from "../id-values.ts";
import type { Rule, RuleInput } from "./model.ts";
import type { Facts, PageFacts } from "./page-facts.ts";
import { parseRule } from "./parse-rule.ts";

export const RULE_ID = `rule_${"r".repeat(22)}` as RuleId;
export const FLOW_ID = `fl_${"f".repeat(22)}` as FlowId;
export const PHONE_ID = `ph_${"p".repeat(22)}` as PhoneId;

export function ruleInput(over: Partial<RuleInput> = {}): RuleInput {
  return {
    id: RULE_ID,
    name: "Product page",
    when: { all: [] },
    action: { flowId: FLOW_ID, phone: PHONE_ID },
    scope: ["https://shop.example/*"],
    ...over,
  };
}

/** @throws with what is wrong when the rule is not valid. */
export function makeRule(over: Partial<RuleInput> = {}): Rule {
  const parsed = parseRule(ruleInput(over));
  if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
  return parsed.rule;
}

/** Facts of a page read on `shop.example`. */
export function makeFacts(over: Partial<Facts> = {}, page: Partial<PageFacts> = {}): Facts {
  return {
    start: "navigation",
    at: Date.UTC(2026, 10, 26, 9, 0),
    url: "https://shop.example/product/42?sku=A%201#top",
    visits: [],
    page: {
      dom: [],
      css: [],
      meta: [],
      text: "",
      selection: "",
      canonical: null,
      apps: [],
      jsonLd: [],
      playing: false,
      cut: false,
      tookMs: 1,
      ...page,
    },
    ...over,
  };
}
