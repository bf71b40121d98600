import type { FirefoxPage } from "../harness/firefox-page.ts";
import { SIGNED_IN } from "./panel-page.ts";

/** Stores server and token as `panel-page.ts` does, with Firefox's name for the interfaces. */
export function storeFirefoxSignIn(page: FirefoxPage, server: string): Promise<void> {
  return page.evaluate(
    async (origin, token) => {
      const { browser: extension } = globalThis as unknown as {
        browser: { storage: { local: { set(items: object): Promise<void> } } };
      };
      const opening = indexedDB.open("perch", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("tokens", { keyPath: "server" });
      await new Promise((resolve) => {
        opening.onsuccess = resolve;
      });
      const transaction = opening.result.transaction("tokens", "readwrite");
      transaction.objectStore("tokens").put({ server: origin, token, expiresAt: "2100-01-01T00:00:00.000Z" });
      await new Promise((resolve) => {
        transaction.oncomplete = resolve;
      });
      opening.result.close();
      await extension.storage.local.set({ settings: { version: 1, value: { server: origin, theme: "system" } } });
    },
    server,
    SIGNED_IN,
  );
}
