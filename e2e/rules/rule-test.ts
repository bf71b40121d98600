/** One test of rules in a real Chromium: a stub server that the extension is signed in to, and a shop whose pages rules fit. */
import type { Page } from "playwright-core";
import type { Rule, RuleInput } from "../../shared/rules/model.ts";
import type { ExtensionBrowser } from "../harness/chromium.ts";
import { until } from "../harness/until.ts";
import { clearSession, SIGNED_IN, storeSignIn } from "../panel/panel-page.ts";
import { type StubServer, startStubServer } from "../panel/stub-server.ts";
import { allowRules, evaluations } from "./rule-browser.ts";
import { PRODUCT_LD, type RuleShop } from "./rule-shop.ts";

export interface RuleTest {
  /** A test that stops it puts another in its place. */
  server: StubServer;
  /** Of the extension. */
  readonly page: Page;
  /** Closed at the end, as those that were visited. */
  readonly tabs: Page[];
  /** Opens a page of the shop. */
  visit(path: string): Promise<Page>;
  /** Adds a rule for the shop's products, and the person's yes to it. */
  addRule(over?: Partial<Omit<RuleInput, "id">>): Promise<Rule>;
  /** What the server was asked to start. */
  asked(): StubServer["state"]["rules"]["asked"];
  /** The gates' last word on a rule that was judged at least `count` times. */
  lastWords(count: number): Promise<string | undefined>;
  end(): Promise<void>;
}

export async function beginRuleTest(browser: ExtensionBrowser, shop: RuleShop): Promise<RuleTest> {
  const server = await startStubServer();
  server.team.add({ name: "Pixel, tall" });
  await storeSignIn(browser.context, server.origin, SIGNED_IN);
  const page = await browser.openExtensionPage("options.html");
  await clearSession(page);
  shop.page("/product/42", PRODUCT_LD, "<h1>Blue chair</h1>");
  shop.page("/about", "", "<h1>About</h1>");
  const tabs: Page[] = [];
  const test: RuleTest = {
    server,
    page,
    tabs,
    async visit(path) {
      const tab = await browser.openTab(shop.origin + path);
      tabs.push(tab);
      return tab;
    },
    async addRule(over = {}) {
      const { automations, rules } = test.server.state;
      const flow = automations.save({ name: "Open it", source: "url: about:blank\n---\n- launchApp\n" });
      const { rule } = rules.add({
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
    },
    asked: () => test.server.state.rules.asked,
    async lastWords(count) {
      const log = await until(`${count} evaluations`, async () => {
        const all = await evaluations(page);
        return all.length >= count && all;
      });
      return log.at(-1)?.words;
    },
    async end() {
      for (const tab of [...tabs.splice(0), page]) await tab.close().catch(() => undefined);
      await test.server.stop();
    },
  };
  return test;
}
