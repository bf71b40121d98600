/** The rule path in a real Firefox: the page calls for it, the person says yes in the panel, one run is started. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { extensionBuild } from "../harness/builds.ts";
import { FirefoxBrowser } from "../harness/firefox.ts";
import type { FirefoxPage } from "../harness/firefox-page.ts";
import { until } from "../harness/until.ts";
import { storeFirefoxSignIn } from "../panel/firefox-sign-in.ts";
import { type StubServer, startStubServer } from "../panel/stub-server.ts";
import { PRODUCT_LD, type RuleShop, startRuleShop } from "./rule-shop.ts";

const executable = inject("firefox");

describe.skipIf(executable === undefined)("rules of pages in Firefox", () => {
  let browser: FirefoxBrowser;
  let server: StubServer;
  let shop: RuleShop;
  let page: FirefoxPage;

  beforeAll(async () => {
    shop = await startRuleShop();
    shop.page("/product/42", PRODUCT_LD, "<h1>EUR 129</h1>");
    shop.page("/about", "");
    server = await startStubServer();
    server.team.add({ name: "Pixel, tall" });
    browser = await FirefoxBrowser.launch({ executable: executable ?? "", extension: extensionBuild("firefox") });
    await browser.extensionPage("welcome.html");
    page = await browser.openExtensionPage("sidepanel.html?full=1&tab=automations");
    await storeFirefoxSignIn(page, server.origin);
    await page.reload();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    shop?.close();
  });

  it("asks on a page that fits, hears of addresses that change, and starts one run", async () => {
    const flow = server.state.automations.save({ name: "Open it", source: "url: about:blank\n---\n- launchApp\n" });
    const { rule } = server.state.rules.add({
      name: "Product page",
      when: {
        all: [
          { kind: "jsonld", type: "Product", op: "exists" },
          { kind: "text", op: "regex", value: "EUR \\d+" },
        ],
      },
      extract: [{ var: "address", from: [{ kind: "url", part: "address" }] }],
      action: { flowId: flow.id, phone: "ask", inputs: { address: { var: "address" } } },
      scope: ["http://127.0.0.1/product/*"],
    });
    await page.click("button", "Rules");
    await page.click("button", "Product page 127.0.0.1 → Open it By click only here");
    await page.click("button", "Save");
    await page.says("Product page is saved.");
    const tab = await browser.openTab(`${shop.origin}/about`);
    await tab.goto(`${shop.origin}/product/42`);
    await tab.evaluate(() => history.pushState(null, "", "/product/43"));
    await page.activate();
    await page.says("It sends exactly this:");
    await until("the address the page ended at", async () => (await page.text()).includes("/product/43"));
    expect(server.state.rules.asked).toEqual([]);
    await page.click("button", "Run");
    await until("the run", () => server.state.rules.asked.length > 0);
    expect(server.state.rules.asked).toMatchObject([
      { ruleId: rule.id, way: "navigation", values: { address: `${shop.origin}/product/43` } },
    ]);
    expect(browser.problems).toEqual([]);
  });
});
