/** Rules being written: how one begins, what is wrong with it, and which sites saving it asks for. */
import { type FlowId, newId } from "../../../../../shared/id-values.ts";
import { originsOf, tierOf } from "../../../../../shared/rules/consent.ts";
import type { Problem, Rule, RuleInput } from "../../../../../shared/rules/model.ts";
import { parseRule } from "../../../../../shared/rules/parse-rule.ts";
import { type ReadyMade, ruleFrom } from "../../../../../shared/rules/ready-made.ts";

/** A flow that is not chosen yet; no flow has this id. */
export const NO_FLOW = "";

export function emptyRule(flowId: string = NO_FLOW): RuleInput {
  return {
    id: newId("rule"),
    name: "",
    when: { all: [] },
    extract: [],
    action: { flowId, phone: "ask", inputs: {} },
    scope: [],
    confirm: "first",
  };
}

/** `flowId` may be `NO_FLOW`, which the draft's check then names. */
export function readyMadeRule(readyMade: ReadyMade, flowId: string): RuleInput {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return ruleFrom(readyMade, { id: newId("rule"), flowId: flowId as FlowId, phone: "ask", scope: [], timeZone });
}

export interface CheckedDraft {
  /** Undefined while something is wrong. */
  readonly rule: Rule | undefined;
  readonly problems: readonly Problem[];
}

export function checkDraft(draft: RuleInput): CheckedDraft {
  // Lines of a text field that are empty are no sites.
  const scope = (draft.scope ?? []).map((line) => line.trim()).filter((line) => line !== "");
  const parsed = parseRule({ ...draft, scope });
  if (parsed.ok) return { rule: parsed.rule, problems: [] };
  return { rule: undefined, problems: parsed.problems.map(plain) };
}

/** An id that is missing is a choice nobody made. */
function plain({ path, message }: Problem): Problem {
  if (path === "action.flowId") return { path, message: "Choose the automation to run." };
  if (path === "action.phone") return { path, message: "Choose the phone." };
  return { path, message };
}

/** The problems at or below a path, as one sentence; undefined when there are none. */
export function problemAt(problems: readonly Problem[], path: string): string | undefined {
  const found = problems.filter((one) => one.path === path || one.path.startsWith(`${path}.`));
  return found.length === 0 ? undefined : [...new Set(found.map(({ message }) => message))].join(" ");
}

/** Host names of the sites a rule acts on by itself, as a person says them. */
export function siteNames(rule: Rule): readonly string[] {
  return originsOf(rule).map((pattern) => pattern.replace(/^[^:]*:\/\//, "").replace(/\/\*$/, ""));
}

/** What a person agrees to by saving, in a sentence. */
export function consentWords(rule: Rule): string {
  const sites = siteNames(rule).join(", ");
  switch (tierOf(rule)) {
    case 0:
      return "Runs by your click. Perch sees nothing of a page before that.";
    case 1:
      return `Saving asks the browser to let Perch see addresses on ${sites}.`;
    case 2:
      return `Saving asks the browser to let Perch read pages on ${sites}: addresses, and what is named above.`;
  }
}
