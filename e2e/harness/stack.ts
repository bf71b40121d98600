/** The whole stack for one test file: fixture site, server, a signed-in browser, and a live phone in its panel. */
import type { Page } from "playwright-core";
import { type Site, startSite } from "../fixtures/site.ts";
import { extensionBuild } from "./builds.ts";
import { ExtensionBrowser } from "./chromium.ts";
import { firstPhone } from "./panel.ts";
import { ADA, installAndSignUp } from "./person.ts";
import { PerchServer } from "./server.ts";

export interface Stack {
  readonly site: Site;
  readonly server: PerchServer;
  readonly browser: ExtensionBrowser;
  /** The panel in a tab of its own, on the phone's picture. */
  readonly panel: Page;
  close(): Promise<void>;
}

/**
 * Ada signs up on a fresh server that lets phones reach the fixture site, and starts a phone. `panel` is the address of
 * the panel's page: with `?full=1` it is not the one beside the page that the popup leads somewhere.
 */
export async function startStack(executable: string, panel = "sidepanel.html"): Promise<Stack> {
  const site = await startSite();
  let server: PerchServer | undefined;
  let browser: ExtensionBrowser | undefined;
  const close = async () => {
    await browser?.close();
    await server?.stop();
    await site.close();
  };
  try {
    server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` } });
    browser = await ExtensionBrowser.launch({ executable, extension: extensionBuild("chrome") });
    await installAndSignUp(browser, server, ADA);
    const page = await browser.openExtensionPage(panel);
    await firstPhone(page);
    return { site, server, browser, panel: page, close };
  } catch (error) {
    await close();
    throw error;
  }
}
