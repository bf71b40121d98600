/** How the popup stands with the server, in one line, and the pages it leads to. */
import type { Failure } from "../../api/errors.ts";
import type { PhonesSnapshot } from "../../state/phones.ts";

/** Where everything about one's data is, as a page of its own. */
export const PRIVACY = "/sidepanel.html?full=1&tab=privacy";
export const BILLING = "/sidepanel.html?full=1&tab=billing";

/** The footer's words. */
export function connectionLine(
  status: PhonesSnapshot["status"],
  failure: Failure | undefined,
  running: number,
  known: boolean,
): { readonly text: string; readonly tone: "on" | "wait" | "off" } {
  if (status === "no_server") return { text: "No server", tone: "off" };
  if (status === "loading") return { text: "Connecting", tone: "wait" };
  if (failure?.kind === "signed_out") return { text: "Signed out", tone: "off" };
  if (failure?.kind === "offline") return { text: known ? "Offline, last known state" : "Offline", tone: "off" };
  if (status === "stale") return { text: known ? "Not connected, last known state" : "Not connected", tone: "off" };
  const text = running === 0 ? "Nothing is running" : `${running} running`;
  return { text, tone: status === "live" ? "on" : "wait" };
}
