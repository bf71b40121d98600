/** Rules in the browser's context menus. */
import { parsePhoneUrl } from "../../../shared/phone-model.ts";
import type { MenuTarget } from "../../../shared/rules/model.ts";
import { conditionsOf } from "../../../shared/rules/rule-parts.ts";
import type { SavedRule } from "../../../shared/rules-api.ts";
import type { ContextMenuClick, ContextMenuItem } from "../../platform/context-menus.ts";
import { openPanel } from "../../platform/panel.ts";
import { type MenuClick, runFromMenu } from "../../rules/by-hand.ts";
import type { RuleParts } from "../../rules/parts.ts";
import { automationsPlace } from "../../state/automations-place.ts";

const PREFIX = "rule:";
/** A longer menu is read by nobody. */
const MOST_ITEMS = 6;

export function isRuleItem(itemId: string): boolean {
  return itemId.startsWith(PREFIX);
}

/** The first rules with a menu condition, in the order of the team's list; the id stays the same as long as the rule. */
export function ruleItems(saved: readonly SavedRule[]): readonly ContextMenuItem[] {
  return saved
    .filter(({ rule, paused }) => rule.enabled && !paused && menuTargets(rule).length > 0)
    .slice(0, MOST_ITEMS)
    .map(({ rule }) => ({
      id: PREFIX + rule.id,
      // The browser reads % as a place for the selection and & as a key.
      title: rule.name.replaceAll("%", "%%").replaceAll("&", "&&"),
      contexts: menuTargets(rule),
      pagePatterns: rule.scope.length > 0 ? rule.scope : ["http://*/*", "https://*/*"],
    }));
}

function menuTargets(rule: SavedRule["rule"]): readonly MenuTarget[] {
  return [...new Set(conditionsOf(rule).flatMap((one) => (one.kind === "contextMenu" ? [one.on] : [])))];
}

/** Opens the panel within the gesture; it shows the run, or the question, once that is known. */
export async function runRuleItem(parts: RuleParts, click: ContextMenuClick): Promise<void> {
  void openPanel(click.tab?.windowId);
  const known = await parts.records.get("rules");
  const saved = known?.saved.find(({ rule }) => PREFIX + rule.id === click.itemId);
  const menu = menuClickOf(click);
  if (saved === undefined || menu === undefined) return;
  const result = await runFromMenu(parts, saved, menu);
  // What neither runs nor asks is explained.
  const why = result.ok || result.asks ? undefined : ({ view: "rule-log", key: saved.rule.id } as const);
  await automationsPlace().set(result.ok ? { view: "run", runId: result.runId } : (why ?? { view: "rules" }));
  await parts.app.intents.put({ type: "automations" });
}

/** Undefined on a page that is none of the web's. */
export function menuClickOf(click: ContextMenuClick): MenuClick | undefined {
  const url = parsePhoneUrl(click.pageUrl ?? click.tab?.url ?? "");
  const tabId = click.tab?.id;
  if (url === undefined || tabId === undefined || click.tab?.incognito === true) return undefined;
  const { linkUrl: link, imageUrl: media, selectedText: selection, mediaType } = click;
  const kind = (["image", "video", "audio"] as const).find((one) => one === mediaType);
  const on: MenuTarget[] = [
    ...(link === undefined ? [] : (["link"] as const)),
    ...(kind === undefined ? [] : [kind]),
    ...(selection === undefined ? [] : (["selection"] as const)),
  ];
  return {
    tabId,
    url,
    on: on.length === 0 ? ["page"] : on,
    ...(link !== undefined && { link }),
    ...(media !== undefined && { media }),
    ...(selection !== undefined && { selection }),
  };
}
