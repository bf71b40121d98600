/** Sorts who sent a message before anything in it is read. */
import type { MessageSender } from "../platform/runtime.ts";

export type SenderKind =
  /** A page of ours: popup, panel, options, welcome, or the worker. */
  | "extension_page"
  /** Our script inside a web page; the page around it is hostile until proven otherwise. */
  | "content_script"
  | "other_extension"
  | "unknown";

/** `own` is this extension's id and origin. */
export function classifySender(
  sender: MessageSender,
  own: { readonly id: string; readonly origin: string },
): SenderKind {
  if (sender.extensionId === undefined) return "unknown";
  if (sender.extensionId !== own.id) return "other_extension";
  const claimed = [sender.origin, sender.url === undefined ? undefined : originOf(sender.url)].filter(
    (origin) => origin !== undefined,
  );
  // The worker itself has neither address nor tab.
  if (claimed.length === 0) return sender.tabId === undefined ? "extension_page" : "unknown";
  return claimed.every((origin) => origin === own.origin) ? "extension_page" : "content_script";
}

function originOf(url: string): string {
  if (!URL.canParse(url)) return "null";
  const { origin, protocol, host } = new URL(url);
  // Outside browsers the extension schemes have no origin of their own.
  return origin === "null" && protocol.endsWith("-extension:") ? `${protocol}//${host}` : origin;
}
