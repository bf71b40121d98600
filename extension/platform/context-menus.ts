/** Items in the browser's context menus. */
import browser from "webextension-polyfill";
import { type TabView, tabView } from "./tabs.ts";

export interface ContextMenuItem {
  readonly id: string;
  readonly title: string;
  readonly contexts: readonly ("page" | "link" | "selection" | "image" | "video" | "audio" | "action")[];
  /** Shows the item only on pages with such addresses. */
  readonly pagePatterns?: readonly string[];
  /** Shows the item only on links and images with such addresses. */
  readonly targetPatterns?: readonly string[];
}

export interface ContextMenuClick {
  readonly itemId: string;
  readonly linkUrl: string | undefined;
  /** Of an image, a video or a sound. */
  readonly imageUrl: string | undefined;
  readonly pageUrl: string | undefined;
  readonly selectedText: string | undefined;
  readonly mediaType: string | undefined;
  readonly tab: TabView | undefined;
}

/** Replaces all items; may be called again at any time, also while an earlier call is under way. */
export async function setContextMenus(items: readonly ContextMenuItem[]): Promise<void> {
  await navigator.locks.request("perch.context-menus", async () => {
    await browser.contextMenus.removeAll();
    for (const item of items) {
      browser.contextMenus.create({
        id: item.id,
        title: item.title,
        // `action` is in both browsers' MV3 and missing from these types.
        contexts: item.contexts as browser.Menus.ContextType[],
        ...(item.pagePatterns !== undefined && { documentUrlPatterns: [...item.pagePatterns] }),
        ...(item.targetPatterns !== undefined && { targetUrlPatterns: [...item.targetPatterns] }),
      });
    }
  });
}

/** The listener runs within the person's gesture. Register synchronously when the worker starts. */
export function onContextMenu(listener: (click: ContextMenuClick) => void): void {
  browser.contextMenus.onClicked.addListener((info, tab) => {
    listener({
      itemId: String(info.menuItemId),
      linkUrl: info.linkUrl,
      imageUrl: info.srcUrl,
      pageUrl: info.pageUrl,
      selectedText: info.selectionText,
      mediaType: info.mediaType,
      tab: tab === undefined ? undefined : tabView(tab),
    });
  });
}
