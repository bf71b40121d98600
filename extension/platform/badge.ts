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

/** The badge of one tab, in front of the general one; the browser takes it away when the tab goes to another page. */
export async function setTabBadge(tabId: number, text: string | undefined, title: string | undefined): Promise<void> {
  try {
    // Null gives the tab the general badge again; a title has no such way back.
    await browser.action.setBadgeText({ tabId, text: text ?? null });
    await browser.action.setTitle({ tabId, title: title ?? (await browser.action.getTitle({})) });
  } catch {
    // A tab that is gone has no badge.
  }
}

/** Opens the popup over the window in front; false where the browser does not let us. */
export async function openPopup(): Promise<boolean> {
  try {
    await browser.action.openPopup();
    return true;
  } catch {
    return false;
  }
}
