/** Rules in memory, for tests of the extension: they are read by the real parser, and a start is a run of the stub's. */
import type { z } from "zod";
import { newId, type PhoneId, type RuleId, type RunId } from "../../shared/ids.ts";
import type { Rule, RuleInput } from "../../shared/rules/model.ts";
import { parseRule } from "../../shared/rules/parse-rule.ts";
import type { RuleList, RuleStart, SavedRule, startRuleInput } from "../../shared/rules-api.ts";
import type { StubRuns } from "./stub-runs.ts";

export type AskedStart = z.output<typeof startRuleInput>;

export class StubRules {
  readonly saved = new Map<RuleId, SavedRule>();
  /** Every start that was asked for. */
  readonly asked: AskedStart[] = [];
  readonly #runs: StubRuns;
  readonly #keys = new Map<string, RunId>();
  #version = 1;

  constructor(runs: StubRuns) {
    this.#runs = runs;
  }

  /** A rule from what a test says of it. */
  add(rule: Omit<RuleInput, "id">): SavedRule {
    const parsed = parseRule({ ...rule, id: newId("rule") });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return this.save(parsed.rule);
  }

  save(rule: Rule, over: Partial<SavedRule> = {}): SavedRule {
    this.#version += 1;
    const saved = { rule, updatedAt: new Date().toISOString(), paused: false, ...over };
    this.saved.set(rule.id, saved);
    return saved;
  }

  remove(id: RuleId): void {
    this.#version += 1;
    this.saved.delete(id);
  }

  list(): RuleList {
    return { version: String(this.#version), rules: [...this.saved.values()] };
  }

  start(input: AskedStart, phones: ReadonlyMap<PhoneId, unknown>): RuleStart {
    this.asked.push(input);
    const known = this.#keys.get(input.dedupeKey);
    if (known !== undefined) return { outcome: "duplicate", runId: known };
    const saved = this.saved.get(input.ruleId);
    if (saved === undefined) throw new Error("There is no such rule.");
    const { action, name } = saved.rule;
    const named = typeof action.phone === "string" && action.phone.startsWith("ph_") ? action.phone : undefined;
    const phoneId = (named ?? input.phoneId ?? [...phones.keys()][0] ?? newId("phone")) as PhoneId;
    const runId = this.#runs.start({ flowId: action.flowId, phoneId, idempotencyKey: input.dedupeKey });
    const run = this.#runs.newest;
    run.detail = { ...run.detail, trigger: "rule", triggerName: name, inputs: input.values };
    this.#keys.set(input.dedupeKey, runId);
    this.save(saved.rule, { lastStartedAt: new Date().toISOString() });
    return { outcome: "started", runId };
  }
}
