/** The team's rules in this browser: read from the server, indexed, and the page script put where they act. */
import { originsOf, startsOf } from "../../shared/rules/consent.ts";
import { FAILURES_TO_PAUSE, keepRules, resume } from "../../shared/rules/gates.ts";
import type { Rule } from "../../shared/rules/model.ts";
import { buildIndex } from "../../shared/rules/rule-index.ts";
import type { RuleList } from "../../shared/rules-api.ts";
import { hasSites } from "../platform/permissions.ts";
import { keepPageScript } from "../platform/scripting.ts";
import type { App } from "../state/compose-app.ts";
import type { TokenRecord } from "../state/tokens.ts";
import { clearEvaluationLog } from "./evaluation-log.ts";
import { changeOffers } from "./offers.ts";
import type { KnownRules, RuleRecords } from "./rule-records.ts";
import { isKnownRule } from "./site-consent.ts";

const SCRIPT_ID = "page-context";
const SCRIPT_FILE = "/page-context.js";

/**
 * Reads the rules anew. A server that does not answer leaves the last known ones; being signed out, and another team,
 * forget them.
 */
export async function readRules(app: App, records: RuleRecords): Promise<KnownRules | undefined> {
  const { server } = await app.settings.get();
  const token = server === undefined ? undefined : await app.tokens.get(server);
  // Of rules read before this was kept the team is not known.
  const isTheirs = await records.get("rules").then((known) => known?.team === undefined || known.team === token?.team);
  if (token === undefined || !isTheirs) {
    await records.update("rules", () => undefined);
    await Promise.all([changeOffers(() => []), clearEvaluationLog()]);
  }
  if (server !== undefined && token !== undefined) {
    const list = await app
      .api(server)
      .rules.list.query()
      .catch(() => undefined);
    if (list !== undefined) await keep(records, token, list);
    else await records.update("rules", (known) => (known?.server === server ? known : undefined));
  }
  await placePageScript(records);
  return records.get("rules");
}

async function keep(
  records: RuleRecords,
  { server, team }: TokenRecord,
  { version, rules: saved }: RuleList,
): Promise<void> {
  await records.update("rules", (known) => {
    if (known?.server === server && known.version === version) return { ...known, team, saved };
    const byPages = saved.map(({ rule }) => rule).filter((rule) => startsOf(rule).includes("navigation"));
    return { server, team, version, saved, index: buildIndex(byPages, version).data };
  });
  const ids = new Set<string>(saved.map(({ rule }) => rule.id));
  // The server counts the same failures; whoever lets a rule go on there lets it go on here.
  const going = saved.filter(({ paused }) => !paused).map(({ rule }) => rule.id);
  await records.update("gates", (gates) =>
    going.filter((id) => (gates.rules[id]?.failures ?? 0) >= FAILURES_TO_PAUSE).reduce(resume, keepRules(gates, ids)),
  );
}

/** Puts the page script on exactly the sites of rules that may act by themselves here, and nowhere else. */
export function placePageScript(records: RuleRecords): Promise<void> {
  // A permission that comes and rules that are read ask for it at the same time.
  return navigator.locks.request("perch.page-script", () => place(records));
}

async function place(records: RuleRecords): Promise<void> {
  const [known, consents] = await Promise.all([records.get("rules"), records.get("consents")]);
  const acting = (known?.saved ?? []).filter(({ rule, paused }) => rule.enabled && !paused && !isOver(rule));
  const patterns = new Set<string>();
  for (const { rule } of acting) {
    const sites = originsOf(rule);
    if (sites.length === 0 || !isKnownRule(consents, rule) || !(await hasSites(sites))) continue;
    for (const pattern of sites) patterns.add(pattern);
  }
  await keepPageScript(SCRIPT_ID, SCRIPT_FILE, [...patterns].sort());
}

function isOver({ expiresAt }: Rule): boolean {
  return expiresAt !== undefined && Date.now() >= Date.parse(expiresAt);
}
