/** Recording on the real stack: driven in the panel, saved, run again on the same phone; and nothing lost on the way. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { COLOURS, SHOP_SPOTS } from "./fixtures/pages.ts";
import type { Site } from "./fixtures/site.ts";
import type { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { editorText, openAddress, recorded, saveRecording, setSecret, showTab } from "./harness/panel.ts";
import { showsColour, tap as tapPicture } from "./harness/picture.ts";
import type { PerchServer } from "./harness/server.ts";
import { type Stack, startStack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const executable = inject("chromium");
const PASSWORD = "Xk7-canary-unseen";
const NAME = "日本 Ada 🛒";

describe.skipIf(executable === undefined)("recording", () => {
  let stack: Stack;
  let site: Site;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let panel: Page;

  keepEvidence(() => stack);
  beforeAll(async () => {
    stack = await startStack(executable ?? "");
    ({ site, server, browser, panel } = stack);
    await openAddress(panel, `${site.origin}/shop`);
    // The phone's own home screen has nearly the same colour.
    await until("the shop to be asked for", () => site.requests("/shop") > 0);
    await showsColour(panel, COLOURS.shop);
  });
  afterAll(() => stack?.close());

  const strip = () => panel.getByRole("region", { name: "Recording" });
  const button = (name: string): Locator => panel.getByRole("button", { name, exact: true });
  const steps = async (): Promise<string[]> => panel.locator(".recorded-step-words").allInnerTexts();
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
  const tap = (what: keyof typeof SHOP_SPOTS) => {
    const [x, y] = SHOP_SPOTS[what];
    return tapPicture(panel, x, y);
  };
  const said = (words: string) => recorded(panel, words);
  const source = () => editorText(panel);
  const count = (steps: number) => strip().getByText(`· ${steps} step`).waitFor();

  it("turns what is done on the phone into steps, as it is done", async () => {
    await panel.setViewportSize({ width: 360, height: 800 });
    await button("Record").click();
    await strip().getByText("Recording · 0 steps").waitFor();
    await tap("name");
    await said("Tap “Your name”");
    await panel.keyboard.insertText(NAME);
    await said(`Type “${NAME}” into “Your name”`);
    await tap("enter");
    await said("Tap “Enter”");
    expect(await until("the page to be entered", () => site.last("entered"))).toBe(`${NAME}/0`);
    await drag([0.7, 0.464], [0.1, 0.464]);
    await said("Swipe left from “Chairs”");
    await until("the strip to have moved", () => site.last("swiped"));
    await tap("lamp");
    await said("Tap “Add to basket”");
    await until("the lamp to be in the basket", () => site.last("added"));
    await panel.screenshot({ path: "e2e/out/recording-strip.png" });
  });

  it("asserts what a tap on the picture means, without touching the phone", async () => {
    const entered = site.told("entered").length;
    await button("Assert this: tap what must be visible").click();
    await said("Tap what must be visible. Esc: not now");
    await tap("said");
    await said("Assert that “Reading lamp is in your basket” is visible");
    expect(site.told("entered").length).toBe(entered);
    await button("Show the steps").click();
    await panel.getByRole("button", { name: `Assert “Welcome, ${NAME}”` }).waitFor();
    expect(await steps()).toEqual([
      "Tap “Your name”",
      `Type “${NAME}” into “Your name”`,
      "Tap “Enter”",
      "Swipe left from “Chairs”",
      "Tap “Add to basket”",
      "Assert that “Reading lamp is in your basket” is visible",
    ]);
    await panel.screenshot({ path: "e2e/out/recording-steps.png" });
    await panel.emulateMedia({ colorScheme: "dark" });
    await panel.screenshot({ path: "e2e/out/recording-steps-dark.png" });
    await panel.setViewportSize({ width: 320, height: 640 });
    await panel.screenshot({ path: "e2e/out/recording-steps-320.png" });
    expect(await panel.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await panel.emulateMedia({ colorScheme: "light" });
    await panel.setViewportSize({ width: 360, height: 800 });
    await button("Hide the steps").click();
  });

  it("takes a step out and brings it back, and finds a target in another way", async () => {
    await button("Show the steps").click();
    await button("Remove step 4: Swipe left from “Chairs”").click();
    await count(5);
    await button("Bring back the last removed step").click();
    await count(6);
    const how = panel.getByRole("combobox", { name: "How step 3 finds its target" });
    expect(await how.locator("option").first().textContent()).toBe("Id: enter");
    await how.selectOption({ label: "Text: Enter" });
    await until("the choice to be kept", async () => (await how.inputValue()) === "1");
    await button("Hide the steps").click();
  });

  it("saves it as an automation that runs and passes on the same phone", async () => {
    await button("Stop").click();
    await panel.getByLabel("Name of the automation").fill("Into the basket");
    await panel.screenshot({ path: "e2e/out/recording-save.png" });
    await button("Save").click();
    await panel.getByRole("textbox", { name: "Steps" }).waitFor();
    const text = await source();
    expect(text).toContain("tapOn: Enter");
    expect(text).toContain("below: Reading lamp");
    expect(text).toContain("assertVisible: Reading lamp is in your basket");
    const [entered, added] = [site.told("entered").length, site.told("added").length];
    await panel.getByRole("button", { name: "Run", exact: true }).click();
    await panel.getByText("Passed", { exact: true }).waitFor({ timeout: 60_000 });
    expect(site.told("entered").slice(entered)).toEqual([`${NAME}/0`]);
    expect(site.told("added").slice(added)).toEqual(["Reading lamp"]);
    await panel.screenshot({ path: "e2e/out/recording-passed.png" });
  });

  it("keeps a password nowhere, and loses nothing with the panel or the server", async () => {
    await showTab(panel, "Phone");
    await openAddress(panel, `${site.origin}/shop`);
    await showsColour(panel, COLOURS.shop);
    await button("Record").click();
    await count(0);
    await tap("password");
    await said("Tap “Password”");
    await panel.keyboard.type(PASSWORD);
    await said("Type the secret SECRET_1 into “Password”");
    await tap("enter");
    await said("Tap “Enter”");
    await until("the page to be entered", () => site.last("entered") === `/${PASSWORD.length}`);

    await panel.close();
    panel = await browser.openExtensionPage("sidepanel.html");
    await panel.setViewportSize({ width: 360, height: 800 });
    await strip().getByText("Recording · 3 steps").waitFor();

    await server.kill();
    await server.restart();
    await strip().getByText("Paused · 3 steps").waitFor({ timeout: 30_000 });
    await strip()
      .getByText(/The server was restarted/)
      .waitFor();
    await panel.screenshot({ path: "e2e/out/recording-paused.png" });
    await panel.locator(".picture:not(.picture-dimmed)").waitFor({ timeout: 60_000 });
    await saveRecording(panel, "Sign in");
    const text = await source();
    expect(text).toContain("secrets:");
    expect(text).toContain(`inputText: \${SECRET_1}`);
    for (const place of [text, server.output, await panel.content()]) expect(place).not.toContain("canary");
  });

  it("types the secret into the password field once its value is set, and tells it nowhere", async () => {
    await setSecret(panel, "SECRET_1", PASSWORD);
    await panel.screenshot({ path: "e2e/out/recording-secret.png" });
    const entered = site.told("entered").length;
    await panel.getByRole("button", { name: "Run", exact: true }).click();
    await panel.getByText("Passed", { exact: true }).waitFor({ timeout: 60_000 });
    expect(site.told("entered").slice(entered)).toEqual([`/${PASSWORD.length}`]);
    for (const place of [server.output, await panel.content()]) expect(place).not.toContain("canary");
  });
});
