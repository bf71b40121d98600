/**
 * What may act by itself in this browser: a rule whose sites the browser lets us read, and that this very person allowed
 * here as it is now. A rule a team-mate makes or changes asks anew, whatever sites were allowed for others before.
 */
import type { RuleId } from "../../shared/id-values.ts";
import { originsOf, type Tier, tierOf } from "../../shared/rules/consent.ts";
import type { Rule } from "../../shared/rules/model.ts";
import { hasSites } from "../platform/permissions.ts";
import type { RuleRecords } from "./rule-records.ts";

/** `click`: needs no permission. `changed`: it is not what was allowed. `none`: not allowed here, or no more. */
export type ConsentState = "click" | "allowed" | "changed" | "none";

/** All of a rule that says where it acts, what it reads and what follows. */
export function consentText({ when, extract, scope, action, confirm, secrets, dryRun }: Rule): string {
  return JSON.stringify([when, extract, scope, action, confirm, secrets, dryRun]);
}

export async function rememberConsent(records: RuleRecords, rule: Rule): Promise<void> {
  await records.update("consents", (all) => ({ ...all, [rule.id]: consentText(rule) }));
}

export async function withdrawConsent(records: RuleRecords, ids: ReadonlySet<RuleId>): Promise<void> {
  await records.update("consents", (all) =>
    Object.fromEntries(Object.entries(all).filter(([id]) => !ids.has(id as RuleId))),
  );
}

/** Whether this person said yes to the rule as it is, whatever the browser lets us see. */
export function isKnownRule(consents: Readonly<Record<string, string>>, rule: Rule): boolean {
  return consents[rule.id] === consentText(rule);
}

export async function consentState(records: RuleRecords, rule: Rule): Promise<ConsentState> {
  if (tierOf(rule) === 0) return "click";
  const consents = await records.get("consents");
  if (consents[rule.id] === undefined || !(await hasSites(originsOf(rule)))) return "none";
  return isKnownRule(consents, rule) ? "allowed" : "changed";
}

export const TIER_WORDS = {
  0: "Runs by a click. It sees nothing until then.",
  1: "Sees the addresses of pages on these sites.",
  2: "Sees the addresses and reads what is named below on pages of these sites.",
} as const satisfies Record<Tier, string>;
