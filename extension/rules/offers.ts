/**
 * Starts that only need a person's click: what waits for a yes, and what the popup lists. Each holds the values the
 * person is shown, and those are what is sent. Gone with the browser's session.
 */
import type { PhoneId, RuleId, RunId } from "../../shared/id-values.ts";
import type { ExtractedValue } from "../../shared/rules/evaluate.ts";
import type { StartWay } from "../../shared/rules/model.ts";
import { readItem, watchItem, writeItem } from "../platform/storage.ts";

export interface Offer {
  readonly id: string;
  readonly ruleId: RuleId;
  readonly way: StartWay;
  readonly tabId: number;
  /** Of the page, from the browser. */
  readonly host: string;
  readonly origin: string;
  /** Of the page's address, under a secret of this browser: tells whether the tab is still there. */
  readonly page: string;
  readonly values: readonly ExtractedValue[];
  readonly dedupeKey: string;
  /** Unix ms. */
  readonly at: number;
  /** It waits for the person, rather than being one of several things they could do. */
  readonly waits: boolean;
  readonly started?: { readonly runId: RunId; readonly phoneId?: PhoneId };
}

const KEY = "rules.offers";
const LIFETIME_MS = 30 * 60_000;
const MOST = 50;

function isAlive({ at }: Offer, now: number): boolean {
  return now - at < LIFETIME_MS;
}

/** Newest first. Session storage is closed to scripts in pages, and this file alone writes the key. */
export async function offers(): Promise<readonly Offer[]> {
  const kept = (await readItem("session", KEY)) as readonly Offer[] | undefined;
  return (kept ?? []).filter((one) => isAlive(one, Date.now()));
}

export function changeOffers(change: (all: readonly Offer[]) => readonly Offer[]): Promise<readonly Offer[]> {
  return navigator.locks.request("perch.rules.offers", async () => {
    const next = change(await offers()).slice(0, MOST);
    await writeItem("session", KEY, next);
    return next;
  });
}

export function watchOffers(onChange: () => void): () => void {
  return watchItem("session", KEY, onChange);
}
