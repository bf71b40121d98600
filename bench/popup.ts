/** The popup of the built extension, signed in, with phones: from opening to usable. Sizes of what it loads. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { extensionBuild } from "../e2e/harness/builds.ts";
import { BUDGETS, judged } from "../scripts/check-size.ts";
import { CHROME_EXTENSION_ID } from "../shared/accounts.ts";
import { type Benchmark, type Figure, spread } from "./benchmark.ts";
import { openChromium } from "./viewer.ts";
import { launch, startWorld, type World } from "./world.ts";

const OPENINGS = 30;
const PHONES = 3;
const POPUP = `chrome-extension://${CHROME_EXTENSION_ID}/popup.html`;

export const popup: Benchmark = {
  name: "popup",
  title: "Popup",
  about:
    `The built extension in a real Chromium, signed in, with ${PHONES} phones: from the start of the navigation to the ` +
    "first phone's row painted with its buttons and the page free for input (first paint of the row, then an idle " +
    "main thread). In a tab, not in a popup window. The build is that of the end-to-end tests, which differs only in " +
    "the hosts it may reach. Beside it the moment the browser painted anything at all.",
  run: benchPopup,
};

export const size: Benchmark = {
  name: "size",
  title: "Bundle sizes",
  about:
    "JavaScript each page of the Chrome build loads at once, and each part it loads later, gzipped; kB of 1000 bytes. " +
    "The build of the end-to-end tests, which differs only in the hosts it may reach.",
  async run() {
    const folder = extensionBuild("chrome");
    return BUDGETS.flatMap((budget) =>
      judged(folder, budget).map(({ name, gzipBytes, kB = 0 }) => ({
        name: name === budget.entry ? name : `${budget.entry}, later: ${name}`,
        unit: "kB",
        median: gzipBytes / 1_000,
        aim: { of: "median" as const, atMost: kB },
      })),
    );
  },
};

async function benchPopup(): Promise<readonly Figure[]> {
  const world = await startWorld({ env: { WARM_PHONES: "0" } });
  const profile = await mkdtemp(join(tmpdir(), "perch-bench-popup-"));
  const context = await openChromium(profile, extensionBuild("chrome"));
  try {
    const page = await context.newPage();
    await connectTo(world, page);
    await page.addInitScript(watchForRows);
    const usable: number[] = [];
    const painted: number[] = [];
    for (let count = 0; count < OPENINGS; count += 1) {
      await page.goto(POPUP);
      await page.waitForFunction(() => window.usableMs !== undefined);
      usable.push(await page.evaluate(() => window.usableMs ?? Number.NaN));
      painted.push(await page.evaluate(() => performance.getEntriesByName("first-paint")[0]?.startTime ?? Number.NaN));
      await page.goto("about:blank");
    }
    // The first opening fills the cache of what the phones were.
    const { median } = spread(painted.slice(1));
    return [
      { name: "opening → usable", unit: "ms", ...spread(usable.slice(1)), beside: { name: "first paint", median } },
    ];
  } finally {
    await context.close();
    await world.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}

declare global {
  interface Window {
    /** Since the navigation began; undefined until the popup is usable. */
    usableMs?: number;
  }
}

/** Runs in the page before anything of its own. */
function watchForRows(): void {
  const observer = new MutationObserver(() => {
    if (document.querySelector(".phone-row button:not([disabled])") === null) return;
    observer.disconnect();
    // Painted, and the main thread has time: an input now is answered now.
    requestAnimationFrame(() => {
      requestIdleCallback(() => {
        window.usableMs = performance.now();
      });
    });
  });
  observer.observe(document, { subtree: true, childList: true });
}

/** Writes what the welcome page leaves behind: the server's address and a token for it. */
async function connectTo(world: World, page: Page): Promise<void> {
  const person = await world.account();
  for (let count = 0; count < PHONES; count += 1) {
    const phoneId = await launch(person, world.site.still);
    await person.api.phones.park.mutate({ phoneId });
  }
  await page.goto(POPUP);
  await page.evaluate(
    async ([server, token]) => {
      await chromeStorage().set({ settings: { version: 1, value: { server, theme: "system" } } });
      await new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open("perch", 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore("tokens", { keyPath: "server" });
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const writing = opening.result.transaction("tokens", "readwrite");
          writing.objectStore("tokens").put({ server, token, expiresAt: new Date(Date.now() + 864e5).toISOString() });
          writing.oncomplete = () => resolve();
        };
      });
      /** Extension pages have it; nothing here knows its types. */
      function chromeStorage(): { set(values: Record<string, unknown>): Promise<void> } {
        const { chrome } = globalThis as unknown as {
          chrome: { storage: { local: { set(values: Record<string, unknown>): Promise<void> } } };
        };
        return chrome.storage.local;
      }
    },
    [world.server.url, person.token] as const,
  );
}
