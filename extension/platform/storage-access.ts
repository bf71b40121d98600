import browser from "./browser.ts";

interface WithAccessLevel {
  setAccessLevel?(level: { accessLevel: "TRUSTED_CONTEXTS" }): Promise<void>;
}

/**
 * Keeps scripts in web pages from `storage.local`, as they are kept from `storage.session` anyway. Firefox has no such
 * thing, so nothing secret lies in either.
 */
export async function keepStorageFromPages(): Promise<void> {
  // Newer than these types.
  const local = browser.storage.local as WithAccessLevel;
  await local.setAccessLevel?.({ accessLevel: "TRUSTED_CONTEXTS" });
}
