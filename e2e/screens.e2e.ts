/** Every page of the real stack at 360 pixels in light and at 320 in the dark: axe finds nothing, nothing runs out of the side. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { COLOURS } from "./fixtures/pages.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { admin } from "./harness/api.ts";
import { extensionBuild } from "./harness/builds.ts";
import { check } from "./harness/check-screen.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { firstPhone, openAddress, phoneMenu, showTab } from "./harness/panel.ts";
import { ADA, agree, chooseServer, linkIn, openSignInWindow, signUp } from "./harness/person.ts";
import { showsColour } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("every screen", () => {
  let site: Site;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let welcome: Page;
  let panel: Page;

  keepEvidence(() => ({ server, browser }));
  beforeAll(async () => {
    site = await startSite();
    server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` } });
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await site?.close();
  });

  it("of the server that anyone may read", async () => {
    const page = await browser.context.newPage();
    for (const path of [
      "/",
      "/privacy",
      "/privacy/versions/1",
      "/support",
      "/operator",
      "/sign-in",
      "/sign-up",
      "/reset",
      "/mail",
      "/no-such-page",
    ]) {
      await page.goto(server.url + path);
      await check(page, `server${path.replace("/", "-")}`);
    }
    await page.goto(server.setupUrl);
    await check(page, "server-setup");
    await page.goto(`${server.url}/confirm?token=dead`);
    await check(page, "server-dead-link");
    await page.close();
  });

  it("of a request about one's data, from the contact page to the receipt", async () => {
    const page = await browser.context.newPage();
    await page.goto(`${server.url}/support`);
    const right = page.getByLabel("What are we to do with your data?");
    await right.waitFor({ state: "hidden" });
    await page.getByLabel("What is it about?").selectOption("privacy");
    await right.selectOption("access");
    await check(page, "server-support-data");
    await page.getByLabel("Your e-mail address").fill("carl@example.org");
    await page.getByRole("button", { name: "Send message" }).click();
    await page.getByRole("heading", { name: "One step is left" }).waitFor();
    await check(page, "server-data-request-sent");
    await page.goto(linkIn(await server.mail("carl@example.org"), "/data-request"));
    await check(page, "server-data-request");
    await page.getByRole("button", { name: "Yes, it is mine" }).click();
    await page.getByRole("heading", { name: "Thank you" }).waitFor();
    await check(page, "server-data-request-confirmed");
    await page.getByRole("link", { name: "See the receipt" }).click();
    await page.getByRole("heading", { name: /Receipt of request DR-/ }).waitFor();
    await check(page, "server-data-request-receipt");
    await page.close();
  });

  it("of the first minute", async () => {
    welcome = await browser.extensionPage("welcome.html");
    await welcome.getByRole("button", { name: "Agree and begin" }).waitFor();
    await check(welcome, "welcome-your-data");
    await agree(welcome);
    await welcome
      .getByLabel("Server address")
      .or(welcome.getByRole("button", { name: "Change" }))
      .first()
      .waitFor();
    await check(welcome, "welcome-server");
    await chooseServer(welcome, server.url);
    await check(welcome, "welcome-sign-in");
    const window = await openSignInWindow(browser, welcome, server.url);
    await signUp(window, server, ADA, (at) => check(window, `window-${at}`));
    await welcome.getByRole("button", { name: "Start my first phone" }).waitFor();
    await check(welcome, "welcome-first-phone");
  });

  it("of the panel with a real phone in it", async () => {
    panel = await browser.openExtensionPage("sidepanel.html");
    await panel.getByRole("button", { name: "New phone" }).first().waitFor();
    await check(panel, "panel-first-use");
    // From the panel itself: a menu's click would open a second one, and the first to connect has control.
    await firstPhone(panel);
    await openAddress(panel, `${site.origin}/`);
    await showsColour(panel, COLOURS.home);
    await check(panel, "panel-live");
    await panel.getByRole("button", { name: "Record", exact: true }).click();
    await panel.getByRole("button", { name: "Show the steps" }).click();
    const picture = panel.locator(".picture");
    await picture.click({ position: { x: 120, y: 40 } });
    await panel.locator(".recorded-step").waitFor();
    await check(panel, "panel-recording");
    await panel.getByRole("button", { name: "Stop", exact: true }).click();
    await panel.getByLabel("Name of the automation").waitFor();
    await check(panel, "panel-recording-save");
    await panel.getByRole("button", { name: "Discard…" }).click();
    await panel.getByRole("button", { name: "Discard 1 step" }).click();
    await panel.getByRole("region", { name: "Recording" }).waitFor({ state: "detached" });
    await phoneMenu(panel, "Park");
    await panel.getByRole("heading", { name: "Parked" }).waitFor();
    await check(panel, "panel-parked");
    for (const name of ["Automations", "Activity", "Privacy", "Account"]) {
      await showTab(panel, name);
      await panel.getByRole("heading", { level: 1 }).first().waitFor();
      await check(panel, `panel-${name.toLowerCase()}`);
    }
  });

  it("of the popup and the settings", async () => {
    const popup = await browser.openExtensionPage("popup.html");
    await popup.getByText("Nothing is running").waitFor();
    await check(popup, "popup", [380]);
    const options = await browser.openExtensionPage("options.html");
    await options.getByRole("heading").first().waitFor();
    await check(options, "options");
  });

  it("of what the operator tells everybody, until it is closed in this browser", async () => {
    const text = "Phones restart tonight at ten, for half a minute. Park what you need before.";
    const end = new Date(Date.now() + 3_600_000).toISOString();
    await admin(server, ["announcements", "add", "--text", text, "--until", end, "--reason", "Maintenance"]);
    // Servers remember what there is for ten seconds.
    const page = await browser.openExtensionPage("sidepanel.html?full=1");
    const line = (on: Page) => on.getByRole("complementary", { name: "Announcements" }).getByText(text);
    await until("the announcement in the panel", async () => {
      await page.reload();
      await page.getByRole("tab", { name: "Privacy" }).waitFor();
      return line(page)
        .waitFor({ timeout: 1_500 })
        .then(() => true)
        .catch(() => false);
    });
    await check(page, "panel-announcement");
    const popup = await browser.openExtensionPage("popup.html");
    await line(popup).waitFor();
    await check(popup, "popup-announcement", [380]);
    await popup.getByRole("button", { name: "Close this announcement" }).press("Enter");
    // The other page hears of it, and neither shows it again.
    await line(popup).waitFor({ state: "detached" });
    await line(page).waitFor({ state: "detached" });
    for (const one of [popup, page]) {
      const asked = one.waitForResponse((response) => response.url().includes("announcements.current"));
      await one.reload();
      await (await asked).finished();
      await one.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      expect(await line(one).count()).toBe(0);
    }
  });
});
