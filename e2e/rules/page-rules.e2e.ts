/** Rules in a real Chromium with the real extension against a stand-in server: what starts, what asks, what stays out. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { RuleInput } from "../../shared/rules/model.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until, untilEqual } from "../harness/until.ts";
import { SIGNED_IN, storeSignIn } from "../panel/panel-page.ts";
import { type StubServer, startStubServer } from "../panel/stub-server.ts";
import { allowRules, badgeOf, evaluations, keptOffers } from "./rule-browser.ts";
import { PRODUCT_LD, type RuleShop, startRuleShop } from "./rule-shop.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("rules of pages", () => {
  let browser: ExtensionBrowser;
  let server: StubServer;
  let shop: RuleShop;
  let page: Page;
  const tabs: Page[] = [];

  beforeAll(async () => {
    shop = await startRuleShop();
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(async () => {
    await browser?.close();
    shop?.close();
  });
  beforeEach(async () => {
    server = await startStubServer();
    server.team.add({ name: "Pixel, tall" });
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
    page = await browser.openExtensionPage("options.html");
    await page.evaluate(async () => {
      const { chrome } = globalThis as unknown as { chrome: { storage: { session: { clear(): Promise<void> } } } };
      await chrome.storage.session.clear();
    });
    shop.page("/product/42", PRODUCT_LD, "<h1>Blue chair</h1>");
    shop.page("/about", "", "<h1>About</h1>");
  });
  afterEach(async () => {
    for (const tab of [...tabs.splice(0), page]) await tab.close().catch(() => undefined);
    await server.stop();
  });

  const visit = async (path: string) => {
    const tab = await browser.openTab(shop.origin + path);
    tabs.push(tab);
    return tab;
  };
  const addRule = async (over: Partial<Omit<RuleInput, "id">> = {}) => {
    const flow = server.state.automations.save({ name: "Open it", source: "url: about:blank\n---\n- launchApp\n" });
    const { rule } = server.state.rules.add({
      name: "Product page",
      when: { all: [{ kind: "jsonld", type: "Product", op: "exists" }] },
      extract: [{ var: "address", from: [{ kind: "url", part: "address" }] }],
      action: { flowId: flow.id, phone: "ask", inputs: { address: { var: "address" } } },
      scope: ["http://127.0.0.1/product/*"],
      confirm: "first",
      ...over,
    });
    await allowRules(page, [rule]);
    return rule;
  };

  it("asks on a page that fits, with a badge and the values, and starts nothing by itself", async () => {
    await addRule();
    await visit("/product/42");
    await untilEqual("the badge", () => badgeOf(page, `${shop.origin}/product/42`), "1");
    expect(await keptOffers(page)).toMatchObject([
      { waits: true, values: [{ name: "address", value: `${shop.origin}/product/42` }] },
    ]);
    expect(server.state.rules.asked).toEqual([]);
    expect(await evaluations(page)).toMatchObject([{ outcome: "stopped", gate: "confirm" }]);
  });

  it("starts one run where the person said so, with what was read and no address but that", async () => {
    const phone = server.team.add({ name: "Work phone" });
    const rule = await addRule({ confirm: "never", action: { flowId: flowId(), phone: phone.id, inputs: {} } });
    await visit("/product/42");
    await until("the run", () => server.state.rules.asked.length > 0);
    expect(server.state.rules.asked).toEqual([
      {
        ruleId: rule.id,
        way: "navigation",
        values: { address: `${shop.origin}/product/42` },
        dedupeKey: expect.stringMatching(/^[\w-]{43}$/),
        cause: [],
      },
    ]);
  });
  const flowId = () => server.state.automations.save({ name: "x", source: "url: a\n---\n- launchApp\n" }).id;
});
