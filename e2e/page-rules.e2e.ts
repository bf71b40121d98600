/** A rule on the real stack: made in the panel, called for by a page, confirmed in the popup, run on a real web phone. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Site } from "./fixtures/site.ts";
import type { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { showTab } from "./harness/panel.ts";
import { type Stack, startStack } from "./harness/stack.ts";
import { until, untilEqual } from "./harness/until.ts";
import { badgeOf, keptOffers } from "./rules/rule-browser.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("a rule for product pages", () => {
  let stack: Stack;
  let site: Site;
  let browser: ExtensionBrowser;
  let panel: Page;

  keepEvidence(() => stack);
  beforeAll(async () => {
    // In a tab of its own: what the popup asks for is done by the panel beside the page.
    stack = await startStack(executable ?? "", "sidepanel.html?full=1");
    ({ site, browser, panel } = stack);
    await showTab(panel, "Automations");
  });
  afterAll(() => stack?.close());

  it("is made from a ready-made one, asks on the page, runs on the phone and leaves a report", async () => {
    await panel.getByRole("button", { name: /^Rules/ }).click();
    await panel.getByRole("button", { name: /^Product page → open in the app/ }).click();
    await panel.getByLabel("Sites on which it may act by itself").fill("http://127.0.0.1/product/*");
    await panel.getByRole("button", { name: "Save", exact: true }).click();
    await panel.getByText("is saved.").waitFor();

    const tab = await browser.openTab(`${site.origin}/product/42`);
    await untilEqual("the badge", () => badgeOf(panel, `${site.origin}/product/42`), "1?");
    expect(await keptOffers(panel)).toMatchObject([{ values: [{ value: `${site.origin}/product/42` }] }]);
    const before = site.requests("/product/42");
    const popup = await browser.openPopup(tab);
    await popup.getByText("1 automation fits this page").waitFor();
    await popup.screenshot({ path: "e2e/out/page-rules-confirm.png" });
    await popup.getByRole("button", { name: "Run", exact: true }).dblclick();
    await popup.getByText(/^Running on /).waitFor();
    await popup.getByRole("button", { name: "Watch" }).click();
    const side = await until("the panel beside the page", () =>
      browser.context.pages().find((page) => page !== panel && page.url().includes("sidepanel.html")),
    );
    await side.getByText("Passed", { exact: true }).waitFor({ timeout: 60_000 });
    await side.screenshot({ path: "e2e/out/page-rules-passed.png" });
    expect(site.requests("/product/42")).toBe(before + 1);
    await side.getByRole("button", { name: "More about this run" }).click();
    await side.getByRole("menuitem", { name: /Save the report/ }).waitFor();
    await side.close();
  });

  it("starts once however often the page comes, because it is once a day for a page", async () => {
    const tab = await browser.openTab(`${site.origin}/product/42`);
    await tab.reload();
    await panel.bringToFront();
    await panel.getByRole("button", { name: "Why did a rule (not) run" }).click();
    await panel.getByText("It has run for this already (once per url/day).").first().waitFor();
    await tab.close();
  });
});
