/** Rules in the worker: reads them, hears of pages, and does what the popup and the panel ask. */
import { answerAsks } from "../../messaging/asks.ts";
import { ensureAlarm, onAlarm } from "../../platform/alarms.ts";
import { onSitesChanged } from "../../platform/permissions.ts";
import { onBrowserStart, onInstalled } from "../../platform/runtime.ts";
import { dismissOffer, fittingRules, runOffer } from "../../rules/by-hand.ts";
import { placePageScript, readRules } from "../../rules/known-rules.ts";
import { onPage } from "../../rules/on-page.ts";
import type { RuleParts } from "../../rules/parts.ts";
import { settleRuns } from "../../rules/start-run.ts";
import { visitOf } from "../../rules/visit-of.ts";
import { setMenus } from "./menus.ts";

const ALARM = "rules";
const PERIOD_MINUTES = 5;

export function registerRules(parts: RuleParts): void {
  const read = async () => {
    const known = await readRules(parts.app, parts.records);
    await setMenus(known?.saved ?? []);
    await settleRuns(parts);
  };
  onAlarm(ALARM, () => void read());
  onInstalled(() => void read());
  onBrowserStart(() => void read());
  parts.app.tokens.watch(() => void read());
  onSitesChanged(() => void placePageScript(parts.records));
  answerAsks({
    async page_ready(_, sender) {
      const visit = visitOf(sender);
      if (visit !== undefined) await onPage(parts, visit);
      return undefined;
    },
    async rules_changed() {
      await read();
      return undefined;
    },
    rules_fit: ({ tabId }) => fittingRules(parts, tabId),
    offer_run: ({ offerId, yes, phoneId }) => runOffer(parts, offerId, yes, phoneId),
    async offer_dismiss({ offerId }) {
      await dismissOffer(offerId);
      return undefined;
    },
  });
  void ensureAlarm(ALARM, PERIOD_MINUTES);
}
