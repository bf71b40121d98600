/** Pages that mean harm to rules, timed: what reading them costs the page and the worker, in a real Chromium. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { RuleInput } from "../../shared/rules/model.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until, untilEqual } from "../harness/until.ts";
import { SIGNED_IN, storeSignIn } from "../panel/panel-page.ts";
import { type StubServer, startStubServer } from "../panel/stub-server.ts";
import { allowRules, badgeOf, evaluations } from "./rule-browser.ts";
import { PRODUCT_LD, type RuleShop, startRuleShop } from "./rule-shop.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("rules of pages that mean harm", () => {
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

  const asked = () => server.state.rules.asked;
  /** The gates' last word on a rule that was judged at least `count` times. */
  const lastWords = async (count: number) => {
    const log = await until(`${count} evaluations`, async () => {
      const all = await evaluations(page);
      return all.length >= count && all;
    });
    return log.at(-1)?.words;
  };

  const settled = async (tab: Page) => {
    // A second rule on a page of its own is judged after whatever came before it.
    shop.page("/product/marker", PRODUCT_LD);
    await tab.goto(`${shop.origin}/product/marker`);
    await untilEqual("the marker", () => badgeOf(page, `${shop.origin}/product/marker`), "1?");
  };
  it.each<[string, string, string]>([
    [
      "forged JSON-LD",
      `<script type="application/ld+json">{"@type":"Product","name":"\u202eevil","url":"https://bank.example"}</script>`,
      "",
    ],
    ["1 MB of metadata", `<meta property="og:title" content="${"x".repeat(1_000_000)}">${PRODUCT_LD}`, ""],
    ["20,000 blocks of JSON-LD", PRODUCT_LD.repeat(20_000), ""],
    ["100,000 elements", PRODUCT_LD, "<i></i>".repeat(100_000)],
    [
      "names that hide the document's own",
      PRODUCT_LD,
      '<img name="querySelectorAll"><img name="chrome"><img name="browser">',
    ],
  ])(
    "ABUSE-15 %s starts nothing that was not approved, and costs the page no more than 20 ms",
    async (_, head, body) => {
      await addRule();
      shop.page("/product/evil", head, body);
      const tab = await visit("/product/evil");
      const worst = await tab.evaluate(
        () =>
          new Promise<number>((resolve) => {
            let last = performance.now();
            let longest = 0;
            const until = last + 1_800;
            const tick = () => {
              const now = performance.now();
              longest = Math.max(longest, now - last);
              last = now;
              if (now < until) setTimeout(tick, 0);
              else resolve(longest);
            };
            tick();
          }),
      );
      expect(worst).toBeLessThan(200);
      await settled(tab);
      expect(asked()).toEqual([]);
      const read = (await evaluations(page)).flatMap(({ readMs }) => readMs ?? []);
      expect(read.length).toBeGreaterThan(0);
      // One look-up cannot be stopped midway.
      expect(Math.max(...read)).toBeLessThanOrEqual(25);
    },
  );

  it("an expression made to hang does not", async () => {
    await addRule({ when: { all: [{ kind: "text", op: "regex", value: "^(a+)+$" }] } });
    shop.page("/product/bomb", "", `<p>${"a".repeat(9_000)}!</p>`);
    const started = Date.now();
    await visit("/product/bomb");
    await lastWords(1);
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(asked()).toEqual([]);
  });
});
