/** The tab the person looks at, and opening new ones. */
import browser from "webextension-polyfill";

/** `url` and `title` are there only after the person invoked Perch on the tab (activeTab). */
export interface TabView {
  readonly id: number | undefined;
  readonly windowId: number | undefined;
  readonly url: string | undefined;
  readonly title: string | undefined;
  readonly iconUrl: string | undefined;
}

export async function activeTab(): Promise<TabView | undefined> {
  const [tab] = await browser.tabs.query({ active: true, lastFocusedWindow: true });
  return tab === undefined ? undefined : tabView(tab);
}

export function tabView(tab: browser.Tabs.Tab): TabView {
  return { id: tab.id, windowId: tab.windowId, url: tab.url, title: tab.title, iconUrl: tab.favIconUrl };
}

/** Opens an address in a new tab; a path that starts with "/" is a page of the extension. */
export async function openTab(address: string): Promise<void> {
  await browser.tabs.create({ url: address.startsWith("/") ? browser.runtime.getURL(address) : address });
}

/** The window this page is in; the panel belongs to one window as a tab does. */
export async function ownWindowId(): Promise<number | undefined> {
  const own = await browser.windows.getCurrent();
  return own.id;
}
