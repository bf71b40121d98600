/** A user agent in words a person knows their devices by. */
import bowser from "bowser";

/** Whether two user agents are of one browser on one system; a new version is no new device. */
export function sameDevice(a: string | null, b: string | null): boolean {
  const [one, other] = [deviceWords(a), deviceWords(b)];
  return one.system === other.system && one.browser.replace(/ \d+$/, "") === other.browser.replace(/ \d+$/, "");
}

/** "Firefox 128" and "Windows"; unknown parts are said to be unknown. */
export function deviceWords(userAgent: string | null): { browser: string; system: string } {
  if (userAgent === null || userAgent === "") return { browser: "Unknown browser", system: "unknown system" };
  const { browser, os } = bowser.parse(userAgent);
  const major = browser.version?.split(".")[0];
  return {
    browser: browser.name ? [browser.name, major].filter(Boolean).join(" ") : "Unknown browser",
    system: os.name ?? "unknown system",
  };
}
