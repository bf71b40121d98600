/** The whole way of an automation: recorded on a phone, called for by a page, confirmed, watched to the end, reported. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { COLOURS, SHOP_SPOTS } from "./fixtures/pages.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { openAddress, recorded, ruleForPages, saveRecording } from "./harness/panel.ts";
import { showsColour, tap } from "./harness/picture.ts";
import { type Stack, startStack } from "./harness/stack.ts";
import { until, untilEqual } from "./harness/until.ts";
import { badgeOf } from "./rules/rule-browser.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("an automation, the whole way", () => {
  let stack: Stack;

  keepEvidence(() => stack);
  beforeAll(async () => {
    // What the popup asks for is done by the panel beside the page.
    stack = await startStack(executable ?? "", "sidepanel.html?full=1");
  });
  afterAll(() => stack?.close());

  it("is recorded, called for by a product page, confirmed, watched to the end, and leaves its report", async () => {
    const { site, browser, panel } = stack;
    await openAddress(panel, `${site.origin}/shop`);
    // The phone's own home screen has nearly the same colour.
    await until("the shop to be asked for", () => site.requests("/shop") > 0);
    await showsColour(panel, COLOURS.shop);
    await panel.getByRole("button", { name: "Record", exact: true }).click();
    await panel.getByText("Recording · 0 steps").waitFor();
    await tap(panel, ...SHOP_SPOTS.name);
    await recorded(panel, "Tap “Your name”");
    await panel.keyboard.insertText("Ada");
    await recorded(panel, "Type “Ada” into “Your name”");
    await tap(panel, ...SHOP_SPOTS.enter);
    await recorded(panel, "Tap “Enter”");
    await untilEqual("the page to be entered by hand", () => site.told("entered"), ["Ada/0"]);
    await saveRecording(panel, "Enter the shop");

    await ruleForPages(panel, "Product pages", "http://127.0.0.1/product/*");
    await panel.getByRole("button", { name: "Save", exact: true }).click();
    await panel.getByText("Product pages is saved.").waitFor();

    const product = `${site.origin}/product/42`;
    const tab = await browser.openTab(product);
    await untilEqual("the badge to ask", () => badgeOf(panel, product), "1?");
    const popup = await browser.openPopup(tab);
    await popup.getByText("1 automation fits this page").waitFor();
    expect(site.told("entered")).toEqual(["Ada/0"]);
    await popup.getByRole("button", { name: "Run", exact: true }).click();
    await popup.getByText(/^Running on /).waitFor();
    await popup.getByRole("button", { name: "Watch" }).click();
    const side = await until("the panel beside the page", () =>
      browser.context.pages().find((page) => page !== panel && page.url().includes("sidepanel.html")),
    );
    await side.getByText("Passed", { exact: true }).waitFor({ timeout: 30_000 });
    await untilEqual("the page to be entered once more", () => site.told("entered"), ["Ada/0", "Ada/0"]);

    for (const [item, told] of [
      ["Save the report", "inputText &quot;Ada&quot;"],
      ["Save as JUnit XML", 'failures="0"'],
    ] as const) {
      await side.getByRole("button", { name: "More about this run" }).click();
      const downloading = side.waitForEvent("download");
      await side.getByRole("menuitem", { name: new RegExp(`^${item}`) }).click();
      const report = readFileSync(await (await downloading).path(), "utf8");
      expect(report).toContain("Enter the shop");
      expect(report).toContain(told);
    }
  });
});
