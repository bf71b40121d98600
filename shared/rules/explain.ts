/**
 * "Why did this (not) fire": the last evaluations with what each found and which gate stopped it. Plain JSON, for the
 * browser's session memory alone: the checks show addresses and texts of pages.
 */
import type { Check, Evaluation } from "./evaluate.ts";
import type { Gate, GateOutcome } from "./gates.ts";
import type { Rule, StartWay } from "./model.ts";
import type { Facts } from "./page-facts.ts";

const KEPT_EXPLANATIONS = 200;

export interface Explanation {
  readonly ruleId: Rule["id"];
  readonly ruleName: string;
  /** Unix ms. */
  readonly at: number;
  readonly start: StartWay;
  readonly host: string;
  readonly outcome: "fired" | "stopped" | "fits" | "no fit";
  /** The sentence to show. */
  readonly words: string;
  /** The gate that stopped it. */
  readonly gate?: Gate;
  readonly checks: readonly Check[];
}

/** Adds the newest at the end and drops the oldest beyond 200. */
export function addExplanations<One extends Explanation>(log: readonly One[], found: readonly One[]): readonly One[] {
  return [...log, ...found].slice(-KEPT_EXPLANATIONS);
}

/** Puts what the rule found and what the gates said into one line of the log. Without an outcome no gate was asked. */
export function explain(
  rule: Pick<Rule, "id" | "name">,
  { at, start, url }: Pick<Facts, "at" | "start" | "url">,
  { fits, reason, checks }: Evaluation,
  outcome?: GateOutcome,
): Explanation {
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  const base = { ruleId: rule.id, ruleName: rule.name, at, start, host, checks };
  if (!fits || outcome === undefined) return { ...base, outcome: fits ? "fits" : "no fit", words: reason };
  if (outcome.fire) return { ...base, outcome: "fired", words: "It started a run." };
  return { ...base, outcome: "stopped", words: outcome.words, gate: outcome.gate };
}
