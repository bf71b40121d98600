/**
 * The whole way with Android: the simulated device (real ADB, H.264 of a real encoder) behind the real server, in the
 * panel of a real Chromium. What a person does with such a phone, from making it to pulling its cable.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { makeApk } from "../server/phones/drivers/adb/simulator/apk.ts";
import { COUNTER_COLOURS } from "../server/phones/drivers/adb/simulator/apps/small.ts";
import { type Simulator, startSimulator } from "../server/phones/drivers/adb/simulator/simulator.ts";
import { there } from "../server/phones/drivers/adb/simulator/testing.ts";
import { admin } from "./harness/api.ts";
import { extensionBuild } from "./harness/builds.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { phoneMenu } from "./harness/panel.ts";
import { ADA, installAndSignUp } from "./harness/person.ts";
import { type Colour, pictureSize, pixel, tap } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const executable = inject("chromium");
const LIVE = ".picture:not(.picture-dimmed)";
/** What the device draws. */
const COLOURS = COUNTER_COLOURS.map((rgb): Colour => [rgb >> 16, (rgb >> 8) & 255, rgb & 255]);
const FAR = 14;
const [WIDTH, HEIGHT] = [480, 960];

describe.skipIf(executable === undefined || !there("ffmpeg"))("an Android phone in the panel", () => {
  let folder: string;
  let device: Simulator;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let panel: Page;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "perch-e2e-android-"));
    const scrcpy = join(folder, "scrcpy-server");
    writeFileSync(scrcpy, "Stands for the file of scrcpy's release: the simulated device runs its own.");
    const sha256 = createHash("sha256").update(readFileSync(scrcpy)).digest("hex");
    device = await startSimulator({ width: WIDTH, height: HEIGHT, density: 240 });
    const env = { ADB_SERVER: "off", SCRCPY_SERVER_PATH: scrcpy, SCRCPY_SERVER_SHA256: sha256 };
    server = await PerchServer.start({ env });
    await admin(server, ["android", "add", "--address", device.address, "--label", "Test device", "--reason", "Tests"]);
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    await installAndSignUp(browser, server, ADA);
    panel = await browser.openExtensionPage("sidepanel.html");
    panel.setDefaultTimeout(20_000);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await device?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const row = (name: string) => panel.getByRole("listitem").filter({ hasText: name });
  const closeDialog = () => panel.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).click();

  /** Waits until the middle of the picture has the counter's colour for `count`. */
  async function showsCount(count: number): Promise<void> {
    await until(`the colour of ${count}`, async () => {
      const seen = await pixel(panel, 0.5, 0.6);
      return seen?.every((value, index) => Math.abs(value - (COLOURS[count]?.[index] ?? 0)) < FAR) === true;
    });
  }

  it("is made of the operator's device and shows its video", async () => {
    await panel.getByRole("button", { name: "New phone" }).first().click();
    await panel.getByRole("radio", { name: "Android" }).check();
    await panel.getByRole("radio", { name: "Test device" }).waitFor();
    await panel.getByRole("button", { name: "Make and start" }).click();
    await panel.locator(LIVE).waitFor();
    const size = await pictureSize(panel);
    expect((size?.width ?? 0) / (size?.height ?? 1)).toBeCloseTo(WIDTH / HEIGHT, 1);
    expect(device.scrcpy.size).toBeGreaterThan(0);
    expect(await panel.getByText("shows pictures instead").count()).toBe(0);
  });

  it("opens an app of the list, and a tap on the picture changes what is seen", async () => {
    await phoneMenu(panel, "Apps…");
    await panel.getByRole("searchbox", { name: "Search apps" }).fill("counter");
    await panel.screenshot({ path: "e2e/out/android-real-apps.png" });
    // Android's own commands tell packages, and no names.
    await panel.getByRole("button", { name: /^Open (Counter|com\.example\.counter)$/ }).click();
    await showsCount(0);
    await tap(panel, 0.5, 0.6);
    await showsCount(1);
    await tap(panel, 0.5, 0.6);
    await showsCount(2);
  });

  it("takes a file and gives it back", async () => {
    const sent = Buffer.alloc(700_000, "every byte of this arrives ");
    await panel.getByRole("button", { name: "More", exact: true }).click();
    await panel.getByRole("menuitem", { name: "Files…" }).click();
    await panel.getByLabel("Files", { exact: true }).setInputFiles([{ name: "notes.txt", mimeType: "", buffer: sent }]);
    await panel.getByText("On the phone · 700 kB").waitFor();
    const downloading = panel.waitForEvent("download");
    await panel.getByRole("button", { name: "Save notes.txt" }).click();
    expect(readFileSync(await (await downloading).path()).equals(sent)).toBe(true);
    await closeDialog();
  });

  it("installs an app from a file and removes it", async () => {
    const apk = Buffer.from(makeApk({ package: "com.example.weather", label: "Weather" }));
    await phoneMenu(panel, "Apps…");
    await panel.getByLabel("APK files").setInputFiles([{ name: "weather.apk", mimeType: "", buffer: apk }]);
    await panel.getByText("Installed", { exact: true }).waitFor();
    const more = panel.getByRole("button", { name: /^More about (Weather|com\.example\.weather)$/ });
    await more.click();
    await panel.getByRole("menuitem", { name: "Remove…" }).click();
    await panel.getByText("This cannot be undone.").waitFor();
    await panel.getByRole("button", { name: "Remove", exact: true }).click();
    await more.waitFor({ state: "detached" });
    expect(await row("com.example.counter").count()).toBe(1);
    await closeDialog();
  });

  it("is out of reach while its cable is pulled, and goes on by itself", async () => {
    await device.unplug();
    await panel.getByText("The server lost sight of this phone").waitFor();
    await panel.locator(".phone-state", { hasText: "out of reach" }).waitFor();
    await device.plugIn();
    await panel.locator(LIVE).waitFor();
    await showsCount(2);
    await tap(panel, 0.5, 0.6);
    await showsCount(3);
  });
});
