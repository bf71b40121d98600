/** The tab the person looks at, and opening new ones. */
import browser from "webextension-polyfill";

/** `url` and `title` are there only after the person invoked Perch on the tab (activeTab). */
export interface TabView {
  readonly id: number | undefined;
  readonly windowId: number | undefined;
  readonly url: string | undefined;
  readonly title: string | undefined;
  readonly iconUrl: string | undefined;
  readonly incognito?: boolean;
}

export async function activeTab(): Promise<TabView | undefined> {
  const [tab] = await browser.tabs.query({ active: true, lastFocusedWindow: true });
  return tab === undefined ? undefined : tabView(tab);
}

export function tabView(tab: browser.Tabs.Tab): TabView {
  const { id, windowId, url, title, favIconUrl: iconUrl, incognito } = tab;
  return { id, windowId, url, title, iconUrl, incognito };
}

/** A tab as it is now; undefined when it is gone. Its address is there only where we may see it. */
export async function tabById(id: number): Promise<TabView | undefined> {
  const tab = await browser.tabs.get(id).catch(() => undefined);
  return tab === undefined ? undefined : tabView(tab);
}

const OPENED = "opened-tab.";

/** Opens an address in a new tab; a path that starts with "/" is a page of the extension. */
export async function openTab(address: string): Promise<void> {
  const own = address.startsWith("/");
  const { id } = await browser.tabs.create({ url: own ? browser.runtime.getURL(address) : address });
  if (!own && id !== undefined) await browser.storage.session.set({ [OPENED + id]: Date.now() });
}

/** When this extension opened the tab (Unix ms), if it did. */
export async function openedByUsAt(tabId: number): Promise<number | undefined> {
  const at: unknown = (await browser.storage.session.get(OPENED + tabId))[OPENED + tabId];
  return typeof at === "number" ? at : undefined;
}

/** The window this page is in; the panel belongs to one window as a tab does. */
export async function ownWindowId(): Promise<number | undefined> {
  const own = await browser.windows.getCurrent();
  return own.id;
}
