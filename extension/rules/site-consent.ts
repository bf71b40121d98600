/**
 * What may act by itself in this browser: a rule whose sites the browser lets us read, and that this very person allowed
 * here as it is now. A rule a team-mate makes or changes asks anew, whatever sites were allowed for others before.
 */
import type { RuleId } from "../../shared/id-values.ts";
import { consentText, originsOf, type Tier, tierOf } from "../../shared/rules/consent.ts";
import type { Rule } from "../../shared/rules/model.ts";
import { hasSites } from "../platform/permissions.ts";
import type { RuleRecords } from "./rule-records.ts";

/** `click`: needs no permission. `changed`: it is not what was allowed. `none`: not allowed here, or no more. */
export type ConsentState = "click" | "allowed" | "changed" | "none";

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

/** Whether a site as the panel names it (`shop.example`, `*.shop.example`) covers a host name. */
export function coversSite(site: string, hostname: string): boolean {
  const name = site.replace(/^\*\./, "");
  return hostname === name || (site !== name && hostname.endsWith(`.${name}`));
}

/** Until when (Unix ms) a person paused a host, or a site it belongs to. */
export function pausedUntil(pauses: Readonly<Record<string, number>>, hostname: string): number | undefined {
  const times = Object.entries(pauses).flatMap(([site, until]) => (coversSite(site, hostname) ? [until] : []));
  return times.length === 0 ? undefined : Math.max(...times);
}

export const TIER_WORDS = {
  0: "Runs by a click. It sees nothing until then.",
  1: "Sees the addresses of pages on these sites.",
  2: "Sees the addresses and reads what is named below on pages of these sites.",
} as const satisfies Record<Tier, string>;
