/** What is kept of a test that failed: the server's log, and the words and a picture of every page. */
import { afterEach } from "vitest";
import type { ExtensionBrowser } from "./chromium.ts";
import type { PerchServer } from "./server.ts";

/** Call once in a `describe`; the parts are asked for only when a test failed. */
export function keepEvidence(
  parts: () => { readonly server?: PerchServer; readonly browser?: ExtensionBrowser },
): void {
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    const { server, browser } = parts();
    console.log(`The server said:\n${server?.output.slice(-6_000) ?? "nothing"}`);
    const name = task.name.replaceAll(/\W+/g, "-").slice(0, 60);
    for (const [index, page] of (browser?.context.pages() ?? []).entries()) {
      const words = await page
        .locator("body")
        .ariaSnapshot({ timeout: 3_000 })
        .catch(() => "nothing");
      console.log(`Page ${index} showed:\n${words.slice(0, 1_500)}`);
      const path = `e2e/out/failed-${name}-${index}.png`;
      await page.screenshot({ path, timeout: 3_000 }).catch(() => undefined);
    }
  });
}
