/** A real Chromium with the real extension in it: popup, side panel, sign-in window and worker, headless. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page, Worker } from "playwright-core";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { until } from "./until.ts";

const BASE = `chrome-extension://${CHROME_EXTENSION_ID}/`;
const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--enable-unsafe-extension-debugging",
  "--window-size=1280,1000",
];

export interface ChromiumOptions {
  /** Path of the browser's program. */
  readonly executable: string;
  /** Folder of the built extension. */
  readonly extension: string;
  readonly colorScheme?: "light" | "dark";
  /** Device pixels per CSS pixel, for pictures to be looked at. */
  readonly scale?: number;
  /** Where the browser writes down everything it sends and asks for; whole once it is closed. See `net-log.ts`. */
  readonly netLog?: string;
}

/** One person's browser. Pages of the extension are Playwright pages, the side panel and the popup included. */
export class ExtensionBrowser {
  readonly context: BrowserContext;
  readonly #browser: Browser;
  readonly #profile: string;

  private constructor(context: BrowserContext, browser: Browser, profile: string) {
    this.context = context;
    this.#browser = browser;
    this.#profile = profile;
  }

  static async launch({
    executable,
    extension,
    colorScheme = "light",
    scale,
    netLog,
  }: ChromiumOptions): Promise<ExtensionBrowser> {
    // Playwright leaves out what is not a tab; with this the popup and the side panel are pages like any other. It
    // reads the variable once per target, and it must be there before the first one.
    process.env["PW_CHROMIUM_ATTACH_TO_OTHER"] = "1";
    const { chromium } = await import("playwright-core");
    const profile = mkdtempSync(join(tmpdir(), "perch-browser-"));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executable,
      headless: true,
      viewport: null,
      colorScheme,
      acceptDownloads: true,
      args: [
        ...FLAGS,
        ...(scale === undefined ? [] : [`--force-device-scale-factor=${scale}`]),
        ...(netLog === undefined ? [] : [`--log-net-log=${netLog}`, "--net-log-capture-mode=Everything"]),
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        `--disable-extensions-except=${extension}`,
        `--load-extension=${extension}`,
      ],
    });
    const browser = context.browser();
    if (browser === null) throw new Error("A persistent context has its browser.");
    const started = new ExtensionBrowser(context, browser, profile);
    await started.worker();
    return started;
  }

  async close(): Promise<void> {
    await this.context.close();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The first open page of the extension whose address starts with `path`, waiting for it. */
  async extensionPage(path: string, timeout = 15_000): Promise<Page> {
    const page = await until(
      `${path} to open`,
      () => this.context.pages().find((each) => each.url().startsWith(BASE + path) && !each.isClosed()),
      { timeout },
    );
    await page.waitForLoadState();
    return page;
  }

  /** Opens a page of the extension in a tab of its own. */
  async openExtensionPage(path: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(BASE + path);
    return page;
  }

  async openTab(url: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(url);
    await page.bringToFront();
    return page;
  }

  /** Clicks the toolbar button over a tab, as a person does: the popup opens and the extension may see this tab. */
  async openPopup(over: Page): Promise<Page> {
    await over.bringToFront();
    const page = await this.context.newCDPSession(over);
    const { targetInfo } = await page.send("Target.getTargetInfo");
    const browser = await this.#browser.newBrowserCDPSession();
    const { targetInfos } = await browser.send("Target.getTargets", { filter: [{ type: "tab" }] });
    const tab = targetInfos.filter(({ url }) => url === targetInfo.url).at(-1);
    if (tab === undefined) throw new Error(`There is no tab with ${targetInfo.url}.`);
    const before = new Set(this.context.pages());
    // Newer than Playwright's list of commands.
    await sendAny(browser, "Extensions.triggerAction", { id: CHROME_EXTENSION_ID, targetId: tab.targetId });
    const popup = await until("the popup to open", () =>
      this.context.pages().find((each) => !before.has(each) && each.url().startsWith(`${BASE}popup.html`)),
    );
    await popup.waitForLoadState();
    return popup;
  }

  /** Gives the extension access to a site, as the browser's own page of extensions does. */
  async allowSite(pattern: string): Promise<void> {
    const page = await this.context.newPage();
    await page.goto("chrome://extensions");
    await page.evaluate(
      async ([id, site]) => {
        const { chrome } = globalThis as unknown as {
          chrome: { developerPrivate: { addHostPermission(id: string, site: string): Promise<void> } };
        };
        await chrome.developerPrivate.addHostPermission(id, site);
      },
      [CHROME_EXTENSION_ID, pattern] as const,
    );
    await page.close();
  }

  /** The background worker; asking wakes nothing. */
  async worker(): Promise<Worker> {
    return until("the background worker", () =>
      this.context.serviceWorkers().find((worker) => worker.url().startsWith(BASE)),
    );
  }

  /** Whether the worker runs right now; asking wakes nothing. */
  async workerRuns(): Promise<boolean> {
    const session = await this.#browser.newBrowserCDPSession();
    const { targetInfos } = await session.send("Target.getTargets", { filter: [{ type: "service_worker" }] });
    await session.detach();
    return targetInfos.some(({ url }) => url.startsWith(BASE));
  }

  /** Stops the worker at once, as the browser does after half a minute; `page` is one of the extension's. */
  async killWorker(page: Page): Promise<void> {
    const session = await this.context.newCDPSession(page);
    await session.send("ServiceWorker.enable");
    const browser = await this.#browser.newBrowserCDPSession();
    await until("the worker to stop", async () => {
      // One that is just starting is not stopped.
      await session.send("ServiceWorker.stopAllWorkers");
      const { targetInfos } = await browser.send("Target.getTargets", { filter: [{ type: "service_worker" }] });
      return targetInfos.every(({ url }) => !url.startsWith(BASE));
    });
    await session.detach();
  }

  /** A context menu, key or address-bar event, delivered to the worker as the browser would. */
  async dispatch(
    event: "contextMenus.onClicked" | "commands.onCommand" | "omnibox.onInputEntered",
    ...values: unknown[]
  ) {
    const worker = await this.worker();
    await worker.evaluate(
      ([path, given]) => {
        const [area = "", name = ""] = path.split(".");
        dispatchOf(Reflect.get(Reflect.get(Reflect.get(globalThis, "chrome"), area), name))(given);
        /** Chromium's own events carry `dispatch`, which calls every listener. */
        function dispatchOf(target: { dispatch(...all: unknown[]): void }) {
          return (all: readonly unknown[]) => target.dispatch(...all);
        }
      },
      [event, values] as const,
    );
  }
}

/** A command Playwright's types do not list yet; the browser answers an error when it does not know it. */
async function sendAny(session: unknown, method: string, params: object): Promise<unknown> {
  const { send } = session as { send(method: string, params: object): Promise<unknown> };
  return send.call(session, method, params);
}
