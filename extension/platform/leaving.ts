/** Leaving a browser: what is opened when the extension is removed, and removing all it keeps without that. */
import browser from "webextension-polyfill";

/** Storage, databases, and access to hosts. */
export async function wipeBrowser(): Promise<void> {
  const { local, session } = browser.storage;
  const clear = () => Promise.all([local.clear(), session.clear()]);
  await clear();
  const databases = await indexedDB.databases();
  await Promise.all(databases.map(({ name = "" }) => gone(indexedDB.deleteDatabase(name))));
  const { origins = [] } = await browser.permissions.getAll();
  // Refused for what an administrator or the manifest gave.
  await browser.permissions.remove({ origins }).catch(() => false);
  // What a part of the extension was writing meanwhile.
  await clear();
}

/** Whoever has it open closes it after what they do now; the browser waits for that. */
function gone(request: IDBOpenDBRequest): Promise<void> {
  return new Promise((resolve) => {
    request.onsuccess = request.onerror = () => resolve();
  });
}

/**
 * What the browser opens once the extension is removed; undefined opens nothing. Firefox forgets it when it closes, and
 * browsers take no address that is too long or not of the web.
 */
export async function openWhenRemoved(address: string | undefined): Promise<void> {
  await browser.runtime.setUninstallURL(address ?? "").catch(() => undefined);
}
