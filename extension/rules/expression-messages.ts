/** The worker asks the page without a window to evaluate a rule with expressions, and it answers. */
import type { Evaluation } from "../../shared/rules/evaluate.ts";
import type { Rule } from "../../shared/rules/model.ts";
import type { Facts } from "../../shared/rules/page-facts.ts";
import { listen } from "../messaging/listen.ts";
import { withOffscreenPage } from "../platform/offscreen.ts";
import { sendMessage } from "../platform/runtime.ts";
import type { EvaluateRule } from "./evaluate-rule.ts";

const TYPE = "evaluate_expressions";

interface Asked {
  readonly perch: 1;
  readonly type: typeof TYPE;
  readonly rule: Rule;
  readonly facts: Facts;
}

/** Chrome's worker can load no code later on and has no room for the engine. */
export const evaluateOffscreen: EvaluateRule = (rule, facts) =>
  withOffscreenPage(
    "/expressions.html",
    "Runs the expressions of a person's rules apart from the worker.",
    async () => {
      const asked: Asked = { perch: 1, type: TYPE, rule, facts };
      const answer = await sendMessage(asked);
      // The page of ours is the only one that answers this.
      return (answer as Evaluation | undefined) ?? unanswered(rule);
    },
  );

/** Nobody answered: it does not fit, and the log says why. */
function unanswered(rule: Rule): Evaluation {
  const reason = "Its expressions could not be run; reload the page to try again.";
  return { ruleId: rule.id, fits: false, checks: [], values: [], missing: [], reason };
}

export function answerExpressions(evaluate: EvaluateRule): void {
  listen((raw, kind) => {
    if (kind !== "extension_page") return undefined;
    const asked = raw as Partial<Asked> | null;
    if (asked?.type !== TYPE || asked.rule === undefined || asked.facts === undefined) return undefined;
    return evaluate(asked.rule, asked.facts);
  });
}
