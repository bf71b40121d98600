/** The panel's page in a real Chromium with the real extension, signed in to a stub server, at a given size. */
import type { BrowserContext, Page } from "playwright-core";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { STUB_TOKEN } from "./stub-trpc.ts";

const ORIGIN = `chrome-extension://${CHROME_EXTENSION_ID}`;
export const SIGNED_IN = STUB_TOKEN;
export const PANEL_SIZE = { width: 360, height: 760 };

/** Opens the panel's page; `search` as in `panel-place.ts`. */
export async function openPanelPage(context: BrowserContext, size = PANEL_SIZE, search = ""): Promise<Page> {
  const page = await context.newPage();
  await page.setViewportSize(size);
  await page.goto(`${ORIGIN}/sidepanel.html${search}`);
  return page;
}

/** Stores server and token as a sign-in would; without a token the person is signed out. */
export async function storeSignIn(
  context: BrowserContext,
  server: string,
  token?: string,
  expiresAt = "2100-01-01T00:00:00.000Z",
): Promise<void> {
  const page = await context.newPage();
  await page.goto(`${ORIGIN}/options.html`);
  await page.evaluate(storeInPage, { server, token, expiresAt });
  await page.close();
}

/** Takes back what an earlier test left open in the browser; `page` is one of the extension's. */
export async function clearSession(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // Playwright's types know nothing of what every page of an extension has.
    const { chrome } = globalThis as unknown as { chrome: { storage: { session: { clear(): Promise<void> } } } };
    await chrome.storage.session.clear();
  });
}

/** Leaves a wish for the panel, as the popup or the worker does (`extension/state/intents.ts`). */
export async function storeWish(page: Page, wish: object): Promise<void> {
  await page.evaluate(async (value) => {
    const extension = globalThis as unknown as {
      chrome: { storage: { session: { set(items: object): Promise<void> } } };
    };
    const pending = [{ requestId: crypto.randomUUID(), askedAtMs: Date.now(), wish: value }];
    await extension.chrome.storage.session.set({ intents: { version: 1, value: { pending, taken: [] } } });
  }, wish);
}

/** Runs in an extension page: the same places and shapes as `extension/state/{settings,tokens}.ts`. */
async function storeInPage({
  server,
  token,
  expiresAt,
}: {
  server: string;
  token: string | undefined;
  expiresAt: string;
}): Promise<void> {
  const extension = globalThis as unknown as { chrome: { storage: { local: { set(items: object): Promise<void> } } } };
  const opening = indexedDB.open("perch", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("tokens", { keyPath: "server" });
  await new Promise((resolve) => {
    opening.onsuccess = resolve;
  });
  const transaction = opening.result.transaction("tokens", "readwrite");
  if (token === undefined) transaction.objectStore("tokens").clear();
  else transaction.objectStore("tokens").put({ server, token, expiresAt });
  await new Promise((resolve) => {
    transaction.oncomplete = resolve;
  });
  opening.result.close();
  await extension.chrome.storage.local.set({ settings: { version: 1, value: { server, theme: "system" } } });
}

/** The token the extension holds for a server; `page` is one of the extension's. */
export function storedToken(page: Page, server: string): Promise<string | undefined> {
  return page.evaluate(
    (origin) =>
      new Promise<string | undefined>((resolve) => {
        const opening = indexedDB.open("perch", 1);
        opening.onsuccess = () => {
          const reading = opening.result.transaction("tokens").objectStore("tokens").get(origin);
          reading.onsuccess = () => {
            opening.result.close();
            resolve((reading.result as { token: string } | undefined)?.token);
          };
        };
      }),
    server,
  );
}
