/** What a person starts: what fits the page of a tab, a yes to an offer, a click in a context menu. */
import type { PhoneId, RunId } from "../../shared/id-values.ts";
import { addressOf, compileAddress, readAddress } from "../../shared/rules/address.ts";
import { isMenuOnly, startsOf } from "../../shared/rules/consent.ts";
import type { MenuTarget } from "../../shared/rules/model.ts";
import { type Facts, needsOf } from "../../shared/rules/page-facts.ts";
import type { SavedRule } from "../../shared/rules-api.ts";
import { setTabBadge } from "../platform/badge.ts";
import { tabById } from "../platform/tabs.ts";
import { logEvaluations } from "./evaluation-log.ts";
import { askGates, browserSecret, explainOf, judge, pageMark, type Yes } from "./judge.ts";
import { changeOffers, type Offer, offers } from "./offers.ts";
import { waitingBadge } from "./on-page.ts";
import type { RuleParts } from "./parts.ts";
import { readPage } from "./read-page.ts";
import { settleRuns, startRun } from "./start-run.ts";

export interface FittingRule {
  readonly offer: Offer;
  readonly saved: SavedRule;
  /** The person is shown the values and asked before it runs. */
  readonly asks: boolean;
  /** Why a click would do nothing now. */
  readonly stopped?: string;
}

/** The rules that fit a tab's page, those that wait for a yes first. The person has opened the popup over it. */
export async function fittingRules(parts: RuleParts, tabId: number): Promise<readonly FittingRule[]> {
  const [known, tab] = await Promise.all([parts.records.get("rules"), tabById(tabId)]);
  const { server } = await parts.app.settings.get();
  if (known === undefined || known.server !== server || tab?.url === undefined || tab.incognito === true) return [];
  const { url } = tab;
  const mark = await pageMark(await browserSecret(parts), url);
  const here = (await offers()).filter((one) => one.tabId === tabId && one.page === mark);
  const address = readAddress(url);
  const byClick = known.saved.filter(
    ({ rule }) =>
      rule.enabled &&
      !isMenuOnly(rule) &&
      startsOf(rule).includes("click") &&
      address !== undefined &&
      compileAddress(addressOf(rule))(address),
  );
  const needs = needsOf(byClick.map(({ rule }) => rule));
  const page = needs === undefined ? undefined : await readPage({ tabId, documentId: undefined }, needs);
  const at = parts.now();
  const facts: Facts = { start: "click", at, url, visits: [], ...(page !== undefined && { page }) };
  await settleRuns(parts);
  const going = new Set((await parts.records.get("runs")).map(({ runId }) => runId));
  const found: FittingRule[] = [];
  for (const saved of byClick) {
    const kept = here.find(
      ({ ruleId, waits, started }) =>
        ruleId === saved.rule.id && (started === undefined ? waits : going.has(started.runId)),
    );
    if (kept !== undefined) {
      found.push({ offer: kept, saved, asks: kept.started === undefined });
      continue;
    }
    const occasion = { start: "click", clickId: crypto.randomUUID() } as const;
    const { evaluation, outcome, offer } = await judge(parts, saved, { tabId, facts, occasion }, false);
    if (!evaluation.fits || outcome === undefined) continue;
    const asks = !outcome.fire && outcome.gate === "confirm";
    const stopped = outcome.fire || asks ? undefined : outcome.words;
    found.push({ offer, saved, asks, ...(stopped !== undefined && { stopped }) });
  }
  const waitsFirst = found.sort((a, b) => Number(b.offer.waits) - Number(a.offer.waits));
  const ids = new Set(waitsFirst.map(({ offer }) => offer.id));
  const others = (one: Offer) => !ids.has(one.id) && (one.tabId !== tabId || one.waits || one.started !== undefined);
  await changeOffers((all) => [...waitsFirst.map(({ offer }) => offer), ...all.filter(others)]);
  return waitsFirst;
}

export type OfferResult =
  | { readonly ok: true; readonly runId: RunId }
  | { readonly ok: false; readonly words: string; readonly asks: boolean };

/** The person clicks Run: starts exactly the offer they saw. Clicked twice it is one run. */
export function runOffer(parts: RuleParts, id: string, yes: Yes, phoneId: PhoneId | undefined): Promise<OfferResult> {
  return navigator.locks.request(`perch.rules.offer.${id}`, async () => {
    const offer = (await offers()).find((one) => one.id === id);
    if (offer === undefined) return stopped("This is no longer on offer. Open the page again.");
    if (offer.started !== undefined) return { ok: true, runId: offer.started.runId };
    const known = await parts.records.get("rules");
    const saved = known?.saved.find(({ rule }) => rule.id === offer.ruleId);
    if (saved === undefined) return stopped("This rule is gone.");
    if (saved.rule.action.phone === "ask" && phoneId === undefined) return stopped("Choose a phone first.");
    await settleRuns(parts);
    const outcome = await askGates(parts, saved, offer, yes);
    if (!outcome.fire) return { ok: false, words: outcome.words, asks: outcome.gate === "confirm" };
    const result = await startRun(parts, saved, offer, outcome, phoneId);
    if (!result.ok) return stopped(result.words);
    const started = { runId: result.runId, ...(phoneId !== undefined && { phoneId }) };
    await changeOffers((all) => all.map((one) => (one.id === id ? { ...one, waits: false, started } : one)));
    await badgeOf(offer.tabId);
    return { ok: true, runId: result.runId };
  });
}

function stopped(words: string): OfferResult {
  return { ok: false, words, asks: false };
}

/** "Not now". */
export async function dismissOffer(id: string): Promise<void> {
  let tabId: number | undefined;
  await changeOffers((all) => {
    tabId = all.find((one) => one.id === id)?.tabId;
    return all.filter((one) => one.id !== id);
  });
  if (tabId !== undefined) await badgeOf(tabId);
}

async function badgeOf(tabId: number): Promise<void> {
  const waiting = (await offers()).filter((one) => one.tabId === tabId && one.waits && one.started === undefined);
  await setTabBadge(tabId, waitingBadge(waiting.length), undefined);
}

export interface MenuClick {
  readonly tabId: number;
  readonly url: string;
  readonly on: readonly MenuTarget[];
  readonly link?: string;
  readonly media?: string;
  readonly selection?: string;
}

/** A rule's item in a context menu: runs at once, or leaves an offer that asks. */
export async function runFromMenu(parts: RuleParts, saved: SavedRule, click: MenuClick): Promise<OfferResult> {
  const { tabId, url, ...menu } = click;
  await settleRuns(parts);
  const needs = needsOf([saved.rule]);
  const page = needs === undefined ? undefined : await readPage({ tabId, documentId: undefined }, needs);
  const facts: Facts = { start: "menu", at: parts.now(), url, visits: [], menu, ...(page !== undefined && { page }) };
  const occasion = { start: "menu", clickId: crypto.randomUUID() } as const;
  const judged = await judge(parts, saved, { tabId, facts, occasion }, false);
  await logEvaluations([explainOf(judged, facts)]);
  if (!judged.evaluation.fits || judged.outcome === undefined) return stopped(judged.evaluation.reason);
  const asks = !judged.outcome.fire && judged.outcome.gate === "confirm";
  await changeOffers((all) => [{ ...judged.offer, waits: asks }, ...all]);
  if (!judged.outcome.fire) {
    if (asks) await badgeOf(tabId);
    return { ok: false, words: judged.outcome.words, asks };
  }
  return runOffer(parts, judged.offer.id, undefined, undefined);
}
