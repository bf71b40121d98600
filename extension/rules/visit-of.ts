/** Which page a script in it told of, by the browser's word alone; nothing a page says decides where we are. */
import { readAddress } from "../../shared/rules/address.ts";
import type { MessageSender } from "../platform/runtime.ts";
import type { Visit } from "./on-page.ts";

/** Undefined for frames, pages that are not shown yet, private windows, and senders that contradict themselves. */
export function visitOf(sender: MessageSender): Visit | undefined {
  const { tabId, frameId, tabUrl, url, origin, documentId, lifecycle, incognito } = sender;
  if (tabId === undefined || frameId !== 0 || incognito !== false) return undefined;
  if (lifecycle !== undefined && lifecycle !== "active") return undefined;
  const shown = readAddress(tabUrl ?? "");
  const sent = readAddress(url ?? "");
  if (shown === undefined || sent === undefined || shown.origin !== sent.origin) return undefined;
  if (origin !== undefined && origin !== shown.origin) return undefined;
  return {
    target: { tabId, documentId },
    url: shown.href,
    // Without a name every announcement is a document of its own; caps and cooldowns hold all the same.
    document: documentId ?? crypto.randomUUID(),
  };
}
