/** Timers that outlive the background worker. */
import browser from "webextension-polyfill";

/** Makes sure a repeating alarm exists; does not restart one that does. */
export async function ensureAlarm(name: string, periodInMinutes: number): Promise<void> {
  const existing = await browser.alarms.get(name);
  if (existing?.periodInMinutes !== periodInMinutes) browser.alarms.create(name, { periodInMinutes });
}

/** Register synchronously when the worker starts. */
export function onAlarm(name: string, listener: () => void): void {
  browser.alarms.onAlarm.addListener((alarm) => {
    if (alarm.name === name) listener();
  });
}
