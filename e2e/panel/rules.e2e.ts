/** Rules in the panel in a real Chromium against the stub server: write, allow, try, look why, take back. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until, untilEqual } from "../harness/until.ts";
import { allowRules, registeredScripts } from "../rules/rule-browser.ts";
import { PRODUCT_LD, type RuleShop, startRuleShop } from "../rules/rule-shop.ts";
import { LOOKS, problems } from "./looks.ts";
import { clearSession, openPanelPage, PANEL_SIZE, SIGNED_IN, storeSignIn } from "./panel-page.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
const OPEN = `url: about:blank\ninputs:\n  - name: address\n    description: What to open\n---\n- openLink: ${"$"}{address}\n`;

describe.skipIf(executable === undefined)("rules in the panel", () => {
  let browser: ExtensionBrowser;
  let server: StubServer;
  let shop: RuleShop;
  let page: Page;

  beforeAll(async () => {
    shop = await startRuleShop();
    shop.page("/product/42", `<title>Blue chair</title>${PRODUCT_LD}`, "<h1>Blue chair</h1>");
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(async () => {
    await browser?.close();
    shop?.close();
  });
  beforeEach(async () => {
    server = await startStubServer();
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
    page = await openPanelPage(browser.context);
    await clearSession(page);
    await page.reload();
    server.team.add({ name: "Pixel, tall" });
  });
  afterEach(async () => {
    await page.close();
    await server.stop();
  });

  const rules = () => server.state.rules;
  const showRules = async () => {
    await page.getByRole("tab", { name: "Automations" }).click();
    await page.getByRole("button", { name: /^Rules/ }).click();
    await page.getByRole("heading", { name: "Rules" }).waitFor();
  };
  const scripts = () => registeredScripts(page);

  /** Axe and the page's width at 360 pixels in light and at 320 in the dark, with a picture of the whole of each. */
  async function check(name: string): Promise<void> {
    for (const { width, colorScheme } of LOOKS) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: PANEL_SIZE.height });
      expect.soft(await problems(page), `${name}, ${width}, ${colorScheme}`).toEqual([]);
      const tall = await page.evaluate(() =>
        Math.max(...[...document.querySelectorAll(".tab-panel")].map(({ scrollHeight }) => scrollHeight)),
      );
      await page.setViewportSize({ width, height: Math.max(PANEL_SIZE.height, Math.min(tall + 60, 3_000)) });
      await page.screenshot({ path: `e2e/out/rules-${name}-${width}-${colorScheme}.png`, animations: "disabled" });
    }
    await page.setViewportSize(PANEL_SIZE);
  }

  it("says what rules are, and makes one from a ready-made one, with its automation and its site", async () => {
    await showRules();
    await page.getByRole("heading", { name: "Let a page start it" }).waitFor();
    await check("first-use");
    await page.getByRole("button", { name: /^Product page → open in the app/ }).click();
    await page.getByLabel("Sites on which it may act by itself").fill("127.0.0.1/product");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("A pattern begins with https://").waitFor();
    await check("mistake");
    await page.getByLabel("Sites on which it may act by itself").fill("http://127.0.0.1/product/*");
    await page.getByText("Saving asks the browser to let Perch read pages on 127.0.0.1").waitFor();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Product page → open in the app is saved.").waitFor();
    const [saved] = [...rules().saved.values()];
    expect(saved?.rule).toMatchObject({ scope: ["http://127.0.0.1/product/*"], confirm: "first" });
    expect(server.state.automations.list()).toMatchObject([{ id: saved?.rule.action.flowId, runnable: true }]);
    expect(await scripts()).toEqual(["http://127.0.0.1/*"]);
    await page.getByRole("switch", { name: /is on$/ }).click();
    await untilEqual("the script to go with the rule", scripts, []);
    await page.getByRole("switch", { name: /is on$/ }).click();
    await untilEqual("the script to come back", scripts, ["http://127.0.0.1/*"]);
  });

  it("keeps what is written over a reload, and writes every part of a rule", async () => {
    server.state.automations.save({ name: "Open it", source: OPEN });
    await showRules();
    await page.getByRole("button", { name: "New rule" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Cheap chairs");
    await page.getByLabel("Sites on which it may act by itself").fill("https://shop.example/product/*");
    await page.getByLabel("Add a condition").selectOption("jsonld");
    await page.getByLabel("Of it").fill("offers.price");
    await page.getByLabel("Comparison").selectOption("lessThan");
    await page.getByLabel("Value", { exact: true }).fill("150");
    await page.getByLabel("Add a condition").selectOption("schedule");
    await page.getByText(/^Next: /).waitFor();
    await page.getByRole("button", { name: "Add a value" }).click();
    await page.getByLabel("Name of value 1").fill("address");
    await page.getByLabel("Run this automation").selectOption({ label: "Open it" });
    await page.getByLabel("What to open").selectOption("var:address");
    await page.getByText("More: how often").click();
    await page.getByLabel("Most in an hour").fill("many");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("The cap is a whole number.").waitFor();
    await page.getByLabel("Most in an hour").fill("5");
    await check("editor");
    await until("the draft to be kept", () =>
      page.evaluate(async () => {
        const { chrome } = globalThis as unknown as {
          chrome: { storage: { session: { get(key: string): Promise<object> } } };
        };
        return JSON.stringify(await chrome.storage.session.get("draft.rules")).includes('"hour":5');
      }),
    );
    await page.reload();
    await page.getByRole("tab", { name: "Automations" }).click();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Cheap chairs");
    await page.getByRole("button", { name: "All rules" }).click();
    await page.getByText("Not saved").waitFor();
    await check("draft-list");
  });

  it("refuses an expression that is no good, in its place", async () => {
    await showRules();
    await page.getByRole("button", { name: "New rule" }).click();
    await page.getByLabel("Add a condition").selectOption("text");
    await page.getByLabel("How").selectOption("regex");
    await page.getByLabel("Text", { exact: true }).fill("(?=x)");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Look-around such as").waitFor();
  });

  it("shows what a rule would do on the tab beside it, why it did, and what the site has to do with it", async () => {
    const flow = server.state.automations.save({ name: "Open it", source: OPEN });
    const { rule } = rules().add({
      name: "Product page",
      when: { all: [{ kind: "jsonld", type: "Product", path: "offers.price", op: "lessThan", value: "150" }] },
      extract: [
        { var: "address", from: [{ kind: "url", part: "address" }] },
        { var: "price", from: [{ kind: "jsonld", type: "Product", path: "offers.price" }] },
      ],
      action: { flowId: flow.id, phone: "ask", inputs: { address: { var: "address" }, MAX: { var: "price" } } },
      scope: ["http://127.0.0.1/product/*"],
    });
    await allowRules(page, [rule]);
    const tab = await browser.openTab(`${shop.origin}/product/42`);
    await page.bringToFront();
    await page.getByRole("tab", { name: "Automations" }).click();
    await page.getByText("A rule waits for your yes").waitFor();
    await check("home");
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByRole("button", { name: "Run", exact: true }).waitFor();
    await check("waiting");
    await page.getByRole("button", { name: /^Product page/ }).click();
    await tab.bringToFront();
    // The panel's page is a tab here, and a click by the mouse would bring it to the front.
    await page.getByRole("button", { name: "Test on this tab" }).evaluate((button: HTMLElement) => button.click());
    await page.bringToFront();
    await page.getByText("It fits 127.0.0.1").waitFor();
    await check("tried");
    expect(rules().asked).toEqual([]);
    await page.getByRole("button", { name: "More about this rule" }).click();
    await page.getByRole("menuitem", { name: "Why did it (not) run" }).click();
    await page.getByText("It waits for your yes.").click();
    await page.getByText("there was 129").waitFor();
    await check("log");
    await page.getByRole("button", { name: "The rule" }).click();
    await page.getByRole("button", { name: "All rules" }).click();
    await page.getByRole("button", { name: "127.0.0.1", exact: true }).click();
    await page.getByText("the thing the page describes").waitFor();
    await page.getByRole("button", { name: "Pause for an hour" }).click();
    await page.getByText("No rule acts here by itself until").waitFor();
    await check("site");
    await page.getByRole("button", { name: "Go on now" }).click();
    await page.getByRole("button", { name: "Forget this site…" }).click();
    await page.getByRole("button", { name: "Forget", exact: true }).click();
    await page.getByText("is forgotten").waitFor();
    await untilEqual("the script to go", scripts, []);
    await tab.close();
  });

  it("starts a rule from its automation, and runs what waits from the panel", async () => {
    const flow = server.state.automations.save({ name: "Open it", source: OPEN });
    await page.getByRole("tab", { name: "Automations" }).click();
    await page.getByRole("button", { name: /^Open it/ }).click();
    await page.getByRole("button", { name: "More about this automation" }).click();
    await page.getByRole("menuitem", { name: "When a page calls for it…" }).click();
    expect(await page.getByLabel("Run this automation").inputValue()).toBe(flow.id);
    await page.getByLabel("Name", { exact: true }).fill("Products");
    await page.getByLabel("Sites on which it may act by itself").fill("http://127.0.0.1/product/*");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Products is saved.").waitFor();
    const tab = await browser.openTab(`${shop.origin}/product/42`);
    await page.bringToFront();
    await page.getByRole("button", { name: "Run", exact: true }).dblclick();
    await page.getByText("Waiting", { exact: true }).waitFor();
    expect(rules().asked).toHaveLength(1);
    expect(rules().asked[0]).toMatchObject({ way: "navigation", phoneId: [...server.team.phones.keys()][0] });
    await tab.close();
  });

  it("asks anew for a rule a team-mate changed", async () => {
    const flow = server.state.automations.save({ name: "Open it", source: OPEN });
    const { rule } = rules().add({
      name: "Product page",
      when: { all: [] },
      action: { flowId: flow.id, phone: "ask" },
      scope: ["http://127.0.0.1/product/*"],
    });
    await allowRules(page, [rule]);
    expect(await scripts()).toEqual(["http://127.0.0.1/*"]);
    rules().save({ ...rule, confirm: "never" });
    await showRules();
    await page.getByText("Changed, allow it again").waitFor();
    await check("changed");
    await page.evaluate(async () => {
      const { chrome } = globalThis as unknown as {
        chrome: { runtime: { sendMessage(message: object): Promise<unknown> } };
      };
      await chrome.runtime.sendMessage({ perch: 1, type: "rules_changed" });
    });
    expect(await scripts()).toEqual([]);
  });

  it("asks the browser for exactly the rule's sites in the click that saves it, and lives with a no", async () => {
    server.state.automations.save({ name: "Open it", source: OPEN });
    await showRules();
    await page.getByRole("button", { name: "New rule" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Chairs");
    await page
      .getByLabel("Sites on which it may act by itself")
      .fill("https://*.shop.example/product/*\nhttps://b.example/*\nhttps://*.shop.example/sale/*");
    await page.getByLabel("Run this automation").selectOption({ label: "Open it" });
    // A headless browser shows no question; what it would be asked is what counts, and that the click is still warm.
    const question = page.evaluate(
      () =>
        new Promise((resolve) => {
          const { chrome } = globalThis as unknown as { chrome: { permissions: Record<string, unknown> } };
          const api = (globalThis as unknown as { browser?: typeof chrome }).browser ?? chrome;
          for (const { permissions } of [api, chrome]) {
            permissions["request"] = async (asked: unknown) => {
              resolve({ asked, warm: navigator.userActivation.isActive });
              return false;
            };
          }
        }),
    );
    await page.getByRole("button", { name: "Save", exact: true }).click();
    expect(await question).toEqual({
      asked: { origins: ["https://*.shop.example/*", "https://b.example/*"] },
      warm: true,
    });
    await page.getByText("it runs here by your click only").waitFor();
    await page.getByText("By click only here").waitFor();
    expect(await scripts()).toEqual([]);
    await check("refused");
  });

  it("shows what is wrong when the server is away", async () => {
    await showRules();
    await server.stop();
    await page.getByRole("tab", { name: "Privacy" }).click();
    await page.getByRole("tab", { name: "Automations" }).click();
    await page.getByRole("tabpanel", { name: "Automations" }).getByText("does not answer").waitFor();
    await check("away");
    server = await startStubServer(Number(new URL(server.origin).port), server);
  });
});
