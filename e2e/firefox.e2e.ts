/** The main path, as one person walks it, in a real Firefox. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { COLOURS } from "./fixtures/pages.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { ApiClient, admin } from "./harness/api.ts";
import { extensionBuild } from "./harness/builds.ts";
import { FirefoxBrowser } from "./harness/firefox.ts";
import type { FirefoxPage } from "./harness/firefox-page.ts";
import {
  chooseServer,
  openAddress,
  openSignInWindow,
  pictureIsWide,
  showsColour,
  signUp,
  tap,
} from "./harness/firefox-person.ts";
import { ADA } from "./harness/person.ts";
import { PerchServer } from "./harness/server.ts";
import { until, untilEqual } from "./harness/until.ts";

const executable = inject("firefox");
const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");

/** Each step stands on the one before it, as it does for a person. */
describe.skipIf(executable === undefined)("from installation to sign-out in Firefox", () => {
  let site: Site;
  let server: PerchServer;
  let browser: FirefoxBrowser;
  let welcome: FirefoxPage;
  let panel: FirefoxPage;
  let popup: FirefoxPage;

  beforeAll(async () => {
    site = await startSite();
    server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` } });
    browser = await FirefoxBrowser.launch({ executable: executable ?? "", extension: extensionBuild("firefox") });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await site?.close();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    console.log(`The server said:\n${server?.output.slice(-6_000) ?? "nothing"}`);
    for (const page of (await browser?.pages()) ?? []) {
      console.log(page.address, (await page.text().catch(String)).replaceAll("\n", " | "));
    }
  });

  it("opens the welcome page at installation and finds the server", async () => {
    welcome = await browser.extensionPage("welcome.html");
    await chooseServer(welcome, server.url);
    await expectAccessible(welcome);
  });

  it("signs up, confirms by mail and connects, in the window Firefox opens", async () => {
    await signUp(browser, await openSignInWindow(browser, welcome, server), server, ADA);
    await welcome.waitFor("button", "Start my first phone");
    await expectAccessible(welcome);
  });

  it("starts the first phone in the real sidebar, on a real click", async () => {
    await welcome.click("button", "Start my first phone");
    await untilEqual("the sidebar", () => sidebarAddress(browser), "/sidepanel.html");
    await until("the phone", () => server.phonePids().length > 0, { timeout: 30_000 });
    await welcome.says("is here");
    await untilEqual("the sidebar to watch", () => viewers(server), 1);
  });

  it("shows the phone live, in a tab of its own", async () => {
    await closeSidebar(browser);
    await untilEqual("the sidebar to stop watching", () => viewers(server), 0);
    panel = await browser.openExtensionPage("sidepanel.html?full=1");
    await openAddress(panel, `${site.origin}/counter`);
    await showsColour(panel, COLOURS.counter);
    await until("the page's size on the phone", () => site.told("size").includes("360x800"));
    await expectAccessible(panel);
  });

  it("taps: the page on the phone counts", async () => {
    await tap(panel, 0.5, 0.5);
    await untilEqual("one tap", () => site.last("count"), "1");
  });

  it("types Latin, Chinese, Japanese, Korean and emoji, exactly", async () => {
    await openAddress(panel, `${site.origin}/form`);
    await showsColour(panel, COLOURS.form);
    await tap(panel, 0.5, 0.145);
    await untilEqual("the field to have the focus", () => site.last("focus"), "yes");
    const words = "Grüße 你好 こんにちは 안녕 🪑👩‍🔬";
    await panel.type(words);
    await untilEqual("the words on the site", () => site.last("typed"), words);
    await panel.press("Enter");
    await untilEqual("Enter", () => site.last("entered"), words);
  });

  it("rotates", async () => {
    await openAddress(panel, `${site.origin}/counter`);
    await showsColour(panel, COLOURS.counter);
    await panel.click("button", "Rotate");
    await untilEqual("the turned size", () => site.last("size"), "800x360");
    await until("a wide picture", () => pictureIsWide(panel).then((wide) => wide === true));
    await panel.click("button", "Rotate");
    await untilEqual("the upright size", () => site.last("size"), "360x800");
  });

  it("parks, which the popup shows by itself, and starts again with cookies and storage kept", async () => {
    await openAddress(panel, `${site.origin}/sign-in`);
    await until("the sign-in page", () => site.requests("/sign-in") > 0);
    await openAddress(panel, `${site.origin}/memory`);
    await showsColour(panel, COLOURS.memory);
    await untilEqual("the first visit", () => site.last("visits"), "1");
    popup = await browser.openExtensionPage("popup.html");
    await popup.says("1 running");
    await expectAccessible(popup);

    await panel.activate();
    await panel.click("button", "More about this phone");
    await panel.click("menuitem", "Park Frees it and keeps everything on it");
    await panel.waitFor("heading", "Parked");
    // Nobody touches the popup: the news reaches it as an event of the server.
    await popup.says("Nothing is running");
    await panel.click("button", "Start");
    await showsColour(panel, COLOURS.memory);
    await untilEqual("the second visit", () => site.last("visits"), "2");
    expect(site.cookieOf("/memory")).toContain("basket=blue-chair");
  });

  it("puts its commands on keys that were really assigned", async () => {
    const commands = await panel.evaluate(async () => {
      const { browser: api } = globalThis as unknown as {
        browser: { commands: { getAll(): Promise<{ name: string; shortcut: string }[]> } };
      };
      return api.commands.getAll();
    });
    expect(Object.fromEntries(commands.map(({ name, shortcut }) => [name, shortcut]))).toEqual({
      _execute_action: "Alt+Shift+J",
      "open-page": "Alt+P",
      "toggle-panel": "Alt+Shift+K",
    });
  });

  it("closes every stream within a second of signing out", async () => {
    await until("viewers", async () => (await viewers(server)) > 0);
    await panel.click("tab", "Account");
    await panel.click("button", "Sign out");
    await panel.waitFor("heading", "Sign out of this browser?");
    const from = Date.now();
    await panel.clickFirst("dialog .button-primary");
    await untilEqual("no viewer", () => viewers(server), 0, 2_000);
    expect(Date.now() - from).toBeLessThan(1_000);
    await panel.says("signed out");
  });

  it("ABUSE-07 closes every stream within a second of its session being revoked elsewhere, and says so", async () => {
    await panel.click("button", "Sign in");
    const window = await browser.page(server.url);
    await window.click("button", "Connect");
    await panel.click("tab", "Phone");
    await until("viewers", async () => (await viewers(server)) > 0);
    const api = new ApiClient(server, await admin(server, ["token", "create", "--email", ADA.email, "--name", "e2e"]));
    const sessions = await api.query<{ id: string; kind: string }[]>("sessions.list");
    const sessionId = sessions.find(({ kind }) => kind === "extension")?.id;
    const from = Date.now();
    await api.mutate("sessions.revoke", { sessionId });
    await untilEqual("no viewer", () => viewers(server), 0, 2_000);
    expect(Date.now() - from).toBeLessThan(1_000);
    await panel.says("It was signed out from elsewhere");
  });

  it("left no error in any console", () => {
    expect(browser.problems).toEqual([]);
  });
});

/** Closes it as its own button does; the sidebar is out of reach of tests, so the tab must be the one that controls. */
async function closeSidebar(browser: FirefoxBrowser): Promise<void> {
  const [window] = await browser.windows();
  await window?.evaluate(() => {
    const { SidebarController } = globalThis as unknown as { SidebarController: { hide(): void } };
    SidebarController.hide();
  });
}

/** Path of the page in the open sidebar, read by the browser's own window; undefined while it is closed. */
async function sidebarAddress(browser: FirefoxBrowser): Promise<string | undefined> {
  const [window] = await browser.windows();
  const address = await window?.evaluate(() => {
    const { SidebarController } = globalThis as unknown as {
      SidebarController: { isOpen: boolean; browser: { contentDocument: Document | null } };
    };
    const inner = SidebarController.browser.contentDocument?.querySelector("#webext-panels-browser");
    const { currentURI } = (inner ?? {}) as { currentURI?: { spec: string } };
    return SidebarController.isOpen ? (currentURI?.spec ?? null) : null;
  });
  return address == null ? undefined : new URL(address).pathname;
}

async function viewers(server: PerchServer): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^perch_screen_viewers (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

/** No violation of WCAG 2.2 A and AA as far as axe can see. */
async function expectAccessible(page: FirefoxPage): Promise<void> {
  await page.run(axe);
  const violations = await page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run(options: object): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }> };
    };
    const { violations: found } = await checker.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] });
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => String(target)).join(", ")}`);
  });
  expect(violations).toEqual([]);
}
