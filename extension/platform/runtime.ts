/** The extension itself: messages between its parts, installation, identity of this browser. */
import browser from "webextension-polyfill";

/** Who sent a message, as the browser says it; `messaging/sender.ts` judges it. */
export interface MessageSender {
  /** Id of the sending extension. */
  readonly extensionId: string | undefined;
  /** Address of the page or frame. */
  readonly url: string | undefined;
  /** Origin of the page or frame, where the browser tells. */
  readonly origin: string | undefined;
  readonly tabId: number | undefined;
  /** 0 is the top frame. */
  readonly frameId: number | undefined;
  /** The tab's address as the browser knows it, where it tells. */
  readonly tabUrl?: string | undefined;
  readonly incognito?: boolean | undefined;
  /** Names the document, in browsers that name documents. */
  readonly documentId?: string | undefined;
  /** `active`, or e.g. `prerender`; in browsers that tell. */
  readonly lifecycle?: string | undefined;
}

export function ownExtensionId(): string {
  return browser.runtime.id;
}

/** `chrome-extension://<id>` or `moz-extension://<uuid>`. */
export function ownOrigin(): string {
  return new URL(browser.runtime.getURL("/")).origin;
}

export function isFirefox(): boolean {
  return browser.runtime.getURL("/").startsWith("moz-extension:");
}

/** Sends to every other part of the extension that listens; nobody listening is not an error. */
export async function sendMessage(message: unknown): Promise<unknown> {
  try {
    return await browser.runtime.sendMessage(message);
  } catch {
    return undefined;
  }
}

/**
 * The listener's promise becomes the answer; `undefined` leaves the answer to others. Register synchronously when the
 * worker starts. Returns how to stop.
 */
export function onMessage(
  listener: (message: unknown, sender: MessageSender) => Promise<unknown> | undefined,
): () => void {
  const handler = (message: unknown, sender: browser.Runtime.MessageSender) =>
    listener(message, {
      extensionId: sender.id,
      url: sender.url,
      origin: (sender as { origin?: string }).origin,
      tabId: sender.tab?.id,
      frameId: sender.frameId,
      tabUrl: sender.tab?.url,
      incognito: sender.tab?.incognito,
      documentId: (sender as { documentId?: string }).documentId,
      lifecycle: (sender as { documentLifecycle?: string }).documentLifecycle,
    });
  browser.runtime.onMessage.addListener(handler);
  return () => browser.runtime.onMessage.removeListener(handler);
}

/** Calls back once after a fresh installation (not after an update). Register synchronously. */
export function onInstalled(listener: (reason: "install" | "update") => void): void {
  browser.runtime.onInstalled.addListener(({ reason }) => {
    if (reason === "install" || reason === "update") listener(reason);
  });
}

export function onBrowserStart(listener: () => void): void {
  browser.runtime.onStartup.addListener(() => listener());
}
