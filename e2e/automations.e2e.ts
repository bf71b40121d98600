/** Automations on the real stack: written in the panel, run on a real web phone, watched to the end. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Site } from "./fixtures/site.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { editorText, setSecret, showTab, toTheList } from "./harness/panel.ts";
import { type Stack, startStack } from "./harness/stack.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("automations in the panel", () => {
  let stack: Stack;
  let site: Site;
  let panel: Page;

  keepEvidence(() => stack);
  beforeAll(async () => {
    stack = await startStack(executable ?? "");
    ({ site, panel } = stack);
    await showTab(panel, "Automations");
  });
  afterAll(() => stack?.close());

  const text = () => panel.getByRole("textbox", { name: "Steps" });
  const write = (steps: string) => text().fill(`url: ${site.origin}/form\n---\n${steps}`);

  it("types into a page on the phone, step by step, and keeps a picture", async () => {
    await panel.getByRole("button", { name: "New automation" }).click();
    await panel.getByLabel("Name").fill("Say hello");
    await write(
      "- launchApp\n- startRecording: all of it\n- tapOn: Your words\n- inputText: héllo\n- assertVisible: héllo\n- takeScreenshot: said\n- stopRecording\n",
    );
    await panel.getByText("7 steps, no mistakes").waitFor();
    await panel.getByRole("button", { name: "Save and run" }).dblclick();
    await panel.getByText("Passed", { exact: true }).waitFor({ timeout: 60_000 });
    expect(site.last("typed")).toBe("héllo");
    await panel.locator(".run-picture img").waitFor();
    expect(await panel.getByRole("list", { name: "Steps" }).getByRole("listitem").count()).toBe(7);
    await panel.getByRole("list", { name: "Steps" }).scrollIntoViewIfNeeded();
    await panel.locator(".step-thumbnail img").first().waitFor();
    await panel.getByRole("button", { name: /^Play all of it\.webm/ }).click();
    const played = panel.locator("video").evaluate(async (video) => {
      if (!(video instanceof HTMLVideoElement)) throw new Error("There is no video.");
      while (video.readyState < 2) await new Promise((resolve) => video.addEventListener("loadeddata", resolve));
      return { width: video.videoWidth, seconds: video.duration };
    });
    expect((await played).width).toBeGreaterThan(200);
    expect((await played).seconds).toBeGreaterThan(0.2);
    await panel.screenshot({ path: "e2e/out/automations-real-recording.png" });
    await panel.getByRole("button", { name: "More about this run" }).click();
    const downloading = panel.waitForEvent("download");
    await panel.getByRole("menuitem", { name: /Save the report/ }).click();
    expect(readFileSync(await (await downloading).path(), "utf8")).toContain("Say hello");
    await panel.screenshot({ path: "e2e/out/automations-real-passed.png" });
  });

  it("shows where and why it failed", async () => {
    await panel.getByRole("button", { name: "Back", exact: true }).click();
    await write("- launchApp\n- assertVisible: Nothing of the kind\n");
    await panel.getByText("2 steps, no mistakes").waitFor();
    await panel.getByRole("button", { name: "Save and run" }).click();
    await panel.getByText("Failed", { exact: true }).waitFor({ timeout: 60_000 });
    await panel.getByText("When it failed").waitFor();
    await panel.screenshot({ path: "e2e/out/automations-real-failed.png" });
    await panel.getByRole("button", { name: "Go to line 4" }).click();
    await text().waitFor();
  });

  it.each([
    ["Open a page", {}],
    ["Install a web app", {}],
    ["Log in", { "Your e-mail address": "ada@example.com" }],
    ["Collect text from a list", {}],
    ["Fill in a form", { "Your e-mail address": "ada@example.com" }],
    ["Smoke test", {}],
  ])("starts from the template “%s”, and it runs", async (name, values) => {
    await toTheList(panel);
    await panel.getByRole("button", { name: "New", exact: true }).click();
    await panel.getByRole("button", { name: new RegExp(`^${name}`) }).click();
    await expect.poll(() => editorText(panel)).toContain("https://example.com");
    const template = await editorText(panel);
    await text().fill(template.replace(/https:\/\/example\.com\S*/, `${site.origin}/templates`));
    await panel.getByText(/\d steps, no mistakes/).waitFor();
    await panel.getByRole("button", { name: "Save", exact: true }).click();
    await panel.getByRole("button", { name: "Saved" }).waitFor();
    for (const [label, value] of Object.entries(values))
      await panel.getByRole("textbox", { name: label, exact: true }).fill(value);
    if (name === "Log in") await setSecret(panel, "PASSWORD", "hunter2");
    await panel.getByRole("button", { name: "Run", exact: true }).click();
    const ended = panel.getByText(/^(Passed|Passed with warnings|Failed|Took too long|Interrupted)$/);
    await ended.waitFor({ timeout: 60_000 });
    const why = await panel.locator(".notice-title, .step-message").allTextContents();
    expect([await ended.textContent(), ...why]).toEqual(["Passed"]);
    if (name === "Collect text from a list") await panel.getByText("Walnut").first().waitFor();
    if (name === "Install a web app") expect(site.last("installed")).toBe("yes");
  });

  it("says the server's mistake with its place", async () => {
    await panel.getByRole("button", { name: "Back", exact: true }).click();
    await write("- launchApp\n- tapOnn: x\n");
    await panel.getByText("Line 4, column 3").waitFor();
  });
});
