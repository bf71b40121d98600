/** Rules kept on the server, and the starts they ask for: what goes into `rules.*` and what it answers. */
import * as z from "zod/mini";
import type { RuleId, RunId } from "./id-values.ts";
import { phoneId, ruleId } from "./ids.ts";
import { type Rule, START_WAYS } from "./rules/model.ts";
import { rule } from "./rules/parse-rule.ts";

/** The caller makes the id, so that saving twice makes one rule. */
export const saveRuleInput = z.strictObject({ rule });
export const ruleRef = z.strictObject({ ruleId });

/**
 * A start a browser asks for: the rule, and exactly the values the person saw in the preview. No address travels.
 * `cause`: rules whose runs led here, oldest first; the server refuses a third.
 */
export const startRuleInput = z.strictObject({
  ruleId,
  way: z.enum(START_WAYS),
  values: z.record(z.string(), z.string().check(z.maxLength(2_048))),
  /** Of `dedupe.ts`: a second start with the same key gives the first one's run. */
  dedupeKey: z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/)),
  /** For a rule that asks which phone. */
  phoneId: z.optional(phoneId),
  cause: z._default(z.array(ruleId).check(z.maxLength(4)), []),
});

export interface SavedRule {
  readonly rule: Rule;
  readonly updatedAt: string;
  readonly lastStartedAt?: string;
  /** Five runs in a row failed: it starts nothing until a person says so with `rules.resume`. */
  readonly paused: boolean;
  /** The next time its schedule comes; absent for a rule without one and while it is off, ended or paused. */
  readonly nextAt?: string;
  /** Why its schedule started nothing the last time it came. */
  readonly refusal?: RuleRefusal;
}

export interface RuleRefusal {
  readonly at: string;
  readonly message: string;
}

/** Answer of `rules.list`. `version` changes with every change of any rule. */
export interface RuleList {
  readonly version: string;
  readonly rules: readonly SavedRule[];
}

/** Answer of `rules.start`. */
export interface RuleStart {
  readonly outcome: "started" | "duplicate";
  readonly runId: RunId;
}

/** Events of a team's topic beside those of phones; `phones.events` delivers them too. */
export type RuleEvent =
  /** A rule was saved, removed, resumed or started: read the list again. */
  { readonly type: "rules" } | { readonly type: "rule_paused"; readonly ruleId: RuleId; readonly name: string };
