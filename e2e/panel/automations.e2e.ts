/** The Automations screen in a real Chromium against the stub server: list, write, run, watch. */
import { globSync, readFileSync, renameSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { FailureDetail, StepHealing } from "../../shared/automations.ts";
import type { UiElement, UiTree } from "../../shared/ui-tree.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { editorText } from "../harness/panel.ts";
import { until } from "../harness/until.ts";
import { checkLooks, problems } from "./looks.ts";
import { clearSession, openPanelPage, PANEL_SIZE, SIGNED_IN, storeSignIn } from "./panel-page.ts";
import { type PhonePictures, phonePictures } from "./phone-pictures.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
const GOOD = "url: https://shop.example\n---\n- launchApp\n- tapOn: Add to basket\n";
const BAD = "url: https://shop.example\n---\n- launchApp\n- tapOnn: Add to basket\n";
const STEPS =
  "url: https://shop.example\n---\n- launchApp\n- repeat:\n    times: 2\n    commands:\n      - scroll\n# Home.\n- back\n";
const ASKS =
  "url: https://shop.example\ninputs:\n  - name: EMAIL\n    description: Your e-mail address\n---\n- inputText: $" +
  "{EMAIL}\n";

const HEALING: StepHealing = {
  applied: false,
  fallback: 0,
  selector: 'id "buy-now"',
  similarity: 0.934,
  line: 4,
  column: 10,
  diff: [
    "--- flow.yaml",
    "+++ flow.yaml",
    "@@ -2,3 +2,4 @@",
    " ---",
    " - launchApp",
    "-- tapOn: Add to basket",
    "+- tapOn:",
    "+    id: buy-now",
    "",
  ].join("\n"),
};
const ON_SCREEN = {
  ...{ hint: "", accessibilityText: "", enabled: true, selected: false, checked: false, focused: false },
  ...{ clickable: true, password: false, children: [] },
};
const CART: UiElement = {
  ...ON_SCREEN,
  ref: "7",
  role: "button",
  text: "Add to cart",
  id: "buy-now",
  bounds: { x: 0.06, y: 0.62, width: 0.88, height: 0.07 },
};
const BASKET: UiElement = {
  ...ON_SCREEN,
  ref: "3",
  role: "link",
  text: "Basket (0)",
  id: "",
  bounds: { x: 0.7, y: 0.03, width: 0.25, height: 0.05 },
};
const CHAIR: UiElement = {
  ...ON_SCREEN,
  ref: "5",
  role: "heading",
  text: "Blue chair",
  id: "",
  bounds: { x: 0.06, y: 0.4, width: 0.88, height: 0.05 },
};
/** What the server keeps of a failure. */
const FAILURE_FILES: Readonly<Record<string, FailureDetail | UiTree>> = {
  "failure.json": {
    code: "element_not_found",
    message: "",
    lookedFor: {
      written: '"$' + '{BUTTON}" below "Blue chair"',
      resolved: '"Add to basket" below "Blue chair"',
      wanted: "visible",
    },
    screen: { width: 360, height: 800 },
    candidates: [
      { ...CART, why: "The text differs." },
      { ...BASKET, why: "The text differs." },
    ],
  },
  "failure-tree.json": {
    root: {
      ...ON_SCREEN,
      ref: "0",
      role: "screen",
      text: "",
      id: "",
      bounds: { x: 0, y: 0, width: 1, height: 1 },
      children: [BASKET, { ...CHAIR, ref: "4", role: "main", text: "", children: [CHAIR, CART] }],
    },
    width: 360,
    height: 800,
  },
};

describe.skipIf(executable === undefined)("the automations screen", () => {
  let browser: ExtensionBrowser;
  let pictures: PhonePictures;
  let server: StubServer;
  let page: Page;

  beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    pictures = await phonePictures(browser.context);
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    server = await startStubServer();
    server.screens.frames = pictures.frames;
    server.state.png = pictures.png;
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
    page = await openPanelPage(browser.context);
    await forget(page);
  });
  afterEach(async () => {
    await page.close();
    await server.stop();
  });

  const automations = () => server.state.automations;
  const editor = () => page.getByRole("textbox", { name: "Steps" });
  const showAutomations = () => page.getByRole("tab", { name: "Automations" }).click();

  /** The line the cursor is in; undefined when it is not in the text. */
  const cursorLine = () =>
    editor().evaluate((field) => {
      const line = field.querySelector(".cm-activeLine");
      if (line === null || field !== document.activeElement) return undefined;
      return [...field.querySelectorAll(".cm-line")].indexOf(line) + 1;
    });
  const text = () => editorText(page);

  const check = (name: string) => checkLooks(page, `automations-${name}`);

  it("is loaded when it is shown, and says so when it cannot be", async () => {
    const chunks = globSync(`${extensionBuild("chrome")}/chunks/automations-screen-*.js`);
    expect(chunks).toHaveLength(1);
    const away = (path: string) => `${path}.away`;
    for (const path of chunks) renameSync(path, away(path));
    try {
      await showAutomations();
      await page.getByRole("alert").getByText("Automations could not be loaded.").waitFor();
      expect(await problems(page)).toEqual([]);
    } finally {
      for (const path of chunks) renameSync(away(path), path);
    }
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Let the phone do it" }).waitFor();
    await page.getByRole("tab", { name: "Account" }).click();
    await showAutomations();
    const tab = page.getByRole("tab", { name: "Automations" });
    expect(await tab.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it("says what automations are and starts one from a template", async () => {
    server.team.add();
    await showAutomations();
    await page.getByRole("heading", { name: "Let the phone do it" }).waitFor();
    await check("first-use");
    await page.getByRole("button", { name: /Fill in a form/ }).click();
    await expect.poll(text).toContain("inputs:");
    await page.getByText("7 steps, no mistakes").waitFor();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("button", { name: "Saved" }).waitFor();
    expect(automations().list()).toMatchObject([{ name: "Fill in a form", runnable: true, commands: 7 }]);
    await check("form");
  });

  it("keeps a draft over a reload and saves it by the keyboard", async () => {
    await showAutomations();
    await page.getByRole("button", { name: "New automation" }).click();
    await page.getByLabel("Name").fill("Daily check");
    await editor().fill("url: https://shop.example\n---\n- launchApp");
    await editor().press("Control+End");
    await editor().press("Enter");
    await page.keyboard.insertText("- tapOn:");
    await editor().press("Enter");
    await editor().press("Tab");
    await page.keyboard.insertText("text: Buy");
    const written = await text();
    expect(written).toBe("url: https://shop.example\n---\n- launchApp\n- tapOn:\n      text: Buy");
    await until("the draft to be kept", async () => JSON.stringify(await kept(page)).includes("text: Buy"));
    await page.reload();
    await showAutomations();
    await expect.poll(text).toBe(written);
    expect(await page.getByLabel("Name").inputValue()).toBe("Daily check");
    expect(automations().list()).toEqual([]);
    await editor().press("Control+s");
    await page.getByRole("button", { name: "Saved" }).waitFor();
    expect([...automations().flows.values()]).toMatchObject([{ name: "Daily check", source: written }]);
    await page.getByRole("button", { name: "All automations" }).click();
    await page.getByRole("button", { name: /^Daily check/ }).waitFor();
    expect(await page.getByText("Not saved").count()).toBe(0);
  });

  it("completes commands, fields, names and what the phone shows, by the keyboard", async () => {
    server.team.running(server.team.add({ name: "Work phone" }).id);
    server.state.onScreen = [{ words: "Add to basket", bounds: { x: 0.1, y: 0.5, width: 0.8, height: 0.1 } }];
    await showAutomations();
    await page.getByRole("button", { name: "New automation" }).click();
    await editor().fill("url: https://shop.example\ninputs:\n  - EMAIL\n---\n- launchApp");
    await editor().press("Control+End");
    await editor().press("Enter");
    await page.keyboard.type("- tapO");
    const options = page.getByRole("listbox", { name: "Completions" }).getByRole("option");
    /** The editor takes no key for a list that came up or changed within the last 75 ms. */
    const listRests = async () => {
      let before: readonly string[] = [];
      await expect
        .poll(
          async () => {
            const now = await options.allInnerTexts();
            const rests = now.join() === before.join();
            before = now;
            return rests && now.length > 0;
          },
          { interval: 100 },
        )
        .toBe(true);
    };
    await options.filter({ hasText: /^tapOn$/ }).waitFor();
    await page.getByText("Taps an element; waits until it is there").waitFor();
    await page.screenshot({ path: "e2e/out/automations-completion.png" });
    await listRests();
    await page.keyboard.press("Enter");
    await expect.poll(text).toContain("\n- tapOn: ");
    await options.filter({ hasText: "Add to basket" }).waitFor();
    await listRests();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.keyboard.type(`- inputText: \${EM`);
    await options.filter({ hasText: /^EMAIL$/ }).waitFor();
    await listRests();
    await page.keyboard.press("Enter");
    await expect
      .poll(async () => (await text()).split("\n").slice(5))
      .toEqual(["- tapOn: Add to basket", `- inputText: \${EMAIL}`]);
    await page.keyboard.press("Control+z");
    await expect.poll(async () => (await text()).split("\n").at(-1)).not.toBe(`- inputText: \${EMAIL}`);
  });

  it("counts what a step means on the phone, and outlines it on the live picture", async () => {
    server.team.running(server.team.add({ name: "Work phone" }).id);
    const bounds = { x: 0.1, y: 0.3, width: 0.8, height: 0.1 };
    server.state.onScreen = [
      { words: "Add to basket", bounds },
      { words: "Add to basket", bounds: { ...bounds, y: 0.6 } },
    ];
    automations().save({ name: "Buy the chair", source: GOOD });
    await showAutomations();
    await page.getByRole("button", { name: /^Buy the chair/ }).click();
    await editor().press("Control+End");
    await editor().press("ArrowUp");
    await page.getByText("2 fit; the first is taken: “Add to basket”.").waitFor();
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await expect.poll(() => page.locator(".peek-match").count()).toBe(2);
    await page.getByRole("img", { name: "Live picture of Work phone" }).waitFor();
    await check("matches");
    await editor().press("End");
    await page.keyboard.type(" now");
    await page.getByText("Nothing on Work phone fits now.").waitFor();
    expect(await page.locator(".peek-match").count()).toBe(0);
  });

  it("lists the steps in words: to the line and back, moved and undone, run from there and marked", async () => {
    server.team.running(server.team.add({ name: "Work phone" }).id);
    const flow = automations().save({ name: "Buy the chair", source: STEPS });
    await showAutomations();
    await page.getByRole("button", { name: /^Buy the chair/ }).click();
    await page.getByText("4 steps, no mistakes").waitFor();
    await page.getByRole("button", { name: "Steps in words" }).click();
    const rows = page.getByRole("list", { name: "Step list" }).getByRole("listitem");
    await expect.poll(() => rows.count()).toBe(4);
    await check("steps");
    await rows.nth(2).getByRole("button", { name: "Scroll down", exact: true }).click();
    await expect.poll(cursorLine).toBe(7);
    await page.getByRole("button", { name: "Steps in words" }).click();
    expect(await rows.nth(2).getAttribute("aria-current")).toBe("step");
    await rows
      .nth(3)
      .getByRole("button", { name: /^More about/ })
      .click();
    await page.getByRole("menuitem", { name: "Move up" }).click();
    await page.getByRole("button", { name: "Text", exact: true }).click();
    await expect.poll(text).toContain("# Home.\n- back\n- repeat:");
    await editor().focus();
    await page.keyboard.press("Control+z");
    await expect.poll(text).toBe(STEPS);
    await page.getByRole("button", { name: "Steps in words" }).click();
    await rows
      .nth(1)
      .getByRole("button", { name: /^More about/ })
      .click();
    await page.getByRole("menuitem", { name: "Run from here" }).click();
    await page.getByText("Waiting", { exact: true }).waitFor();
    const run = automations().newest;
    expect(run.detail).toMatchObject({ flowId: flow.id, part: { from: 1, to: 2 } });
    run.to("running");
    run.step({ seq: 1, path: "1", label: "repeat", state: "passed" });
    run.step({ seq: 2, path: "1.commands.0", label: "scroll", state: "passed" });
    run.step({ seq: 3, path: "2", label: "back", state: "failed", message: "It did not go back." });
    await page.getByText("It did not go back.").waitFor();
    await check("steps-ran");
    await page.setViewportSize({ width: 1100, height: 760 });
    await page.screenshot({ path: "e2e/out/automations-wide-light.png" });
    expect(await problems(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: "e2e/out/automations-wide-dark.png" });
    await page.setViewportSize(PANEL_SIZE);
    await page.getByRole("button", { name: "Open the run" }).click();
    await page.getByRole("button", { name: "Back" }).click();
    await editor().waitFor();
  });

  it("keeps a draft when someone else saved meanwhile, shows both, and replaces nothing unseen", async () => {
    const flow = automations().save({ name: "Buy the chair", source: GOOD });
    await showAutomations();
    await page.getByRole("button", { name: /^Buy the chair/ }).click();
    await editor().fill(`${GOOD}- back\n`);
    automations().save({
      flowId: flow.id,
      name: "Buy the chair",
      source: `${GOOD}- scroll\n`,
      at: "2100-01-01T00:00:00.000Z",
    });
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Someone saved this automation after you began.", { exact: true }).waitFor();
    expect(automations().flows.get(flow.id)?.source).toBe(`${GOOD}- scroll\n`);
    await page.getByRole("button", { name: "Compare the two" }).click();
    await page.getByRole("region", { name: "Theirs, saved" }).getByText("- scroll").waitFor();
    await check("two-versions");
    await page.getByRole("button", { name: "Keep mine" }).click();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("button", { name: "Saved" }).waitFor();
    expect(automations().flows.get(flow.id)?.source).toBe(`${GOOD}- back\n`);
  });

  it("forgets drafts with the account that signs out, after saying so", async () => {
    await showAutomations();
    await page.getByRole("button", { name: "New automation" }).click();
    await editor().fill(GOOD);
    await until("the draft to be kept", async () => JSON.stringify(await kept(page)).includes("Add to basket"));
    await page.getByRole("tab", { name: "Account" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("did not save in one automation will be gone").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await until("the draft to be gone", async () => !JSON.stringify(await kept(page)).includes("Add to basket"));
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
  });

  it("lets the keyboard out of the text by Escape, then Tab", async () => {
    await showAutomations();
    await page.getByRole("button", { name: "New automation" }).click();
    await editor().focus();
    await page.keyboard.press("Tab");
    expect(await editor().evaluate((field) => field === document.activeElement)).toBe(true);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    expect(await editor().evaluate((field) => field === document.activeElement)).toBe(false);
  });

  it("says what is wrong while it is typed, and leads to the place", async () => {
    server.team.add();
    await showAutomations();
    await page.getByRole("button", { name: "New automation" }).click();
    await editor().fill(BAD);
    await page.getByRole("button", { name: /1 mistake/ }).waitFor();
    const problem = page.getByRole("list", { name: "Problems" }).getByRole("button");
    await expect.poll(() => problem.textContent()).toContain("tapOn");
    await check("mistake");
    await problem.click();
    await expect.poll(cursorLine).toBe(4);
    expect(await page.getByRole("button", { name: "Save and run" }).isDisabled()).toBe(true);
    await editor().fill(GOOD);
    await page.getByText("2 steps, no mistakes").waitFor();
    expect(await page.getByRole("button", { name: "Save and run" }).isEnabled()).toBe(true);
  });

  it("makes one run of a double click, and watches it to its end", async () => {
    const phone = server.team.add({ name: "Work phone" });
    automations().save({ name: "Buy the chair", source: GOOD });
    await showAutomations();
    await page.getByRole("button", { name: /^Buy the chair/ }).click();
    await page.getByText("2 steps, no mistakes").waitFor();
    await page.getByRole("button", { name: "Run", exact: true }).dblclick();
    await page.getByText("Waiting", { exact: true }).waitFor();
    expect(automations().runs.size).toBe(1);
    const run = automations().newest;
    expect(run.detail.phoneId).toBe(phone.id);
    run.to("leased");
    run.to("running");
    run.step({ seq: 1, label: "Launch the app", state: "passed", durationMs: 840 });
    run.step({ seq: 2, label: "Tap on Add to basket" });
    run.log("basket: 1", 2);
    await page.getByText("basket: 1").waitFor();
    await page.getByText("Running", { exact: true }).waitFor();
    await check("running");
    run.step({ seq: 2, label: "Tap on Add to basket", state: "passed", durationMs: 61 });
    run.artifact({ name: "basket.png", step: 2 });
    run.to("passed");
    await page.getByText("Passed", { exact: true }).waitFor();
    await until("the picture", () =>
      page
        .locator(".run-picture img")
        .count()
        .then((count) => count === 1),
    );
    await check("passed");
    await page.getByRole("button", { name: "basket" }).click();
    await page.getByRole("button", { name: "Save PNG" }).waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "More about this run" }).click();
    const downloading = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: /Save the report/ }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/^Buy the chair \d{4}-\d\d-\d\d .*report\.html$/);
    expect(readFileSync(await download.path(), "utf8")).toBe("<h1>Report</h1>");
    await page.getByRole("button", { name: "Run again" }).dblclick();
    await page.getByText("Waiting", { exact: true }).waitFor();
    expect(automations().runs.size).toBe(2);
  });

  it("misses nothing while the panel was closed or the server away", async () => {
    server.team.add();
    automations().save({ name: "Buy the chair", source: GOOD });
    await showAutomations();
    await page.getByRole("button", { name: /^Run Buy the chair/ }).click();
    await page.getByText("Waiting", { exact: true }).waitFor();
    const run = automations().newest;
    run.to("running");
    run.step({ seq: 1, label: "First step", state: "passed", durationMs: 10 });
    await page.getByText("First step").waitFor();
    await page.close();
    run.log("said while closed", 1);
    run.step({ seq: 2, label: "Second step", state: "passed", durationMs: 10 });
    page = await openPanelPage(browser.context);
    await showAutomations();
    await page.getByText("said while closed").waitFor();
    await page.getByText("Second step").waitFor();
    const port = Number(new URL(server.origin).port);
    await server.stop();
    run.step({ seq: 3, label: "Third step", state: "passed", durationMs: 10 });
    run.to("passed");
    server = await startStubServer(port, server);
    await page.getByText("Passed", { exact: true }).waitFor({ timeout: 20_000 });
    const steps = page.getByRole("list", { name: "Steps" }).getByRole("listitem");
    expect(await steps.count()).toBe(3);
  });

  it("cancels, and shows a failure with its picture and the way to the text", async () => {
    server.team.add();
    automations().save({ name: "Buy the chair", source: GOOD });
    await showAutomations();
    await page.getByRole("button", { name: /^Run Buy the chair/ }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("Cancelled", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Run again" }).click();
    await page.getByText("Waiting", { exact: true }).waitFor();
    const run = automations().newest;
    const message = "No element with the text “Add to basket” appeared within 17 s.";
    run.to("running");
    run.step({ seq: 1, label: "Launch the app", state: "passed", durationMs: 840 });
    run.step({ seq: 2, label: "Scroll until Add to basket is visible", state: "warned", durationMs: 9_400 });
    run.step({ seq: 3, label: "Tap on Add to basket", state: "failed", durationMs: 17_020, line: 4, message });
    run.artifact({ name: "failure-3.png", kind: "failure_screenshot", step: 3 });
    run.to("failed", { code: "element_not_found", message, step: 3, line: 4 });
    await page.getByText("Failed", { exact: true }).waitFor();
    await page.getByText("When it failed").waitFor();
    await check("failed");
    await page.getByRole("button", { name: "Go to line 4" }).click();
    await page.getByText("2 steps, no mistakes").waitFor();
    await expect.poll(cursorLine).toBe(4);
  });

  it("shows what was looked for, what was there instead and where, and takes the proposal over", async () => {
    server.team.add();
    automations().save({ name: "Buy the chair", source: GOOD });
    for (const [name, value] of Object.entries(FAILURE_FILES)) automations().files.set(name, value);
    await showAutomations();
    await page.getByRole("button", { name: /^Run Buy the chair/ }).click();
    await page.getByText("Waiting", { exact: true }).waitFor();
    const run = automations().newest;
    const message = "“Add to basket” did not appear in 17 seconds.";
    run.to("running");
    run.step({ seq: 1, label: "launchApp", state: "passed", durationMs: 840 });
    run.step({
      seq: 2,
      label: 'tapOn "Size"',
      state: "passed",
      durationMs: 8_600,
      healing: { ...HEALING, applied: true },
    });
    run.step({
      seq: 3,
      label: 'tapOn "Add to basket"',
      state: "failed",
      durationMs: 17_020,
      message,
      healing: HEALING,
    });
    for (const seq of [1, 2, 3]) {
      run.artifact({ name: `step-${seq}.jpg`, kind: "thumbnail", mimeType: "image/jpeg", step: seq });
    }
    run.artifact({ name: "failure.png", kind: "failure_screenshot", step: 3 });
    run.artifact({ name: "failure-tree.json", kind: "failure_tree", mimeType: "application/json", step: 3 });
    run.artifact({ name: "failure.json", kind: "failure", mimeType: "application/json", step: 3 });
    run.to("failed", { code: "element_not_found", message, step: 3, line: 4 });
    await page.getByText("The text differs.").first().waitFor();
    await page.getByRole("list", { name: "Steps" }).scrollIntoViewIfNeeded();
    await until("the pictures", async () => (await page.locator(".step-thumbnail img").count()) === 3);
    await check("why-it-failed");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize({ ...PANEL_SIZE, height: 1900 });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.screenshot({ path: `e2e/out/automations-failure-whole-${colorScheme}.png`, animations: "disabled" });
    }
    await page.setViewportSize(PANEL_SIZE);
    const candidate = page.getByRole("button", { name: /Add to cart/ });
    await candidate.click();
    expect(await page.locator(".failure-outline[data-shown]").count()).toBe(1);
    await page.getByText("Everything on the screen").press("Enter");
    await page.getByRole("searchbox", { name: "Search the screen" }).fill("basket");
    await page.getByText("1 element.").waitFor();
    await page.getByRole("searchbox", { name: "Search the screen" }).fill("");
    await page.getByText("“Blue chair”").waitFor();
    await check("screen-tree");
    await page.getByRole("checkbox", { name: /^Step 2/ }).uncheck();
    await page.getByRole("button", { name: "Take 1 over" }).click();
    await page.getByText("Taken over.").waitFor();
    expect(automations().healed).toEqual([3]);
    await page.getByRole("button", { name: "Screen after “launchApp”" }).click();
    await page.getByRole("dialog", { name: "launchApp" }).waitFor();
    await check("thumbnail-large");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  it("asks how an interrupted run goes on", async () => {
    server.team.add();
    automations().save({ name: "Buy the chair", source: GOOD });
    await showAutomations();
    await page.getByRole("button", { name: /^Run Buy the chair/ }).click();
    await page.getByText("Waiting", { exact: true }).waitFor();
    const run = automations().newest;
    run.to("running");
    run.step({ seq: 1, label: "Tap on Pay" });
    run.to("interrupted", { code: "outcome_unknown", message: "The server stopped during step 1.", step: 1, line: 4 });
    await page.getByText("was “Tap on Pay” done?").waitFor();
    await check("interrupted");
    await page.getByRole("button", { name: "It was done, go on" }).click();
    await page.getByText("Waiting", { exact: true }).waitFor();
    expect(run.events).toContainEqual({ type: "log", message: "resumed after" });
  });

  it("asks for the values an automation needs before it runs", async () => {
    server.team.add();
    automations().save({ name: "Sign up", source: ASKS });
    await showAutomations();
    await page.getByRole("button", { name: /^Run Sign up/ }).click();
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("The automation needs this value.").waitFor();
    await check("values");
    expect(automations().runs.size).toBe(0);
    await page.getByLabel("Your e-mail address").fill("ada@example.com");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("Waiting", { exact: true }).waitFor();
    expect(automations().newest.detail.inputs).toEqual({ EMAIL: "ada@example.com" });
  });

  it("lists automations and runs, and deletes one after saying what will be gone", async () => {
    const phone = server.team.add();
    automations().save({ name: "Broken one", source: BAD });
    automations().save({ name: "Never ran", source: GOOD });
    const flow = automations().save({ name: "Buy the blue chair with the long name in the shop", source: GOOD });
    for (const state of ["passed", "failed", "cancelled", "interrupted", "running"] as const) {
      automations().start({ flowId: flow.id, phoneId: phone.id, idempotencyKey: state });
      const run = automations().newest;
      run.to("running");
      if (state !== "running") run.to(state);
    }
    await showAutomations();
    await page.getByText("Has mistakes, cannot run").waitFor();
    await page.getByText("Cancelled", { exact: false }).first().waitFor();
    await check("list");
    await page.getByRole("button", { name: /^Broken one/ }).click();
    await page.getByRole("button", { name: "More about this automation" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await page.getByText("Its past runs and their pictures stay.").waitFor();
    await check("delete");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("Broken one is deleted.").waitFor();
    expect(
      automations()
        .list()
        .map(({ name }) => name),
    ).not.toContain("Broken one");
  });

  it("offers ways to begin, and templates", async () => {
    automations().save({ name: "Buy the chair", source: GOOD });
    await showAutomations();
    await page.getByRole("button", { name: "New", exact: true }).click();
    await page.getByRole("heading", { name: "New automation" }).waitFor();
    await check("new");
    await page.getByRole("list", { name: "Templates" }).getByRole("button").first().click();
    await editor().waitFor();
  });

  it("lists all runs, older ones on request, and only those asked for", async () => {
    const phone = server.team.add({ name: "Work phone" });
    const flow = automations().save({ name: "Buy the chair", source: GOOD });
    for (let count = 1; count <= 60; count += 1) {
      automations().start({ flowId: flow.id, phoneId: phone.id, idempotencyKey: `run ${count}` });
      automations().newest.to(count === 7 ? "failed" : "passed");
    }
    await showAutomations();
    await page.getByRole("button", { name: "All runs" }).click();
    const rows = page.getByRole("list", { name: "Runs" }).getByRole("listitem");
    await expect.poll(() => rows.count()).toBe(50);
    await check("runs");
    await page.getByRole("button", { name: "Load older runs" }).click();
    await expect.poll(() => rows.count()).toBe(60);
    expect(await page.getByRole("button", { name: "Load older runs" }).count()).toBe(0);
    await page.getByLabel("How they went").selectOption("Failed");
    await expect.poll(() => rows.count()).toBe(1);
    await rows.getByRole("button").click();
    await page.getByText("Failed", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Back" }).click();
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel("How they went").selectOption("Cancelled");
    await page.getByRole("heading", { name: "No such run" }).waitFor();
    await check("runs-none");
    await page.getByRole("button", { name: "Show all runs" }).click();
    await expect.poll(() => rows.count()).toBe(50);
  });

  it("lets a viewer look, not change, and says so", async () => {
    server.state.me = { ...server.state.me, team: { ...server.state.me.team, role: "viewer" } };
    await page.reload();
    await showAutomations();
    await page.getByText("ask the team's owner to write one").waitFor();
    await check("viewer-first-use");
    automations().save({ name: "Buy the chair", source: GOOD });
    await page.reload();
    await showAutomations();
    await page.getByRole("button", { name: /^Buy the chair/ }).click();
    await page.getByText("Your role lets you read automations").waitFor();
    expect(await editor().getAttribute("aria-readonly")).toBe("true");
    expect(await page.getByRole("button", { name: "Run", exact: true }).count()).toBe(0);
    await check("viewer");
  });

  it("shows what it knows and says so when the server is away", async () => {
    automations().save({ name: "Buy the chair", source: GOOD });
    await showAutomations();
    await page.getByRole("button", { name: /^Buy the chair/ }).waitFor();
    await server.stop();
    await page.getByRole("tab", { name: "Privacy" }).click();
    await showAutomations();
    await page.getByRole("tabpanel", { name: "Automations" }).getByText("does not answer").waitFor();
    await page.getByRole("button", { name: /^Buy the chair/ }).waitFor();
    await check("away");
    server = await startStubServer(Number(new URL(server.origin).port), server);
    await page.getByRole("button", { name: /^Buy the chair/ }).waitFor({ timeout: 20_000 });
  });
});

/** Takes back what an earlier test left in the browser: drafts and the place. */
async function forget(page: Page): Promise<void> {
  await clearSession(page);
  await page.evaluate(async () => {
    await new Promise((resolve) => {
      const deleting = indexedDB.deleteDatabase("perch.drafts");
      deleting.onsuccess = resolve;
      deleting.onerror = resolve;
    });
  });
}

async function kept(page: Page): Promise<unknown> {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open("perch.drafts");
        opening.onsuccess = () => {
          const reading = opening.result.transaction("drafts").objectStore("drafts").getAll();
          reading.onsuccess = () => {
            opening.result.close();
            resolve(reading.result);
          };
        };
      }),
  );
}
