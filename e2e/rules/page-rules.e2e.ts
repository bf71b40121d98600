/** Rules in a real Chromium with the real extension against a stand-in server: what starts, what asks, what stays out. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until, untilEqual } from "../harness/until.ts";
import { problems } from "../panel/looks.ts";
import { startStubServer } from "../panel/stub-server.ts";
import { allowRules, badgeOf, evaluations, keptOffers, registeredScripts } from "./rule-browser.ts";
import { PRODUCT_LD, type RuleShop, startRuleShop } from "./rule-shop.ts";
import { beginRuleTest, type RuleTest } from "./rule-test.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("rules of pages", () => {
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

  const flowId = () => at.server.state.automations.save({ name: "x", source: "url: a\n---\n- launchApp\n" }).id;
  it("asks on a page that fits, with a badge and the values, and starts nothing by itself", async () => {
    await at.addRule();
    await at.visit("/product/42");
    await untilEqual("the badge", () => badgeOf(at.page, `${shop.origin}/product/42`), "1?");
    expect(await keptOffers(at.page)).toMatchObject([
      { waits: true, values: [{ name: "address", value: `${shop.origin}/product/42` }] },
    ]);
    expect(at.asked()).toEqual([]);
    expect(await evaluations(at.page)).toMatchObject([{ outcome: "stopped", gate: "confirm" }]);
  });

  it("starts one run where the person said so, with what was read and no address but that", async () => {
    const phone = at.server.team.add({ name: "Work phone" });
    const action = { flowId: flowId(), phone: phone.id, inputs: {} };
    const rule = await at.addRule({ confirm: "never", cooldownMs: 0, action });
    const tab = await at.visit("/product/42");
    await until("the run", () => at.asked().length > 0);
    expect(at.asked()).toEqual([
      {
        ruleId: rule.id,
        way: "navigation",
        values: { address: `${shop.origin}/product/42` },
        dedupeKey: expect.stringMatching(/^[\w-]{43}$/),
        cause: [],
      },
    ]);
    await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "▸");
    await tab.reload();
    expect(await at.lastWords(2)).toBe("Its last run is still going.");
    at.server.state.automations.newest.to("passed");
    await tab.reload();
    await until("the next run", () => at.asked().length === 2);
  });

  it("runs what waits from the popup, once for a double click, and leads to the run", async () => {
    await at.addRule();
    const tab = await at.visit("/product/42");
    await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "1?");
    const popup = await browser.openPopup(tab);
    await popup.getByRole("heading", { name: "1 automation fits this page" }).waitFor();
    await popup.getByText(`${shop.origin}/product/42`).waitFor();
    await picture(popup, "popup-waits");
    await popup.getByRole("button", { name: "Run", exact: true }).dblclick();
    await popup.getByText("Running on Pixel, tall").waitFor();
    expect(at.asked()).toHaveLength(1);
    await untilEqual("the badge to go", () => badgeOf(at.page, tab.url()), "");
    await picture(popup, "popup-running");
    await popup.getByRole("button", { name: "Watch" }).click();
    const panel = await browser.extensionPage("sidepanel.html");
    await panel.getByRole("tabpanel", { name: "Automations" }).getByText("Waiting", { exact: true }).waitFor();
    await panel.close();
  });

  it("asks no more on a site where the person said always, and again where they ran it once", async () => {
    const phone = at.server.team.add({ name: "Work phone" });
    await at.addRule({ cooldownMs: 0, action: { flowId: flowId(), phone: phone.id, inputs: {} } });
    const tab = await at.visit("/product/42");
    for (const [times, button] of ["Run", "Always on this site"].entries()) {
      await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "1?");
      const popup = await browser.openPopup(tab);
      await popup.getByRole("button", { name: button, exact: true }).click();
      await popup.getByText("Running on Work phone").waitFor();
      await popup.close();
      expect(at.asked()).toHaveLength(times + 1);
      at.server.state.automations.newest.to("passed");
      await tab.reload();
    }
    await until("a run nobody was asked about", () => at.asked().length === 3);
  });

  it("shows rules by click on any page, reads only when the popup is opened, and runs one in a click", async () => {
    const phone = at.server.team.add({ name: "Work phone" });
    await at.addRule({
      name: "Open this page",
      scope: [],
      when: { all: [] },
      confirm: "never",
      action: { flowId: flowId(), phone: phone.id, inputs: {} },
    });
    const tab = await at.visit("/about");
    const popup = await browser.openPopup(tab);
    await popup.getByRole("button", { name: "Run Open this page" }).click();
    await popup.getByText("Running on Work phone").waitFor();
    expect(at.asked()).toMatchObject([{ way: "click", values: { address: `${shop.origin}/about` } }]);
    expect(await scripts()).toEqual([]);
  });

  it("keeps nothing half done when the server is away, and runs when it is back", async () => {
    await at.addRule();
    const tab = await at.visit("/product/42");
    await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "1?");
    const popup = await browser.openPopup(tab);
    await popup.getByRole("button", { name: "Run", exact: true }).waitFor();
    const port = Number(new URL(at.server.origin).port);
    await at.server.stop();
    await popup.getByRole("button", { name: "Run", exact: true }).click();
    await popup.locator(".fitting").getByText("does not answer").waitFor();
    await picture(popup, "popup-away");
    at.server = await startStubServer(port, at.server);
    await popup.getByRole("button", { name: "Run", exact: true }).click();
    await popup.getByText("Running on Pixel, tall").waitFor();
    expect(at.asked()).toHaveLength(1);
  });

  it("hears of addresses that change without a load, and waits for elements", async () => {
    await at.addRule({ when: { all: [{ kind: "dom", css: ".in-stock" }] } });
    const tab = await at.visit("/about");
    await tab.evaluate(() => history.pushState(null, "", "/product/7"));
    await tab.evaluate(() =>
      setTimeout(() => document.body.insertAdjacentHTML("beforeend", "<p class=in-stock>"), 1_500),
    );
    await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "1?");
    expect(await keptOffers(at.page)).toMatchObject([{ values: [{ value: `${shop.origin}/product/7` }] }]);
  });

  it("counts at once on a page that is open when the rule is saved", async () => {
    const tab = await at.visit("/product/42");
    await at.addRule();
    await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "1?");
    expect(await keptOffers(at.page)).toHaveLength(1);
  });

  it("runs expressions apart from the worker, and says which page they found nothing on", async () => {
    await at.addRule({
      when: { all: [{ kind: "text", op: "regex", value: "EUR \\d+" }] },
      extract: [{ var: "price", from: [{ kind: "css", css: "h1" }], regex: "\\d+" }],
      action: { flowId: flowId(), phone: "ask", inputs: { MAX: { var: "price" } } },
    });
    shop.page("/product/1", "", "<h1>EUR 129</h1>");
    const tab = await at.visit("/product/1");
    await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "1?");
    expect(await keptOffers(at.page)).toMatchObject([{ values: [{ name: "price", value: "129" }] }]);
  });

  it("goes on where it was when the worker dies", async () => {
    await at.addRule();
    const tab = await at.visit("/product/42");
    await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "1?");
    await browser.killWorker(at.page);
    const popup = await browser.openPopup(tab);
    await popup.getByRole("button", { name: "Run", exact: true }).click();
    await popup.getByText("Running on Pixel, tall").waitFor();
    expect(at.asked()).toHaveLength(1);
  });

  it("acts from a context menu on what was clicked, and asks first for a rule the person never allowed here", async () => {
    const phone = at.server.team.add({ name: "Work phone" });
    const rule = await at.addRule({
      name: "Open a link",
      debounceMs: 0,
      scope: [],
      when: { all: [{ kind: "contextMenu", on: "link" }] },
      extract: [{ var: "address", from: [{ kind: "menu", part: "link" }] }],
      confirm: "never",
      action: { flowId: flowId(), phone: phone.id, inputs: {} },
    });
    const tab = await at.visit("/about");
    const tabId = await tabIdOf(tab.url());
    const click = {
      menuItemId: `rule:${rule.id}`,
      linkUrl: "https://a.example/x",
      pageUrl: tab.url(),
      editable: false,
    };
    await browser.dispatch("contextMenus.onClicked", click, {
      id: tabId,
      url: tab.url(),
      windowId: 1,
      incognito: false,
    });
    await until("the run", () => at.asked().length > 0);
    expect(at.asked()).toMatchObject([{ way: "menu", values: { address: "https://a.example/x" } }]);
    at.server.state.automations.newest.to("passed");
    await allowRules(at.page, []);
    await browser.dispatch("contextMenus.onClicked", click, {
      id: tabId,
      url: tab.url(),
      windowId: 1,
      incognito: false,
    });
    await until("the question", async () => (await keptOffers(at.page)).some(({ waits }) => waits));
    expect(at.asked()).toHaveLength(1);
  });

  describe("against pages that mean harm", () => {
    it("ABUSE-15 a thousand messages it forges start nothing, from its own scripts and from a stranger's", async () => {
      const rule = await at.addRule({ confirm: "never", action: { flowId: flowId(), phone: "new", inputs: {} } });
      await allowRules(at.page, []);
      shop.page("/product/spoof", PRODUCT_LD);
      const tab = await at.visit("/product/spoof");
      await tab.evaluate((id) => {
        for (let n = 0; n < 1_000; n += 1) {
          const type = ["page_ready", "offer_run", "rules_fit"][n % 3];
          const message = { perch: 1, type, tabId: 1, offerId: "x", ruleId: id, yes: "site" };
          window.postMessage(message, "*");
          document.dispatchEvent(new CustomEvent("perch", { detail: message }));
          const { chrome } = globalThis as { chrome?: { runtime?: { sendMessage?: (...all: unknown[]) => unknown } } };
          try {
            void chrome?.runtime?.sendMessage?.("jfdingcbnfdkphidpnogopmffbfadbbf", message);
          } catch {
            // No such way from a page, as it should be.
          }
        }
      }, rule.id);
      // A script of ours in a page that was taken over says what pages of ours may say.
      await at.page.evaluate(
        async ([tabId]) => {
          const { chrome } = globalThis as unknown as {
            chrome: { scripting: { executeScript(injection: object): Promise<unknown> } };
          };
          await chrome.scripting.executeScript({
            target: { tabId },
            func: () => {
              const { chrome: own } = globalThis as unknown as {
                chrome: { runtime: { sendMessage(message: object): Promise<unknown> } };
              };
              for (const type of ["offer_run", "rules_fit", "rules_changed"])
                void own.runtime.sendMessage({ perch: 1, type, offerId: "x", tabId: 1 }).catch(() => undefined);
              void own.runtime.sendMessage({ perch: 1, type: "page_ready", url: "https://bank.example/" });
              void own.runtime.sendMessage({ perch: 1, type: "page_ready" });
            },
          });
        },
        [await tabIdOf(tab.url())] as const,
      );
      await at.lastWords(1);
      expect((await evaluations(at.page)).map(({ gate }) => gate)).toEqual(["consent"]);
      expect(at.asked()).toEqual([]);
    });

    it("a storm of reloads asks once and starts nothing", async () => {
      await at.addRule();
      shop.page(
        "/product/storm",
        `${PRODUCT_LD}<script>if (Number(name || 0) < 40) { name = Number(name || 0) + 1; location.reload(); }</script>`,
      );
      const tab = await at.visit("/product/storm");
      await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "1?");
      expect(at.asked()).toEqual([]);
      expect(await keptOffers(at.page)).toHaveLength(1);
      expect((await evaluations(at.page)).length).toBeLessThan(5);
    });

    it("a storm of addresses wakes nobody until it is over", async () => {
      await at.addRule();
      const tab = await at.visit("/product/42");
      await untilEqual("the badge", () => badgeOf(at.page, tab.url()), "1?");
      const before = (await evaluations(at.page)).length;
      await tab.evaluate(
        () =>
          new Promise<void>((resolve) => {
            let count = 0;
            const storm = setInterval(() => {
              try {
                history.replaceState(null, "", `/product/${count}`);
              } catch {
                // The browser has had enough of it.
              }
              count += 1;
              if (count === 120) {
                clearInterval(storm);
                resolve();
              }
            }, 20);
          }),
      );
      expect((await evaluations(at.page)).length - before).toBeLessThanOrEqual(1);
      expect(at.asked()).toEqual([]);
    });

    it("is not there at all on sites without a rule, and the worker sleeps", async () => {
      await at.addRule({ scope: ["https://shop.example/product/*"] });
      expect(await scripts()).toEqual([]);
      // What a page of the extension keeps wakes the worker; a picture keeps nothing.
      const picture = await browser.openExtensionPage("icons/icon-32.png");
      await at.page.close();
      await browser.killWorker(picture);
      at.tabs.push(picture);
      const tab = await at.visit("/product/42");
      await tab.evaluate(() => history.pushState(null, "", "/product/43"));
      await tab.reload();
      await tab.goto(`${shop.origin}/about`);
      expect(await browser.workerRuns()).toBe(false);
    });
  });

  const scripts = () => registeredScripts(at.page);
  const tabIdOf = (url: string): Promise<number> =>
    at.page.evaluate(async (address) => {
      const { chrome } = globalThis as unknown as {
        chrome: { tabs: { query(query: object): Promise<{ id: number; url?: string }[]> } };
      };
      return (await chrome.tabs.query({})).find((tab) => tab.url === address)?.id ?? -1;
    }, url);
  const picture = async (popup: Page, name: string) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await popup.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect.soft(await problems(popup), `${name}, ${colorScheme}`).toEqual([]);
      await popup.screenshot({ path: `e2e/out/rules-${name}-${colorScheme}.png`, animations: "disabled" });
    }
  };
});
