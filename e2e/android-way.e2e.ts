/**
 * Android in the panel, the whole way on real parts: Debian's `adb`, a simulated device behind it, the real server, the
 * real extension in Chromium. The same panel, flows, recorder and rules as for a web phone.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { makeApk } from "../server/phones/drivers/adb/simulator/apk.ts";
import { COUNTER_COLOURS } from "../server/phones/drivers/adb/simulator/apps/small.ts";
import { type Simulator, startSimulator } from "../server/phones/drivers/adb/simulator/simulator.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { type AdbServer, hasAndroidTools, startAdbServer } from "./harness/adb-server.ts";
import { admin } from "./harness/api.ts";
import { extensionBuild } from "./harness/builds.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { editorText, phoneMenu, recorded, saveRecording, showTab, toTheList } from "./harness/panel.ts";
import { ADA, installAndSignUp } from "./harness/person.ts";
import { type Colour, pictureSize, showsColour, tap } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { until, untilEqual } from "./harness/until.ts";

const executable = inject("chromium");
const NOTES = "com.example.notes";
const colour = (value: number): Colour => [(value >> 16) & 255, (value >> 8) & 255, value & 255];
const counted = (count: number): Colour => colour(COUNTER_COLOURS[count % COUNTER_COLOURS.length] ?? 0);

describe.skipIf(executable === undefined || !hasAndroidTools)("an Android in the panel", () => {
  let folder: string;
  let site: Site;
  let adb: AdbServer;
  let device: Simulator;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let panel: Page;

  keepEvidence(() => ({ server, browser }));
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "perch-scrcpy-"));
    const scrcpy = join(folder, "scrcpy-server");
    writeFileSync(scrcpy, "stands for the real file: the simulator only looks that it is there");
    site = await startSite();
    adb = await startAdbServer();
    device = await startSimulator();
    await adb.adb("connect", device.address);
    server = await PerchServer.start({
      env: {
        ADB_SERVER: `127.0.0.1:${adb.port}`,
        ANDROID_DEVICES: "discovered",
        SCRCPY_SERVER_PATH: scrcpy,
        SCRCPY_SERVER_SHA256: createHash("sha256")
          .update("stands for the real file: the simulator only looks that it is there")
          .digest("hex"),
      },
    });
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    await installAndSignUp(browser, server, ADA);
    panel = await browser.openExtensionPage("sidepanel.html");
    await panel.setViewportSize({ width: 360, height: 800 });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await device?.close();
    await adb?.kill();
    await site?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const button = (name: string) => panel.getByRole("button", { name, exact: true });
  const inputShown = async () => (await adb.adb("shell", "dumpsys", "input_method")).includes("mInputShown=true");
  const openApp = async (label: string) => {
    await phoneMenu(panel, "Apps…");
    await panel.getByRole("button", { name: `Open ${label}` }).click();
    await panel.getByRole("dialog").waitFor({ state: "detached" });
  };

  afterEach(async () => {
    const sideways = () => Math.max(0, ...[...document.querySelectorAll("*")].map(({ scrollLeft }) => scrollLeft));
    expect(await panel.evaluate(sideways)).toBe(0);
  });

  it("is offered beside web phones, and starts", async () => {
    await button("New phone").first().click();
    await panel
      .getByRole("radio", { name: /Android/ })
      .first()
      .check({ force: true });
    await panel.screenshot({ path: "e2e/out/android-new-phone.png" });
    await button("Make and start").click();
    await panel.locator(".picture:not(.picture-dimmed)").waitFor();
    await until("the device's own size", async () => {
      const size = await pictureSize(panel);
      return size !== undefined && size.height / size.width > 1.7 && size.height / size.width < 1.85;
    });
    await panel.screenshot({ path: "e2e/out/android-home.png" });
  });

  it("shows its video, and a tap changes it", async () => {
    await openApp("Counter");
    await showsColour(panel, counted(0));
    await tap(panel, 0.5, 0.5);
    await showsColour(panel, counted(1));
    await panel.screenshot({ path: "e2e/out/android-counter.png" });
    expect(device.apps.counter.count).toBe(1);
  });

  it("takes text of any script", async () => {
    await openApp("Form");
    await until("the form", async () =>
      (await adb.adb("shell", "dumpsys", "activity", "top")).includes("FormActivity"),
    );
    const tree = await adb.adb("exec-out", "uiautomator", "dump", "/dev/tty");
    const [, left = 0, top = 0, right = 0, bottom = 0] =
      /resource-id="com.example.form:id\/name"[^>]*bounds="\[(\d+),(\d+)\]\[(\d+),(\d+)\]"/.exec(tree)?.map(Number) ??
      [];
    await tap(panel, (left + right) / 2 / 720, (top + bottom) / 2 / 1280);
    await until("the field to have the focus", async () => inputShown());
    await panel.locator(".picture").focus();
    await panel.keyboard.insertText("日本 🛒 Grüße");
    await untilEqual("the text on the device", () => device.apps.form.values.name, "日本 🛒 Grüße");
  });

  it("runs a flow written for Android", async () => {
    await showTab(panel, "Automations");
    await panel.getByRole("button", { name: "New automation" }).click();
    await panel.getByLabel("Name").fill("Sign up");
    await panel
      .getByRole("textbox", { name: "Steps" })
      .fill(
        "appId: com.example.form\n---\n- launchApp:\n    clearState: true\n- tapOn: Your name\n- inputText: Ada Lovelace\n- hideKeyboard\n- tapOn: I agree\n- scrollUntilVisible:\n    element: Submit\n- tapOn: Submit\n- assertVisible: Hello Ada Lovelace\n",
      );
    await panel.getByText("8 steps, no mistakes").waitFor();
    await button("Save and run").click();
    await panel.getByText("Passed", { exact: true }).waitFor({ timeout: 60_000 });
    expect(device.apps.form.values).toMatchObject({ name: "Ada Lovelace", agreed: true, said: "Hello Ada Lovelace" });
    // The form has a password field, so no pictures of it are kept.
    expect(await panel.locator(".step-thumbnail img").count()).toBe(0);
    await panel.screenshot({ path: "e2e/out/android-flow.png" });
  });

  it("records what is done, and does it again", async () => {
    await showTab(panel, "Phone");
    await openApp("Counter");
    await showsColour(panel, counted(device.apps.counter.count));
    await button("Record").click();
    await panel.getByText("Recording · 0 steps").waitFor();
    const before = device.apps.counter.count;
    await tap(panel, 0.5, 0.5);
    await recorded(panel, "Tap “Count up”");
    await panel.screenshot({ path: "e2e/out/android-recording.png" });
    await saveRecording(panel, "Count");
    expect(await editorText(panel)).toContain("appId: com.example.counter");
    await button("Run").click();
    await panel.getByText("Passed", { exact: true }).waitFor({ timeout: 60_000 });
    expect(device.apps.counter.count).toBe(before + 2);
    await panel.locator(".step-thumbnail img").first().waitFor();
    await panel.screenshot({ path: "e2e/out/android-replayed.png" });
    await showTab(panel, "Phone");
  });

  it("gets an app from a file, which a page that names it opens", async () => {
    const apk = join(folder, "notes.apk");
    writeFileSync(apk, makeApk({ package: NOTES, versionCode: 3 }));
    await phoneMenu(panel, "Apps…");
    await panel.getByLabel("APK files").setInputFiles(apk);
    await panel.getByRole("button", { name: "Open Notes" }).waitFor();
    await panel.screenshot({ path: "e2e/out/android-apps.png" });
    await panel.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    expect(await adb.adb("shell", "pm", "list", "packages", "-3")).toContain(NOTES);

    await showTab(panel, "Automations");
    await button("Back").click();
    await toTheList(panel);
    await panel.getByRole("button", { name: /^Rules/ }).click();
    await panel.getByRole("button", { name: /^Open this app on a phone/ }).click();
    await button("Save").click();
    await panel.getByText("is saved.").waitFor();
    const tab = await browser.openTab(`${site.origin}/app-page`);
    const popup = await browser.openPopup(tab);
    await popup.getByText("1 automation fits this page").waitFor();
    await popup.getByRole("button", { name: /^Run/ }).click();
    await popup.getByText(NOTES).waitFor();
    await popup.screenshot({ path: "e2e/out/android-app-rule.png" });
    await popup.getByRole("button", { name: "Run", exact: true }).click();
    await popup.getByText(/^Running on /).waitFor();
    await until("the app in front", async () => (await adb.adb("shell", "dumpsys", "activity", "top")).includes(NOTES));
    await popup.close();
    await tab.close();
  });

  it("says when the device is gone, counts nothing meanwhile, and goes on when it is back", async () => {
    await showTab(panel, "Phone");
    await openApp("Counter");
    await showsColour(panel, counted(device.apps.counter.count));
    const before = device.apps.counter.count;
    await device.unplug();
    await panel.getByText(/lost sight of this phone/).waitFor();
    await tap(panel, 0.5, 0.5);
    await panel.screenshot({ path: "e2e/out/android-unreachable.png" });
    await device.plugIn();
    await adb.adb("connect", device.address);
    await panel.getByText(/lost sight of this phone/).waitFor({ state: "detached", timeout: 60_000 });
    expect(device.apps.counter.count).toBe(before);
    // One tap: of more, some would still be on their way when their number is read.
    await tap(panel, 0.5, 0.5);
    await showsColour(panel, counted(before + 1));
    expect(device.apps.counter.count).toBe(before + 1);
  });

  it("comes back when the adb server was killed", async () => {
    await adb.kill();
    await panel.getByText(/lost sight of this phone/).waitFor();
    await adb.start();
    await adb.adb("connect", device.address);
    await panel.getByText(/lost sight of this phone/).waitFor({ state: "detached", timeout: 60_000 });
    await showsColour(panel, counted(device.apps.counter.count));
  });

  it("parks, and comes back as it was", async () => {
    await phoneMenu(panel, "Park");
    await panel
      .getByText(/Parked/)
      .first()
      .waitFor();
    await panel.screenshot({ path: "e2e/out/android-parked.png" });
    await button("Start").click();
    await showsColour(panel, counted(device.apps.counter.count), { timeout: 60_000 });
  });

  it("leaves nothing on the device when it is removed", async () => {
    await phoneMenu(panel, "Remove…");
    await panel.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await panel
      .getByText(/removed/i)
      .first()
      .waitFor();
    expect(await adb.adb("shell", "pm", "list", "packages", "-3")).not.toContain(NOTES);
    expect(await adb.adb("shell", "ls", "/sdcard/Download")).toBe("");
    await admin(server, ["audit", "verify"]);
  });
});
