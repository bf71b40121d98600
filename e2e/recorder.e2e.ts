/** Recording on the real stack: driven in the panel, saved, run again on the same phone; and nothing lost on the way. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { COLOURS } from "./fixtures/pages.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { extensionBuild } from "./harness/builds.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { openAddress, showTab } from "./harness/panel.ts";
import { ADA, installAndSignUp } from "./harness/person.ts";
import { showsColour } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const executable = inject("chromium");
const PASSWORD = "Xk7-canary-unseen";
const NAME = "日本 Ada 🛒";

describe.skipIf(executable === undefined)("recording", () => {
  let site: Site;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let panel: Page;

  keepEvidence(() => ({ server, browser }));
  beforeAll(async () => {
    site = await startSite();
    server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` } });
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    await installAndSignUp(browser, server, ADA);
    panel = await browser.openExtensionPage("sidepanel.html");
    await panel.getByRole("button", { name: "New phone" }).first().click();
    await panel.getByRole("button", { name: "Make and start" }).click();
    await panel.locator(".picture:not(.picture-dimmed)").waitFor();
    await openAddress(panel, `${site.origin}/shop`);
    await showsColour(panel, COLOURS.shop);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await site?.close();
  });

  const strip = () => panel.getByRole("region", { name: "Recording" });
  const button = (name: string): Locator => panel.getByRole("button", { name, exact: true });
  const steps = async (): Promise<string[]> => panel.locator(".recorded-step-words").allInnerTexts();
  /** Where the phone has an element, by its picture; the fixture page is laid out the same each time. */
  const tapPicture = async (x: number, y: number) => {
    const box = await panel.locator(".picture").boundingBox();
    if (box === null) throw new Error("There is no picture.");
    await panel.mouse.click(box.x + x * box.width, box.y + y * box.height);
  };
  const drag = async (from: readonly [number, number], to: readonly [number, number]) => {
    const box = await panel.locator(".picture").boundingBox();
    if (box === null) throw new Error("There is no picture.");
    await panel.mouse.move(box.x + from[0] * box.width, box.y + from[1] * box.height);
    await panel.mouse.down();
    for (let part = 1; part <= 10; part += 1) {
      const at = (axis: 0 | 1) => from[axis] + ((to[axis] - from[axis]) * part) / 10;
      await panel.mouse.move(box.x + at(0) * box.width, box.y + at(1) * box.height);
    }
    await panel.mouse.up();
  };
  const recorded = (words: string | RegExp) => strip().locator(".recording-words").getByText(words).waitFor();

  it("turns what is done on the phone into steps, as it is done", async () => {
    await button("Record").click();
    await strip().getByText("Recording · 0 steps").waitFor();
    await panel.screenshot({ path: "e2e/out/recording-begun.png" });
    await button("Show the steps").click();
    await button("Hide the steps").click();
    await panel.screenshot({ path: "e2e/out/recording-strip.png" });
  });
});
