/**
 * Keeps the badge true, asked every minute and whenever a page of ours knows better. Its rules, the first that holds:
 * a clock of the person's data that needs them: `!`; phones that are counted for the bill, which are those that run, and
 * no others: their number; else nothing. The tooltip says all of it, with what it costs where the role may see that.
 */
import { classifyFailure, withReason } from "../../api/errors.ts";
import { handleMessages } from "../../messaging/protocol.ts";
import { ensureAlarm, onAlarm } from "../../platform/alarms.ts";
import { setBadge } from "../../platform/badge.ts";
import { onBrowserStart, onInstalled } from "../../platform/runtime.ts";
import type { App } from "../../state/compose-app.ts";
import type { PhonesCache } from "../../state/phones-cache.ts";
import { privacyMark } from "../../state/privacy-mark.ts";

const ALARM = "badge";
const PERIOD_MINUTES = 1;

export function registerBadge(app: App): void {
  const refresh = () => void refreshBadge(app);
  onAlarm(ALARM, refresh);
  onInstalled(refresh);
  onBrowserStart(refresh);
  app.tokens.watch(refresh);
  privacyMark().watch(refresh);
  handleMessages({ phones_changed: ({ running }) => void showRunning(running) });
  void ensureAlarm(ALARM, PERIOD_MINUTES);
}

/** Asks the server; what it says also becomes the stored list. */
export async function refreshBadge(app: App): Promise<void> {
  const { server } = await app.settings.get();
  if (server === undefined) return setBadge("", "Perch: set it up");
  const sent = await app.tokens.get(server);
  if (sent === undefined) return setBadge("", "Perch: sign in");
  const keep = (known: Pick<PhonesCache, "signedIn" | "phones" | "why">) =>
    app.phonesCache.set({ server, team: sent.team, seenAtMs: Date.now(), ...known });
  try {
    const api = app.api(server);
    const [phones, cost] = await Promise.all([
      api.phones.list.query(),
      // What it costs is worth a word, and never worth the number.
      api.billing.burn.query().then(
        ({ words }) => words,
        () => undefined,
      ),
    ]);
    await keep({ signedIn: true, phones });
    await showRunning(phones.filter((phone) => phone.state === "running").length, cost);
  } catch (error) {
    const failure = classifyFailure(error, server, navigator.onLine);
    if (failure.kind === "signed_out") {
      const stored = await app.tokens.get(server);
      // Another one in its place is asked with by itself.
      if (stored !== undefined && stored.token !== sent.token) return;
      // Before the token goes: who finds it gone says why.
      if (stored !== undefined) await keep({ signedIn: false, phones: [], why: withReason(failure, sent).why });
      await app.tokens.delete(server, sent.token);
      await setBadge("", "Perch: sign in");
    } else if (failure.kind === "refused") {
      // An account that rests has no phones to count, and may have a clock to show.
      await showRunning(0);
    } else {
      await setBadge("", failure.kind === "offline" ? "Perch: offline" : "Perch: the server does not answer");
    }
  }
}

/** `cost`: the same in the server's words, with the money. */
export async function showRunning(running: number, cost?: string): Promise<void> {
  const phones =
    running === 0 ? "no phone is running" : (cost ?? `${running} ${running === 1 ? "phone is" : "phones are"} running`);
  if ((await privacyMark().get())?.clock?.urgent === true) {
    return setBadge("!", `Perch: your data needs a decision of yours, see Privacy; ${phones}`);
  }
  return setBadge(running === 0 ? "" : String(running), `Perch: ${phones}`);
}
