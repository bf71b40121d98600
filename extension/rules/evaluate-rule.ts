/** Evaluates a rule, with the engine for expressions only where the rule has any. */
import { type Evaluation, evaluate } from "../../shared/rules/evaluate.ts";
import type { Rule } from "../../shared/rules/model.ts";
import type { Facts } from "../../shared/rules/page-facts.ts";
import { regexesOf } from "../../shared/rules/rule-parts.ts";

export type EvaluateRule = (rule: Rule, facts: Facts) => Promise<Evaluation>;

/** `withExpressions` does the same with the engine at hand. */
export function evaluator(withExpressions: EvaluateRule): EvaluateRule {
  return async (rule, facts) =>
    regexesOf(rule).length > 0
      ? withExpressions(rule, facts)
      : evaluate(rule, facts, () => ({ refused: "there is no engine for expressions here." }));
}
