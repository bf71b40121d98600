/**
 * Privacy in the worker: once an hour it asks which clocks run, for the badge; keeps the address that ends the session
 * when the extension is removed; and leaves nothing behind once the account is gone.
 */
import { classifyFailure } from "../../api/errors.ts";
import { ensureAlarm, onAlarm } from "../../platform/alarms.ts";
import { openWhenRemoved } from "../../platform/leaving.ts";
import { onBrowserStart, onInstalled } from "../../platform/runtime.ts";
import type { App } from "../../state/compose-app.ts";
import { forgetBrowser } from "../../state/forget-browser.ts";
import { isGone, markOf, privacyMark } from "../../state/privacy-mark.ts";

const ALARM = "privacy";
const PERIOD_MINUTES = 60;

export function registerPrivacy(app: App): void {
  const look = () => void lookAtPrivacy(app);
  onAlarm(ALARM, look);
  onInstalled(look);
  onBrowserStart(look);
  app.tokens.watch(look);
  void ensureAlarm(ALARM, PERIOD_MINUTES);
}

export async function lookAtPrivacy(app: App): Promise<void> {
  const { server = "" } = await app.settings.get();
  const sent = await app.tokens.get(server);
  await openWhenRemoved(sent?.uninstall);
  if (sent === undefined) return;
  const mark = privacyMark();
  try {
    const api = app.api(server);
    if (sent.uninstall === undefined) {
      const { url: uninstall } = await api.sessions.uninstallLink.query();
      // Whoever watches the tokens looks again, this file too.
      await app.tokens.renew(server, async (now) => (now?.token === sent.token ? { ...now, uninstall } : undefined));
      return;
    }
    const overview = await api.privacy.overview.query();
    await mark.update((before) => markOf(server, overview, before, Date.now()));
  } catch (error) {
    const { kind } = classifyFailure(error, server, navigator.onLine);
    if (kind === "signed_out" && isGone(await mark.get(), server, Date.now())) await forgetBrowser();
  }
}
