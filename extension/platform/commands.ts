/** Keyboard commands: what the browser really assigned, and being told of a press. */
import browser from "webextension-polyfill";
import { openTab, type TabView, tabView } from "./tabs.ts";

export interface Shortcut {
  readonly name: string;
  readonly description: string;
  /** As the browser writes it, e.g. "Alt+P"; absent when it assigned none. */
  readonly keys: string | undefined;
}

export async function shortcuts(): Promise<readonly Shortcut[]> {
  const all = await browser.commands.getAll();
  return all.map((command) => ({
    name: command.name ?? "",
    description: command.description ?? "",
    keys: command.shortcut === "" ? undefined : command.shortcut,
  }));
}

/** The listener runs within the person's gesture. Register synchronously when the worker starts. */
export function onCommand(listener: (name: string, tab: TabView | undefined) => void): void {
  browser.commands.onCommand.addListener((name, tab) => listener(name, tab === undefined ? undefined : tabView(tab)));
}

/** Firefox has a call for it (137 and later), Chrome an address; the types know neither. */
export async function openShortcutSettings(): Promise<void> {
  const commands = browser.commands as { openShortcutSettings?: () => Promise<void> };
  if (commands.openShortcutSettings !== undefined) await commands.openShortcutSettings();
  else await openTab("chrome://extensions/shortcuts");
}
