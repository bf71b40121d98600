/** All a script in a web page needs of the browser, without the polyfill: it is loaded into other people's pages. */

interface Messenger {
  readonly runtime?: { readonly id?: string; sendMessage(message: unknown): Promise<unknown> };
}

/** Nobody listening, or an extension that was updated meanwhile, is not an error. */
export async function sendFromPage(message: unknown): Promise<void> {
  const { browser, chrome } = globalThis as { readonly browser?: Messenger; readonly chrome?: Messenger };
  // A page can name an element `browser`, which then is no messenger.
  const runtime = browser?.runtime?.id === undefined ? chrome?.runtime : browser.runtime;
  try {
    await runtime?.sendMessage(message);
  } catch {
    // The page outlives the extension's version it came with.
  }
}
