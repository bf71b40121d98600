import browser from "webextension-polyfill";

interface WithAccessLevel {
  setAccessLevel?(level: { accessLevel: "TRUSTED_CONTEXTS" }): Promise<void>;
}

/**
 * Keeps scripts in web pages from `storage.local`, as they are kept from `storage.session` anyway. Firefox has no such
 * thing, so nothing secret lies in either.
 */
export async function keepStorageFromPages(): Promise<void> {
  // Newer than the polyfill's types, and passed through by it.
  const local = browser.storage.local as WithAccessLevel;
  await local.setAccessLevel?.({ accessLevel: "TRUSTED_CONTEXTS" });
}
