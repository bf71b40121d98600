/** Popup, welcome and settings in a real Chromium, against a stand-in server: what they do, and that they are accessible. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { stubPhone } from "../../extension/testing/stub.router.ts";
import { type StubServer, startStubServer } from "../../extension/testing/stub-server.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until } from "../harness/until.ts";
import { storeSignIn } from "../panel/panel-page.ts";

const executable = inject("chromium");
const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");

describe.skipIf(executable === undefined)("popup, welcome and settings", () => {
  let browser: ExtensionBrowser;
  let server: StubServer;
  let shop: Server;
  let shopUrl: string;
  const pages: Page[] = [];

  beforeAll(async () => {
    server = await startStubServer();
    shop = createServer((_, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end("<!doctype html><title>Blue chair</title><h1>Blue chair</h1>");
    });
    await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
    const address = shop.address();
    shopUrl = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/chair`;
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    shop?.close();
  });
  afterEach(async () => {
    server.state.phones.clear();
    server.state.launches.clear();
    server.state.opened.length = 0;
    server.state.startMs = 0;
    server.state.burn = undefined;
    server.state.preview = { mode: "off", words: "Costs nothing", covered: true };
    for (const page of pages.splice(0)) await page.close().catch(() => undefined);
  });

  const keep = (page: Page): Page => {
    pages.push(page);
    return page;
  };
  const overShop = async (): Promise<Page> => keep(await browser.openPopup(keep(await browser.openTab(shopUrl))));
  const addPhone = (over: Parameters<typeof stubPhone>[0]) => {
    const phone = stubPhone(over);
    server.state.phones.set(phone.id, phone);
    return phone;
  };

  it("leads from nothing to a first phone", async () => {
    // Opened by the installation. A server that happens to run here must not be found: start over without it.
    const page = keep(await browser.extensionPage("welcome.html"));
    await page.route("http://localhost:8787/**", (route) => route.abort());
    await page.evaluate(async () => {
      const { chrome } = globalThis as unknown as { chrome: { storage: { local: { clear(): Promise<void> } } } };
      await chrome.storage.local.clear();
    });
    await page.reload();
    await page.getByRole("button", { name: "Agree and begin" }).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Agree and begin" }).click();
    await page.getByLabel("Server address").fill("not an address");
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByText("This is not an address.").waitFor();
    await expectAccessible(page);
    await page.getByLabel("Server address").fill(`localhost:${server.port}`);
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByRole("button", { name: "Sign in or sign up" }).click();
    await page.getByRole("button", { name: "Start my first phone" }).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Start my first phone" }).dblclick();
    await until("the first phone", () => server.state.phones.size > 0);
    await page.getByRole("button", { name: /^Show / }).waitFor();
    expect(server.state.launches.size).toBe(1);
    keep(await browser.extensionPage("sidepanel.html"));
  });

  it("opens the page of the tab on a phone, once for a double click", async () => {
    await storeSignIn(browser.context, server.origin, server.token);
    const phone = addPhone({ name: "Pixel, tall", state: "running", startedAt: new Date().toISOString() });
    const popup = await overShop();
    await popup.getByText("Blue chair").waitFor();
    await expectAccessible(popup);
    await popup.getByRole("button", { name: /^Open on Pixel, tall/ }).dblclick();
    await until("the page to open", () => server.state.opened.length > 0);
    keep(await browser.extensionPage("sidepanel.html"));
    expect(server.state.opened).toEqual([{ phoneId: phone.id, url: shopUrl }]);
  });

  it("starts and parks in place, with a way back, by mouse and by keys", async () => {
    await storeSignIn(browser.context, server.origin, server.token);
    const phone = addPhone({ name: "Work phone" });
    server.state.startMs = 300;
    const popup = await overShop();
    await popup.getByRole("button", { name: "Start Work phone" }).click();
    await popup.getByRole("button", { name: "Park Work phone" }).click();
    await popup.getByText("is parked; everything on it is kept.").waitFor();
    expect(server.state.phones.get(phone.id)?.state).toBe("parked");
    await popup.getByRole("button", { name: "Undo" }).click();
    await popup.getByRole("button", { name: "Park Work phone" }).waitFor();
    await popup.getByTitle("Show Work phone").focus();
    await popup.keyboard.press("ArrowRight");
    await popup.keyboard.press("Enter");
    await until("the phone to park", () => server.state.phones.get(phone.id)?.state === "parked");
  });

  it("takes the offer to undo back when the phone was started elsewhere", async () => {
    await storeSignIn(browser.context, server.origin, server.token);
    const phone = addPhone({ name: "Work phone", state: "running", startedAt: new Date().toISOString() });
    const popup = await overShop();
    await popup.getByRole("button", { name: "Park Work phone" }).click();
    const offer = popup.getByText("is parked; everything on it is kept.");
    // Under the pointer it would stay for good.
    await offer.hover();
    server.state.phones.set(phone.id, { ...phone, startedAt: new Date().toISOString() });
    await popup.getByRole("button", { name: "Park Work phone" }).waitFor();
    await offer.waitFor({ state: "detached" });
  });

  it("needs no worker", async () => {
    await storeSignIn(browser.context, server.origin, server.token);
    addPhone({ name: "Work phone" });
    await endWorker(browser);
    const popup = keep(await browser.openExtensionPage("popup.html"));
    await popup.getByRole("button", { name: "Start Work phone" }).click();
    await popup.getByRole("button", { name: "Park Work phone" }).waitFor();
  });

  it("says what is wrong, and shows the last known phones", async () => {
    await storeSignIn(browser.context, server.origin, server.token);
    addPhone({ name: "Work phone" });
    const first = keep(await browser.openExtensionPage("popup.html"));
    await first.getByText("Work phone").first().waitFor();
    await first.getByText("Nothing is running").waitFor();
    const { port } = server;
    await server.close();
    try {
      const popup = keep(await browser.openExtensionPage("popup.html"));
      await popup.getByText("does not answer.").waitFor();
      await popup.getByText("Work phone").first().waitFor();
      await expectAccessible(popup);
    } finally {
      server = await startStubServer({ port });
    }
    await storeSignIn(browser.context, server.origin, "cp_ended");
    const ended = keep(await browser.openExtensionPage("popup.html"));
    await ended.getByRole("button", { name: "Sign in" }).waitFor();
    await expectAccessible(ended);
  });

  it("says what runs costs and what the next start would, and leads to Billing", async () => {
    await storeSignIn(browser.context, server.origin, server.token);
    addPhone({ name: "Pixel, tall", state: "running", startedAt: new Date(Date.now() - 724_000).toISOString() });
    addPhone({ name: "Work phone" });
    server.state.burn = {
      mode: "stripe",
      currency: "usd",
      running: [],
      words: "1 phone running, $0.12/h",
      perHour: 12,
    };
    const words = "Uses plan minutes (212 min left), then $0.12/h, at most $1.50 a day";
    server.state.preview = { mode: "stripe", words, covered: true };
    const popup = keep(await browser.openExtensionPage("popup.html"));
    await popup.getByText(words).waitFor();
    await popup.setViewportSize({ width: 380, height: 420 });
    await expectAccessible(popup);
    await popup.screenshot({ path: "e2e/out/popup-cost.png" });
    const opened = browser.context.waitForEvent("page");
    await popup.getByRole("button", { name: "$0.12/h now, open Billing" }).click();
    expect((await opened).url()).toContain("/sidepanel.html?full=1&tab=billing");
    keep(await opened);
    server.state.preview = { mode: "stripe", words: "Nothing covers it: the minutes are used up", covered: false };
    server.state.refuse = { code: "payment_required", message: "Nothing covers this phone now." };
    const empty = keep(await browser.openExtensionPage("popup.html"));
    await empty.getByText("Nothing covers it").waitFor();
    await empty.setViewportSize({ width: 380, height: 420 });
    await empty.emulateMedia({ colorScheme: "dark" });
    await empty.screenshot({ path: "e2e/out/popup-uncovered.png" });
    await expectAccessible(empty);
    await empty.getByRole("button", { name: "Start Work phone" }).click();
    await empty.locator(".toast", { hasText: "Nothing covers this phone now." }).waitFor();
    server.state.refuse = undefined;
    const led = browser.context.waitForEvent("page");
    await empty.locator(".toast").getByRole("button", { name: "Add phone time" }).click();
    expect((await led).url()).toContain("tab=billing");
    keep(await led);
  });

  it("has settings that hold, with shortcuts as really assigned", async () => {
    await storeSignIn(browser.context, server.origin, server.token);
    const page = keep(await browser.openExtensionPage("options.html"));
    await page.getByText("ada@example.org").waitFor();
    for (const keys of ["Alt+P", "Alt+Shift+K", "Alt+Shift+J"]) await page.getByText(keys, { exact: true }).waitFor();
    await page.getByLabel("Dark").check();
    await until("the dark look", () => page.evaluate(() => document.documentElement.dataset["theme"] === "dark"));
    await expectAccessible(page);
    await page.reload();
    expect(await page.getByLabel("Dark").isChecked()).toBe(true);
    await page.getByRole("button", { name: "Forget this server" }).click();
    await page.getByRole("button", { name: "Forget", exact: true }).click();
    await page.getByRole("button", { name: "Set up" }).waitFor();
    expect(server.state.tokens.has(server.token)).toBe(false);
    server.state.tokens.add(server.token);
  });

  it("says of each phone why it stopped, and which the server lost sight of", async () => {
    addPhone({ name: "Broken", state: "failed", reason: "device_unauthorized" });
    addPhone({
      ...{ name: "Away", state: "running", startedAt: new Date(Date.now() - 724_000).toISOString() },
      ...{ reason: "host_gone", unreachableSince: new Date(Date.now() - 60_000).toISOString() },
    });
    await storeSignIn(browser.context, server.origin, server.token);
    const popup = await overShop();
    await popup.getByRole("listitem").filter({ hasText: "Broken" }).getByText("does not trust this server").waitFor();
    await popup.getByRole("listitem").filter({ hasText: "Away" }).getByText("out of reach").waitFor();
    expect(await popup.getByText("12:0").count()).toBe(0);
    await popup.screenshot({ path: "e2e/out/popup-phones.png" });
  });
});

/** Ends the worker as the browser does; whatever wakes it later is welcome to. */
async function endWorker({ context }: ExtensionBrowser): Promise<void> {
  const session = await context.browser()?.newBrowserCDPSession();
  const { targetInfos = [] } = (await session?.send("Target.getTargets")) ?? {};
  const workers = targetInfos.filter(({ type }) => type === "service_worker");
  expect(workers).not.toEqual([]);
  for (const { targetId } of workers) await session?.send("Target.closeTarget", { targetId });
}

/** No violation of WCAG 2.2 A and AA as far as axe can see, in light and in dark. */
async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(async () => {
      const { axe: checker } = globalThis as unknown as {
        axe: { run(options: object): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }> };
      };
      const { violations: found } = await checker.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] });
      return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => String(target)).join(", ")}`);
    });
    expect(violations).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null });
}
