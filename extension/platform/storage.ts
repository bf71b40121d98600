/** The two storage areas Perch uses: `local` stays, `session` is gone when the browser closes. Never `sync`. */
import browser from "webextension-polyfill";

export type StorageAreaName = "local" | "session";

export async function readItem(area: StorageAreaName, key: string): Promise<unknown> {
  const items = await browser.storage[area].get(key);
  return items[key];
}

export async function writeItem(area: StorageAreaName, key: string, value: unknown): Promise<void> {
  await browser.storage[area].set({ [key]: value });
}

export async function removeItem(area: StorageAreaName, key: string): Promise<void> {
  await browser.storage[area].remove(key);
}

/** Calls back with the new value whenever any part of the extension writes the key; returns how to stop. */
export function watchItem(area: StorageAreaName, key: string, onChange: (value: unknown) => void): () => void {
  const listener = (changes: Record<string, browser.Storage.StorageChange>, changed: string) => {
    const change = changes[key];
    if (changed === area && change !== undefined) onChange(change.newValue);
  };
  browser.storage.onChanged.addListener(listener);
  return () => browser.storage.onChanged.removeListener(listener);
}
