/**
 * Android in the panel, the whole way on real parts: Debian's `adb`, a simulated device behind it, the real server, the
 * real extension in Chromium. The same panel, flows, recorder and rules as for a web phone.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { makeApk } from "../server/phones/drivers/adb/simulator/apk.ts";
import { COUNTER_COLOURS } from "../server/phones/drivers/adb/simulator/apps/small.ts";
import { type Simulator, startSimulator } from "../server/phones/drivers/adb/simulator/simulator.ts";
import { type AdbServer, hasAndroidTools, startAdbServer } from "./harness/adb-server.ts";
import { admin } from "./harness/api.ts";
import { extensionBuild } from "./harness/builds.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { phoneMenu, recorded, saveRecording, showTab } from "./harness/panel.ts";
import { ADA, installAndSignUp } from "./harness/person.ts";
import { type Colour, pictureSize, showsColour, tap } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const executable = inject("chromium");
const colour = (value: number): Colour => [(value >> 16) & 255, (value >> 8) & 255, value & 255];
const counted = (count: number): Colour => colour(COUNTER_COLOURS[count % COUNTER_COLOURS.length] ?? 0);

describe.skipIf(executable === undefined || !hasAndroidTools)("an Android in the panel", () => {
  let folder: string;
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
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const button = (name: string) => panel.getByRole("button", { name, exact: true });
  const openApp = async (label: string) => {
    await phoneMenu(panel, "Apps…");
    await panel.getByRole("button", { name: `Open ${label}` }).click();
    await panel.getByRole("dialog").waitFor({ state: "detached" });
  };

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
    await openApp("com.example.counter");
    await showsColour(panel, counted(0));
    await tap(panel, 0.5, 0.5);
    await showsColour(panel, counted(1));
    await panel.screenshot({ path: "e2e/out/android-counter.png" });
    expect(device.apps.counter.count).toBe(1);
  });

  it("takes text of any script", async () => {
    await openApp("com.example.form");
    await until("the form", () => device.phone.top?.package === "com.example.form");
  });

  it("runs a flow", async () => {
    await showTab(panel, "Automations");
  });

  it("records what is done, and does it again", async () => {
    await showTab(panel, "Phone");
    await openApp("com.example.counter");
    await button("Record").click();
    await panel.getByText("Recording · 0 steps").waitFor();
    await tap(panel, 0.5, 0.5);
    await recorded(panel, "Tap “Count up”");
    await saveRecording(panel, "Count");
  });

  it("gets an app from a file", async () => {
    const apk = join(folder, "notes.apk");
    writeFileSync(apk, makeApk({ package: "com.example.notes", versionCode: 3 }));
  });

  it("says when the device is gone, bills nothing meanwhile, and goes on when it is back", async () => {
    await device.unplug();
    await panel.getByText(/lost sight of/).waitFor();
    await panel.screenshot({ path: "e2e/out/android-unreachable.png" });
    await device.plugIn();
    await adb.adb("connect", device.address);
    await panel.getByText(/lost sight of/).waitFor({ state: "detached", timeout: 60_000 });
    await tap(panel, 0.5, 0.5);
  });

  it("comes back when the adb server was killed", async () => {
    await adb.kill();
    await adb.start();
    await adb.adb("connect", device.address);
  });

  it("leaves nothing on the device when it is removed", async () => {
    await admin(server, ["audit", "verify"]);
  });
});
