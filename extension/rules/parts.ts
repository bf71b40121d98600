/** What the rules of this browser work with; composed once per page or worker. */
import type { App } from "../state/compose-app.ts";
import type { EvaluateRule } from "./evaluate-rule.ts";
import type { RuleRecords } from "./rule-records.ts";

export interface RuleParts {
  readonly app: App;
  readonly records: RuleRecords;
  readonly evaluate: EvaluateRule;
  /** Unix ms. */
  readonly now: () => number;
}
