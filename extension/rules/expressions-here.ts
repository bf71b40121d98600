/** Rules with expressions, evaluated by a page of ours, which loads the engine (45 kB) when it first needs it. */
import { evaluate } from "../../shared/rules/evaluate.ts";
import type { EvaluateRule } from "./evaluate-rule.ts";

export const evaluateHere: EvaluateRule = async (rule, facts) => {
  const { findRegex } = await import("../../shared/rules/regex.ts");
  return evaluate(rule, facts, findRegex);
};
