/** Context menus: a page, a link, an image or selected text, on the phone; and the rules that have an item there. */
import { parsePhoneUrl } from "../../../shared/phone-model.ts";
import type { SavedRule } from "../../../shared/rules-api.ts";
import {
  type ContextMenuClick,
  type ContextMenuItem,
  onContextMenu,
  setContextMenus,
} from "../../platform/context-menus.ts";
import { onBrowserStart, onInstalled } from "../../platform/runtime.ts";
import type { RuleParts } from "../../rules/parts.ts";
import type { App } from "../../state/compose-app.ts";
import type { Wish } from "../../state/intents.ts";
import { handOver } from "./hand-over.ts";
import { isRuleItem, ruleItems, runRuleItem } from "./rule-menus.ts";

const WEB = ["http://*/*", "https://*/*"] as const;

export const MENU_ITEMS: readonly ContextMenuItem[] = [
  { id: "open-page", title: "Open this page on phone", contexts: ["page"], pagePatterns: WEB },
  { id: "install-page", title: "Install this page as an app on phone", contexts: ["page"], pagePatterns: WEB },
  { id: "open-link", title: "Open link on phone", contexts: ["link"], targetPatterns: WEB },
  { id: "open-image", title: "Open image on phone", contexts: ["image"], targetPatterns: WEB },
  { id: "send-text", title: "Send “%s” to phone", contexts: ["selection"] },
];

/** Chrome keeps items over restarts of the worker, so they are set when they change and when the browser starts. */
export function setMenus(saved: readonly SavedRule[]): Promise<void> {
  return setContextMenus([...MENU_ITEMS, ...ruleItems(saved)]);
}

export function registerMenus(app: App, parts: RuleParts): void {
  const create = () => void parts.records.get("rules").then((known) => setMenus(known?.saved ?? []));
  onInstalled(create);
  onBrowserStart(create);
  onContextMenu((click) => {
    if (isRuleItem(click.itemId)) return void runRuleItem(parts, click);
    const wish = wishOf(click);
    if (wish !== undefined) void handOver(app, click.tab?.windowId, wish);
  });
}

/** What a click asks for; undefined when it names nothing a phone can open. */
export function wishOf(click: ContextMenuClick): Wish | undefined {
  switch (click.itemId) {
    case "open-page":
      return openWish(click.pageUrl ?? click.tab?.url);
    case "open-link":
      return openWish(click.linkUrl);
    case "open-image":
      return openWish(click.imageUrl);
    case "install-page": {
      const url = parsePhoneUrl(click.pageUrl ?? click.tab?.url ?? "");
      return url === undefined ? undefined : { type: "install", url };
    }
    case "send-text":
      return textWish(click.selectedText ?? "");
    default:
      return undefined;
  }
}

function openWish(address: string | undefined): Wish | undefined {
  const url = address === undefined ? undefined : parsePhoneUrl(address);
  return url === undefined ? undefined : { type: "open", url };
}

/** A selected address is opened; any other text goes to the phone's clipboard. */
export function textWish(selected: string): Wish | undefined {
  const text = selected.trim();
  if (text === "") return undefined;
  const url = looksLikeAddress(text) ? parsePhoneUrl(text) : undefined;
  return url === undefined ? { type: "clipboard", text } : { type: "open", url };
}

/** "example.org/x" and "https://…" are addresses; "e.g." and "Hello world" are words. */
function looksLikeAddress(text: string): boolean {
  return (
    !/\s/.test(text) && (/^https?:\/\//i.test(text) || /^([a-z0-9-]+\.)+[a-z]{2,}(:\d{1,5})?([/?#]\S*)?$/i.test(text))
  );
}
