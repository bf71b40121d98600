/** Privacy in a real Firefox: the screen, a copy saved by the browser, the wipe, and what opens when Perch is removed. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { FIREFOX_EXTENSION_ID } from "../../shared/accounts.ts";
import { extensionBuild } from "../harness/builds.ts";
import { FirefoxBrowser } from "../harness/firefox.ts";
import type { FirefoxPage } from "../harness/firefox-page.ts";
import { until } from "../harness/until.ts";
import { storeFirefoxSignIn } from "./firefox-sign-in.ts";
import { readyCopy } from "./stub-privacy.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("firefox");
const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");

describe.skipIf(executable === undefined)("privacy in Firefox", () => {
  let browser: FirefoxBrowser;
  let server: StubServer;
  let page: FirefoxPage;

  beforeAll(async () => {
    server = await startStubServer();
    server.state.privacy = { ...server.state.privacy, export: readyCopy() };
    browser = await FirefoxBrowser.launch({ executable: executable ?? "", extension: extensionBuild("firefox") });
    await browser.extensionPage("welcome.html");
    page = await browser.openExtensionPage("sidepanel.html?full=1&tab=privacy");
    await storeFirefoxSignIn(page, server.origin);
    await page.reload();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  it("shows the screen, clean for axe, and saves the copy as the browser saves any file", async () => {
    await page.says("Your copy is ready, 6 d left");
    await page.says("Here and 2 more");
    await page.run(axe);
    const problems = await page.evaluate(async () => {
      const { axe: run } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
      return (await run.run()).violations.map(({ id }) => id);
    });
    expect(problems).toEqual([]);
    await page.clickFirst(".status-line button");
    await page.fill("Passphrase (optional)", "long enough to keep");
    await page.click("button", "Save the file");
    await until("the file", () => server.state.rights.saved.length > 0);
    await page.says("Saved once.");
    expect(server.state.rights.saved).toEqual([{ passphrase: "long enough to keep" }]);
    expect(await page.text()).not.toContain("The server gave no file.");
  });

  it("opens the address that ends the session when the extension is removed", async () => {
    const options = await browser.openExtensionPage("options.html");
    await until("the address to be kept", () => options.evaluate(keptAddress));
    const [window] = await browser.windows();
    await window?.evaluate(async (id) => {
      const { ChromeUtils } = globalThis as unknown as {
        ChromeUtils: {
          importESModule(path: string): {
            AddonManager: { getAddonByID(id: string): Promise<{ uninstall(): Promise<void> }> };
          };
        };
      };
      const { AddonManager } = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
      await (await AddonManager.getAddonByID(id)).uninstall();
    }, FIREFOX_EXTENSION_ID);
    await browser.page(`${server.origin}/uninstalled?token=stub`);
  });
});

/** Run in a page of the extension: whether the worker knows what to open. */
async function keptAddress(): Promise<boolean> {
  const opening = indexedDB.open("perch", 1);
  await new Promise((resolve) => {
    opening.onsuccess = resolve;
  });
  const reading = opening.result.transaction("tokens").objectStore("tokens").getAll();
  await new Promise((resolve) => {
    reading.onsuccess = resolve;
  });
  opening.result.close();
  return (reading.result as { uninstall?: string }[]).some(({ uninstall }) => uninstall !== undefined);
}
