/** `phone <address>` opens it on a phone, `phone <name>` shows that phone. */
import { type Phone, parsePhoneUrl } from "../../../shared/phone-model.ts";
import { onOmnibox, type Suggestion } from "../../platform/omnibox.ts";
import { activeTab, openTab } from "../../platform/tabs.ts";
import type { App } from "../../state/compose-app.ts";
import type { Wish } from "../../state/intents.ts";
import { handOver, PANEL_IN_A_TAB } from "./hand-over.ts";

const MOST_SUGGESTIONS = 5;

export function registerOmnibox(app: App): void {
  onOmnibox({
    hint: "Open an address on your phone, or write a phone's name to show it",
    suggest: async (text) => suggestions(await knownPhones(app), text),
    enter: (text) => void enter(app, text),
  });
}

async function enter(app: App, text: string): Promise<void> {
  const wish = omniboxWish(await knownPhones(app), text);
  if (wish === undefined) await openTab(PANEL_IN_A_TAB);
  else await handOver(app, (await activeTab())?.windowId, wish);
}

async function knownPhones(app: App): Promise<readonly Phone[]> {
  const [settings, cache] = await Promise.all([app.settings.get(), app.phonesCache.get()]);
  return cache !== undefined && cache.server === settings.server ? cache.phones : [];
}

export function suggestions(phones: readonly Phone[], text: string): readonly Suggestion[] {
  const typed = text.trim().toLowerCase();
  return phones
    .filter((phone) => phone.name.toLowerCase().includes(typed))
    .slice(0, MOST_SUGGESTIONS)
    .map((phone) => ({ content: phone.name, description: `Show ${phone.name} (${phone.state})` }));
}

/** A phone's name wins over an address; undefined when the text is neither. */
export function omniboxWish(phones: readonly Phone[], text: string): Wish | undefined {
  const typed = text.trim();
  const named = phones.find((phone) => phone.name.toLowerCase() === typed.toLowerCase());
  if (named !== undefined) return { type: "show", phoneId: named.id };
  const url = /\s/.test(typed) || typed === "" ? undefined : parsePhoneUrl(typed);
  return url === undefined ? undefined : { type: "open", url };
}
