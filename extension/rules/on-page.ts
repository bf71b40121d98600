/** A page on a site with a rule is there: judges its rules, reads of it what they need, and acts. */
import { readAddress } from "../../shared/rules/address.ts";
import { needsOf, type PageFacts } from "../../shared/rules/page-facts.ts";
import { candidates, loadIndex } from "../../shared/rules/rule-index.ts";
import { conditionsOf } from "../../shared/rules/rule-parts.ts";
import type { SavedRule } from "../../shared/rules-api.ts";
import { setTabBadge } from "../platform/badge.ts";
import type { PageTarget } from "../platform/scripting.ts";
import { tabById } from "../platform/tabs.ts";
import { logEvaluations } from "./evaluation-log.ts";
import { explainOf, type Happening, type Judgement, judge } from "./judge.ts";
import { changeOffers, type Offer } from "./offers.ts";
import type { RuleParts } from "./parts.ts";
import { PAGE_BUDGET_MS, readPage, waitForElement } from "./read-page.ts";
import { settleRuns, startRun } from "./start-run.ts";

/** A top document, as the browser says it. */
export interface Visit {
  readonly target: PageTarget;
  readonly url: string;
  /** The same for the same document, else different. */
  readonly document: string;
}

const KEPT_VISITS = 1_000;
const LONGEST_WINDOW_MS = 30 * 86_400_000;

/** Not the bare number: that is the count of running phones. */
export function waitingBadge(waiting: number): string | undefined {
  return waiting === 0 ? undefined : `${waiting}?`;
}

export async function onPage(parts: RuleParts, { target, url, document }: Visit): Promise<void> {
  const { tabId } = target;
  await changeOffers((all) => all.filter((one) => one.tabId !== tabId || one.started !== undefined));
  await setTabBadge(tabId, undefined, undefined);
  const known = await parts.records.get("rules");
  const { server } = await parts.app.settings.get();
  if (known === undefined || known.server !== server) return;
  const ids = new Set(candidates(loadIndex(known.index), url));
  const fitting = known.saved.filter(({ rule }) => ids.has(rule.id));
  if (fitting.length === 0) return;
  await settleRuns(parts);

  const happening: Omit<Happening, "facts"> = { tabId, occasion: { start: "navigation", documentId: document, url } };
  const base = { start: "navigation", at: parts.now(), url, visits: await visit(parts, fitting, url) } as const;
  const needs = needsOf(fitting.map(({ rule }) => rule));
  const page = needs === undefined ? undefined : await readPage(target, needs);
  const judgeAll = async (some: readonly SavedRule[], read: PageFacts | undefined) => {
    // Between reading and acting the tab may have gone elsewhere: then nothing of it counts.
    if (!(await isStill(target.tabId, url))) return [];
    const facts = read === undefined ? base : { ...base, page: read };
    const judged: Judgement[] = [];
    for (const saved of some) judged.push(await judge(parts, saved, { ...happening, facts }, true));
    const lines = await Promise.all(judged.map((one) => act(parts, one)));
    await logEvaluations(
      judged.map((one, index) => ({
        ...explainOf(one, base),
        ...lines[index],
        ...(read !== undefined && { readMs: read.tookMs }),
      })),
    );
    return judged;
  };
  const waiting = page === undefined ? [] : fitting.filter(({ rule }) => awaitsElement(rule, page));
  await judgeAll(
    fitting.filter((one) => !waiting.includes(one)),
    page,
  );
  if (waiting.length === 0 || page === undefined || needs === undefined) return;
  const spent = await waitForElement(
    target,
    page.dom.filter(({ css }) =>
      waiting.some(({ rule }) => conditionsOf(rule).some((one) => one.kind === "dom" && one.css === css)),
    ),
  );
  const left = Math.max(2, PAGE_BUDGET_MS - page.tookMs - (spent ?? 0));
  const again = spent === undefined ? page : await readPage(target, needs, left);
  await judgeAll(waiting, again ?? page);
}

/** Runs it, or leaves it for the person, with a badge on the tab. Gives what the log has to say beyond the gates. */
async function act(parts: RuleParts, { saved, outcome, offer }: Judgement): Promise<{ readonly words?: string }> {
  if (outcome === undefined) return {};
  if (!outcome.fire) {
    if (outcome.gate === "confirm") await ask(saved, offer);
    return {};
  }
  const result = await startRun(parts, saved, offer, outcome, undefined);
  if (!result.ok) return { words: `It did not start. ${result.words}` };
  await changeOffers((all) => [{ ...offer, started: { runId: result.runId } }, ...all]);
  await setTabBadge(offer.tabId, "▸", `Perch: ${saved.rule.name} is running`);
  return {};
}

async function ask(saved: SavedRule, offer: Offer): Promise<void> {
  const all = await changeOffers((before) => [
    { ...offer, waits: true },
    ...before.filter((one) => one.dedupeKey !== offer.dedupeKey),
  ]);
  const waiting = all.filter((one) => one.tabId === offer.tabId && one.waits && one.started === undefined).length;
  // The rule's own name; a page has no say in what stands there.
  const title = waiting === 1 ? `Perch: ${saved.rule.name} waits for your yes` : `Perch: ${waiting} automations wait`;
  await setTabBadge(offer.tabId, waitingBadge(waiting), title);
}

async function isStill(tabId: number, url: string): Promise<boolean> {
  const tab = await tabById(tabId);
  return tab?.url !== undefined && withoutFragment(tab.url) === withoutFragment(url);
}

function withoutFragment(url: string): string {
  return url.split("#", 1)[0] ?? "";
}

/** Whether an element the rule waits for is not there yet, on a page that could be read. */
function awaitsElement(rule: SavedRule["rule"], page: PageFacts): boolean {
  return conditionsOf(rule).some((one) => {
    if (one.kind !== "dom") return false;
    const found = page.dom.find(({ css, visible }) => css === one.css && visible === one.visible);
    return found !== undefined && found.count >= 0 && found.count < one.minCount;
  });
}

/** Counts the visit where a rule counts visits; gives those of this site, this one included. */
async function visit(parts: RuleParts, rules: readonly SavedRule[], url: string): Promise<readonly number[]> {
  const host = readAddress(url)?.hostname;
  const counts = rules.some(({ rule }) => conditionsOf(rule).some(({ kind }) => kind === "visits"));
  if (!counts || host === undefined) return [];
  const now = parts.now();
  const all = await parts.records.update("visits", (visits) => ({
    ...visits,
    [host]: [...(visits[host] ?? []).filter((at) => now - at < LONGEST_WINDOW_MS), now].slice(-KEPT_VISITS),
  }));
  return all[host] ?? [];
}
