/** What the extension keeps in a browser. */
import type { Page } from "playwright-core";
import { until } from "./until.ts";

/** `page` is one of the extension's. */
export async function untilNothingIsKept(page: Page): Promise<void> {
  let kept = "";
  await until("the browser to hold nothing", async () => {
    kept = await page.evaluate(whatIsKept);
    return kept === "[]";
  }).catch((cause: unknown) => {
    throw new Error(`It keeps ${kept}`, { cause });
  });
}

/** Run in the panel: what is in both storage areas and in every row of every database; empty lists are nothing. */
async function whatIsKept(): Promise<string> {
  const { storage } = Reflect.get(globalThis, "chrome") as {
    storage: Record<"local" | "session", { get(): Promise<object> }>;
  };
  const settled = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const kept: unknown[] = [...Object.entries(await storage.local.get()), ...Object.values(await storage.session.get())];
  for (const { name = "" } of await indexedDB.databases()) {
    const database = await settled(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      kept.push(...(await settled(database.transaction(store).objectStore(store).getAll())));
    }
    database.close();
  }
  return JSON.stringify(kept.filter((one) => one !== undefined && JSON.stringify(one) !== "[]"));
}
