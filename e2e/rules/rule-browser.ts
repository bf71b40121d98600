/** What tests of rules do in the extension: allow a rule as its save click does, and look at what is kept. */
import type { Page } from "playwright-core";
import { consentText } from "../../shared/rules/consent.ts";
import type { Rule } from "../../shared/rules/model.ts";

/**
 * Writes the person's yes to rules, as saving them in the panel does (`extension/rules/site-consent.ts`), and has the
 * worker read the rules. `page` is one of the extension's.
 */
export async function allowRules(page: Page, rules: readonly Rule[]): Promise<void> {
  await page.evaluate(
    async (consents) => {
      const opening = indexedDB.open("perch-rules", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("records");
      await new Promise((resolve) => {
        opening.onsuccess = resolve;
      });
      const transaction = opening.result.transaction("records", "readwrite");
      transaction.objectStore("records").put(consents, "consents");
      await new Promise((resolve) => {
        transaction.oncomplete = resolve;
      });
      opening.result.close();
      const { chrome } = globalThis as unknown as {
        chrome: { runtime: { sendMessage(message: object): Promise<unknown> } };
      };
      await chrome.runtime.sendMessage({ perch: 1, type: "rules_changed" });
    },
    Object.fromEntries(rules.map((rule) => [rule.id, consentText(rule)])),
  );
}

export interface LoggedEvaluation {
  readonly outcome: string;
  readonly words: string;
  readonly gate?: string;
  readonly ruleName: string;
  /** Milliseconds of the page's thread. */
  readonly readMs?: number;
}

/** What the log of evaluations holds, oldest first. */
export function evaluations(page: Page): Promise<readonly LoggedEvaluation[]> {
  return sessionItem(page, "rules.evaluations");
}

export interface KeptOffer {
  readonly waits: boolean;
  readonly values: readonly { readonly name: string; readonly value: string }[];
}
export function keptOffers(page: Page): Promise<readonly KeptOffer[]> {
  return sessionItem(page, "rules.offers");
}

async function sessionItem<T>(page: Page, key: string): Promise<readonly T[]> {
  const value = await page.evaluate(async (name) => {
    const { chrome } = globalThis as unknown as {
      chrome: { storage: { session: { get(key: string): Promise<Record<string, unknown>> } } };
    };
    return (await chrome.storage.session.get(name))[name];
  }, key);
  // Written by the extension under this key.
  return (value as readonly T[] | undefined) ?? [];
}

/** The sites that pages' scripts are registered for. */
export function registeredScripts(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const { chrome } = globalThis as unknown as {
      chrome: { scripting: { getRegisteredContentScripts(): Promise<{ matches: string[] }[]> } };
    };
    return (await chrome.scripting.getRegisteredContentScripts()).flatMap(({ matches }) => matches);
  });
}

/** The badge of the tab at an address. */
export async function badgeOf(page: Page, url: string): Promise<string> {
  return page.evaluate(async (address) => {
    const { chrome } = globalThis as unknown as {
      chrome: {
        tabs: { query(query: object): Promise<{ id: number; url?: string }[]> };
        action: { getBadgeText(of: object): Promise<string> };
      };
    };
    const tab = (await chrome.tabs.query({})).find((one) => one.url === address);
    return tab === undefined ? "no tab" : chrome.action.getBadgeText({ tabId: tab.id });
  }, url);
}
