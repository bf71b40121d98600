/** The toolbar button: its badge and its tooltip. */
import browser from "webextension-polyfill";

/** An empty text removes the badge. */
export async function setBadge(text: string, title: string): Promise<void> {
  await Promise.all([
    browser.action.setBadgeText({ text }),
    browser.action.setTitle({ title }),
    browser.action.setBadgeBackgroundColor({ color: "#0b7f9c" }),
  ]);
  // Firefox and Chrome 110+; contrast of white on the accent is 4.6:1.
  await browser.action.setBadgeTextColor?.({ color: "#ffffff" });
}
