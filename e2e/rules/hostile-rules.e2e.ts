/** Pages that mean harm to rules, timed: what reading them costs the page and the worker, in a real Chromium. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { untilEqual } from "../harness/until.ts";
import { badgeOf, evaluations } from "./rule-browser.ts";
import { PRODUCT_LD, type RuleShop, startRuleShop } from "./rule-shop.ts";
import { beginRuleTest, type RuleTest } from "./rule-test.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("rules of pages that mean harm", () => {
  let browser: ExtensionBrowser;
  let shop: RuleShop;
  let at: RuleTest;

  beforeAll(async () => {
    shop = await startRuleShop();
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(async () => {
    await browser?.close();
    shop?.close();
  });
  beforeEach(async () => {
    at = await beginRuleTest(browser, shop);
  });
  afterEach(() => at.end());

  const settled = async (tab: Page) => {
    // A second rule on a page of its own is judged after whatever came before it.
    shop.page("/product/marker", PRODUCT_LD);
    await tab.goto(`${shop.origin}/product/marker`);
    await untilEqual("the marker", () => badgeOf(at.page, `${shop.origin}/product/marker`), "1?");
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
      await at.addRule();
      shop.page("/product/evil", head, body);
      const tab = await at.visit("/product/evil");
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
      expect(at.asked()).toEqual([]);
      const read = (await evaluations(at.page)).flatMap(({ readMs }) => readMs ?? []);
      expect(read.length).toBeGreaterThan(0);
      // One look-up cannot be stopped midway.
      expect(Math.max(...read)).toBeLessThanOrEqual(25);
    },
  );

  it("an expression made to hang does not", async () => {
    await at.addRule({ when: { all: [{ kind: "text", op: "regex", value: "^(a+)+$" }] } });
    shop.page("/product/bomb", "", `<p>${"a".repeat(9_000)}!</p>`);
    const started = Date.now();
    await at.visit("/product/bomb");
    await at.lastWords(1);
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(at.asked()).toEqual([]);
  });
});
