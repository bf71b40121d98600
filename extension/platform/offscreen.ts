/** Chrome's page without a window, for work its worker cannot do. Firefox has none and needs none. */
import browser from "webextension-polyfill";

interface ChromeOffscreen {
  createDocument(options: { url: string; reasons: readonly string[]; justification: string }): Promise<void>;
  closeDocument(): Promise<void>;
}

/** The polyfill passes Chrome-only interfaces through untouched; what is returned is absent or Chrome's documented one. */
function offscreen(): ChromeOffscreen | undefined {
  return (browser as unknown as { offscreen?: ChromeOffscreen }).offscreen;
}

let users = 0;

/** Runs `work` while the page is there; the last one out closes it. */
export async function withOffscreenPage<T>(url: string, justification: string, work: () => Promise<T>): Promise<T> {
  users += 1;
  try {
    // One that is left from a worker that died serves as well.
    await offscreen()
      ?.createDocument({ url, reasons: ["WORKERS"], justification })
      .catch(() => undefined);
    return await work();
  } finally {
    users -= 1;
    if (users === 0)
      await offscreen()
        ?.closeDocument()
        .catch(() => undefined);
  }
}
