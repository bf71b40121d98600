/**
 * From something that happened to what follows: which rules fit, what the gates say, and then a run, a question to the
 * person, or a line in the log. Nothing of it is held in memory, so a worker may die between any two steps.
 */
import { readAddress } from "../../shared/rules/address.ts";
import { dedupeKey, type Occasion } from "../../shared/rules/dedupe.ts";
import type { Evaluation } from "../../shared/rules/evaluate.ts";
import { type Explanation, explain } from "../../shared/rules/explain.ts";
import { type GateEvent, type GateOutcome, pass } from "../../shared/rules/gates.ts";
import type { Rule } from "../../shared/rules/model.ts";
import type { Facts } from "../../shared/rules/page-facts.ts";
import type { SavedRule } from "../../shared/rules-api.ts";
import { ownOrigin } from "../platform/runtime.ts";
import { openedByUsAt } from "../platform/tabs.ts";
import type { Offer } from "./offers.ts";
import type { RuleParts } from "./parts.ts";
import { consentState, isKnownRule, pausedUntil } from "./site-consent.ts";

/** A tab we opened is left alone for so long. */
const OWN_TAB_MS = 60_000;

/** What a judgement is about; the address and the tab come from the browser. */
export interface Happening {
  readonly tabId: number;
  readonly facts: Facts;
  readonly occasion: Occasion;
}

export interface Judgement {
  readonly saved: SavedRule;
  readonly evaluation: Evaluation;
  /** Of the gates; absent when it does not fit. */
  readonly outcome?: GateOutcome;
  /** The start it would be. */
  readonly offer: Offer;
}

/** `yes`: the person saw the values. `site`: and wants no more questions on this site. */
export type Yes = "once" | "site" | undefined;

/**
 * Evaluates one rule and asks the gates. With `count` a `fire` outcome is counted already, so the run has to follow;
 * without it nothing is remembered of it.
 */
export async function judge(
  parts: RuleParts,
  saved: SavedRule,
  { facts, tabId, occasion }: Happening,
  count: boolean,
): Promise<Judgement> {
  const evaluation = await parts.evaluate(saved.rule, facts);
  const url = readAddress(facts.url);
  const secret = await browserSecret(parts);
  const key = await dedupeKey({
    rule: saved.rule,
    occasion,
    values: evaluation.values,
    at: facts.at,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    secret,
  });
  const offer: Offer = {
    id: crypto.randomUUID(),
    ruleId: saved.rule.id,
    way: facts.start,
    tabId,
    host: url?.host ?? "",
    origin: url?.origin ?? "",
    page: await pageMark(secret, facts.url),
    values: evaluation.values,
    dedupeKey: key,
    at: facts.at,
    waits: false,
  };
  if (!evaluation.fits) return { saved, evaluation, offer };
  return { saved, evaluation, outcome: await askGates(parts, saved, offer, undefined, count), offer };
}

/** The line of the log. */
export function explainOf({ saved, evaluation, outcome }: Judgement, facts: Facts): Explanation {
  return explain(saved.rule, facts, evaluation, outcome);
}

/** Passes the gates, or names the one that stops it. What the server paused stays paused. */
export async function askGates(
  parts: RuleParts,
  saved: SavedRule,
  offer: Offer,
  yes: Yes,
  count = true,
): Promise<GateOutcome> {
  if (saved.paused) {
    return { fire: false, gate: "failures", words: "Its last runs failed, so it is paused until you resume it." };
  }
  const event = await gateEvent(parts, saved.rule, offer, yes);
  if (!count) return pass(await parts.records.get("gates"), event, parts.now()).outcome;
  let outcome: GateOutcome | undefined;
  await parts.records.update("gates", (state) => {
    const passed = pass(state, event, parts.now());
    outcome = passed.outcome;
    return passed.state;
  });
  if (outcome === undefined) throw new Error("The gates were asked.");
  return outcome;
}

async function gateEvent(parts: RuleParts, rule: Rule, offer: Offer, yes: Yes): Promise<GateEvent> {
  const { records } = parts;
  const [{ server }, consents, pauses, opened, consent] = await Promise.all([
    parts.app.settings.get(),
    records.get("consents"),
    records.get("pauses"),
    openedByUsAt(offer.tabId),
    consentState(records, rule),
  ]);
  const paused = pausedUntil(pauses, readAddress(offer.origin)?.hostname ?? "");
  const byHand = offer.way !== "navigation";
  return {
    rule: withQuestion(rule, isKnownRule(consents, rule), yes),
    key: offer.dedupeKey,
    origin: yes === "once" ? null : offer.origin,
    byHand,
    confirmed: yes !== undefined,
    granted: byHand || consent === "allowed",
    ...(paused !== undefined && { sitePausedUntil: paused }),
    chain: [],
    openedByUs: opened !== undefined && parts.now() - opened < OWN_TAB_MS,
    ownPage: offer.origin === server || offer.origin === ownOrigin(),
  };
}

/** A rule this person never agreed to here asks first, and so does one that does not know its phone. */
function withQuestion(rule: Rule, known: boolean, yes: Yes): Rule {
  if (rule.confirm === "never" && !known) return { ...rule, confirm: "first" };
  if (rule.action.phone === "ask" && yes === undefined) return { ...rule, confirm: "always" };
  return rule;
}

/** Tells one address from another without telling it. */
export async function pageMark(secret: Uint8Array<ArrayBuffer>, url: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const page = url.split("#", 1)[0] ?? "";
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(page)));
  return [...bytes.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Made when it is first asked for, and kept. */
export function browserSecret({ records }: RuleParts): Promise<Uint8Array<ArrayBuffer>> {
  return records.update("secret", (secret) => secret);
}
