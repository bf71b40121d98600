/** Android phones in the panel: making one, its keys, its apps, files on their way to it, and losing sight of it. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { Phone, PhoneApp } from "../../shared/phones.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { phoneMenu } from "../harness/panel.ts";
import { until } from "../harness/until.ts";
import { checkLooks } from "./looks.ts";
import { openPanelPage, SIGNED_IN, storeSignIn } from "./panel-page.ts";
import { type PhonePictures, phonePictures } from "./phone-pictures.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
const LIVE = ".picture:not(.picture-dimmed)";
const KB = 1024;
const APPS: readonly PhoneApp[] = [
  { id: "org.example.shop", label: "Blue Chair", version: "4.2.1", system: false },
  { id: "com.example.notes", label: "Notes", version: "1.0", system: false },
  { id: "com.android.settings", label: "Settings", version: "14", system: true },
  { id: "com.android.chrome", label: "Chrome", version: "131.0.6778.39", system: true },
  { id: "com.android.vending", label: "com.android.vending", system: true },
];

describe.skipIf(executable === undefined)("Android in the panel", () => {
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
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
    page = await openPanelPage(browser.context);
    page.setDefaultTimeout(6_000);
    await page.getByText("No phone yet").waitFor();
  });
  afterEach(async () => {
    await page.close();
    await server.stop();
  });

  async function liveAndroid(): Promise<Phone> {
    const phone = server.team.addAndroid();
    server.team.apps.set(phone.id, APPS);
    await page.locator(LIVE).waitFor();
    return phone;
  }
  async function more(item: string): Promise<void> {
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: item }).click();
  }
  const file = (name: string, bytes: number) => ({ name, mimeType: "", buffer: Buffer.alloc(bytes, "PK\x03\x04rest") });
  const row = (name: string) => page.getByRole("listitem").filter({ hasText: name });
  /** Drops files on a part of the page, as from the computer's own windows. */
  async function drop(selector: string, names: readonly string[]): Promise<void> {
    await page.evaluate(dropFiles, { selector, names, over: false });
  }

  it("is made of what the server has, and of nothing that is taken", async () => {
    server.team.models = [
      { id: "device:pixel-7", driver: "adb", label: "Pixel 7", detail: "USB, Android 14", unavailable: "Ben uses it." },
      { id: "container:android-14", driver: "adb", label: "Android 14", detail: "In a container on build-2" },
      { id: "geelark:android-12", driver: "geelark", label: "Android 12", detail: "At the cloud-phone partner" },
    ];
    await page.getByRole("button", { name: "New phone" }).click();
    await page.getByRole("radio", { name: "Web phone" }).waitFor();
    await page.getByRole("button", { name: "Tall" }).waitFor();
    await page.getByRole("radio", { name: "Web phone" }).press("ArrowRight");
    expect(await page.getByRole("button", { name: "Tall" }).count()).toBe(0);
    expect(await page.getByRole("radio", { name: "Pixel 7" }).isDisabled()).toBe(true);
    expect(await page.getByRole("radio", { name: /^Android 14/ }).isChecked()).toBe(true);
    await page.getByText("Language, time zone").click();
    await checkLooks(page, "android-new");
    await page.getByRole("radio", { name: "Android 12" }).check();
    await page.getByRole("button", { name: "Make and start" }).dblclick();
    await page.locator(LIVE).waitFor();
    expect([...server.team.phones.values()].map(({ model, driver, name }) => ({ model, driver, name }))).toEqual([
      { model: "geelark:android-12", driver: "geelark", name: "Android 12" },
    ]);
  });

  it("says when none can be made now, and looks again", async () => {
    server.team.models = [
      { id: "device:pixel-7", driver: "adb", label: "Pixel 7", unavailable: "It is unplugged. Connect it again." },
    ];
    await page.getByRole("button", { name: "New phone" }).click();
    await page.getByRole("radio", { name: "Android" }).first().check();
    await page.getByText("None can be used now.").waitFor();
    expect(await page.getByRole("button", { name: "Make and start" }).isDisabled()).toBe(true);
    await checkLooks(page, "android-none");
    server.team.models = [{ id: "device:pixel-7", driver: "adb", label: "Pixel 7" }];
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByRole("radio", { name: "Pixel 7" }).waitFor();
    await until("it can be made", () => page.getByRole("button", { name: "Make and start" }).isEnabled());
  });

  it("asks again when the models could not be read, and makes web phones meanwhile", async () => {
    server.state.failNext = { path: "phones.models", code: "internal", message: "Something went wrong." };
    await page.getByRole("button", { name: "New phone" }).click();
    await page.getByText("Whether there are Android phones could not be asked.").waitFor();
    await page.getByRole("button", { name: "Tall" }).waitFor();
    server.team.models = [{ id: "device:pixel-7", driver: "adb", label: "Pixel 7" }];
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("radio", { name: "Web phone" }).waitFor();
  });

  it("has its volume and power keys in the menu, which stays for volume", async () => {
    await liveAndroid();
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Volume up" }).click();
    await page.getByRole("menuitem", { name: "Volume up" }).click();
    await checkLooks(page, "android-menu");
    await page.getByRole("menuitem", { name: "Power key" }).click();
    await until("the keys", () => server.screens.received.filter(({ type }) => type === "key").length === 3);
    expect(server.screens.received.flatMap((one) => (one.type === "key" ? [one.name] : []))).toEqual([
      "VolumeUp",
      "VolumeUp",
      "Power",
    ]);
  });

  it("lists its apps, and opens, stops, clears and removes them", async () => {
    await liveAndroid();
    await phoneMenu(page, "Apps…");
    await row("Blue Chair").waitFor();
    await checkLooks(page, "android-apps");
    await page.getByRole("searchbox", { name: "Search apps" }).fill("andr chrome");
    await row("Chrome").waitFor();
    expect(await page.getByRole("list", { name: "Apps found" }).getByRole("listitem").count()).toBe(1);
    await page.getByRole("searchbox", { name: "Search apps" }).fill("nothing");
    await page.getByText("No app here is called “nothing”.").waitFor();
    await page.getByRole("searchbox", { name: "Search apps" }).fill("");
    await page.getByText("3 apps that came with the phone").click();
    await page.getByRole("button", { name: "More about Chrome" }).click();
    expect(await page.getByRole("menuitem", { name: "Remove…" }).count()).toBe(0);
    await page.getByRole("menuitem", { name: "Clear data…" }).click();
    await page.getByText("This cannot be undone.").waitFor();
    await checkLooks(page, "android-app-clear");
    await page.getByRole("button", { name: "Clear data", exact: true }).click();
    await page.getByText("Everything Chrome kept is gone.").waitFor();
    await page.getByRole("button", { name: "More about Notes" }).click();
    await checkLooks(page, "android-app-menu");
    await page.getByRole("menuitem", { name: "Stop" }).click();
    await page.getByText("Notes is stopped.").waitFor();
    await page.getByRole("button", { name: "More about Notes" }).click();
    await page.getByRole("menuitem", { name: "Remove…" }).click();
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await row("Notes").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Open Blue Chair" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(server.team.appCalls).toEqual([
      "clear com.android.chrome",
      "stop com.example.notes",
      "remove com.example.notes",
      "open org.example.shop",
    ]);
  });

  it("says why apps cannot be listed, and that a resting phone has none to show", async () => {
    const phone = await liveAndroid();
    const message = "The phone did not answer in time. Try again.";
    server.state.failNext = { path: "phones.apps", code: "phone_unavailable", message };
    await phoneMenu(page, "Apps…");
    await page.getByText(message).waitFor();
    await checkLooks(page, "android-apps-failed");
    await page.getByRole("button", { name: "Try again" }).click();
    await row("Blue Chair").waitFor();
    server.team.change(phone.id, { state: "parked" });
    await page.getByText("The phone is not running").waitFor();
  });

  it("installs an app from a file, and says what is no app", async () => {
    await liveAndroid();
    await phoneMenu(page, "Apps…");
    await row("Blue Chair").waitFor();
    server.state.uploads.stays = true;
    const input = page.getByLabel("APK files");
    await input.setInputFiles([
      file("Weather.apk", 700 * KB),
      { name: "letter.apk", mimeType: "", buffer: Buffer.from("Dear Ada") },
    ]);
    await page.getByText("This is not an Android app (.apk).").waitFor();
    await page.getByText("Goes to the phone").waitFor();
    await checkLooks(page, "android-install");
    server.state.uploads.finish();
    await page.getByText("Installed", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Open Weather" }).waitFor();
  });

  it("takes files dropped on the picture, and asks what an APK is meant as", async () => {
    await liveAndroid();
    await page.evaluate(dropFiles, { selector: ".stage", names: ["a.txt"], over: true });
    await page.getByText("Drop to send to Pixel 7").waitFor();
    await checkLooks(page, "android-drop");
    await drop(".stage", ["photo.jpg", "Weather.apk"]);
    await page.getByText("photo.jpg is on the phone.").waitFor();
    await page.getByText("This is an Android app.").waitFor();
    await checkLooks(page, "android-ask-apk");
    await page.getByRole("button", { name: "Install" }).click();
    await page.getByText("Weather.apk is installed.").waitFor();
    await drop(".stage", ["Weather.apk"]);
    await page.getByRole("button", { name: "Keep as file" }).click();
    await page.getByText("Weather.apk is on the phone.").waitFor();
    const sent = [...server.state.uploads.all.values()].map(({ upload }) => [upload.name, upload.purpose]);
    expect(sent).toEqual([
      ["photo.jpg", "file"],
      ["Weather.apk", "app"],
      ["Weather.apk", "file"],
    ]);
  });

  it("sends files in turn, pauses, goes on after a lost connection, and says what failed", async () => {
    await liveAndroid();
    await more("Files…");
    await page.getByText("No files yet").waitFor();
    await checkLooks(page, "android-files-empty");
    let release = () => {};
    server.state.uploads.hold = new Promise((resolve) => {
      release = resolve;
    });
    await page.getByLabel("Files", { exact: true }).setInputFiles([file("film.mkv", 900 * KB), file("notes.txt", 40)]);
    await row("film.mkv").getByText("0 % of 922 kB").waitFor();
    await row("notes.txt").getByText("Waits for its turn · 40 B").waitFor();
    await page.getByRole("button", { name: "Pause notes.txt" }).click();
    await row("notes.txt").getByText("Paused at 0 % of 40 B").waitFor();
    server.state.uploads.away = true;
    release();
    await row("film.mkv").getByText("The connection is lost").waitFor();
    await checkLooks(page, "android-files-sending");
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByText("film.mkv waits for the connection, 1 more").waitFor();
    await checkLooks(page, "android-upload-strip");
    await page.getByRole("button", { name: "Show" }).click();
    server.state.uploads.hold = undefined;
    server.state.uploads.away = false;
    await row("film.mkv").getByText("On the phone · 922 kB").waitFor();
    server.state.uploads.refuses = "The phone's storage is full. Remove files, then send it again.";
    await page.getByRole("button", { name: "Go on with notes.txt" }).click();
    await page.getByText("The phone's storage is full.").waitFor();
    await page.getByRole("button", { name: "Save film.mkv" }).waitFor();
    await checkLooks(page, "android-files-done");
    server.state.uploads.refuses = undefined;
    await page.getByRole("button", { name: "Try notes.txt again" }).click();
    await row("notes.txt").getByText("On the phone · 40 B").waitFor();
    const stored = [...server.state.uploads.all.values()].find(({ upload }) => upload.name === "film.mkv");
    expect(stored?.bytes.equals(file("film.mkv", 900 * KB).buffer)).toBe(true);
  });

  it("goes on with a file of an earlier day once the same is chosen", async () => {
    const phone = await liveAndroid();
    const bytes = file("backup.zip", 600 * KB).buffer;
    const begun = server.state.uploads.open(phone.id, "file", "backup.zip", bytes.length, 0);
    const held = server.state.uploads.all.get(begun.id);
    if (held === undefined) throw new Error("It was not begun.");
    held.bytes = bytes.subarray(0, 200 * KB);
    held.upload = { ...held.upload, received: 200 * KB };
    await more("Files…");
    await page.getByText("33 % of 614 kB arrived. Choose it again to go on.").waitFor();
    const choosing = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Choose backup.zip again" }).click();
    await (await choosing).setFiles([file("other.zip", 5)]);
    await page.getByText("That is another file. Choose backup.zip with 614 kB.").waitFor();
    await checkLooks(page, "android-files-unfinished");
    await page.getByLabel("The same file").setInputFiles([file("backup.zip", 600 * KB)]);
    await row("backup.zip").getByText("On the phone · 614 kB").waitFor();
    expect(held.bytes.equals(bytes)).toBe(true);
    expect(await page.getByText("Not finished").count()).toBe(0);
  });

  it("says what stays on a device that is removed, and nothing of it for one that goes as a whole", async () => {
    const phone = await liveAndroid();
    const stays = page.getByText("This is no factory reset");
    await phoneMenu(page, "Remove…");
    await stays.waitFor();
    await checkLooks(page, "android-remove");
    server.team.change(phone.id, { model: "container:android-14" });
    await stays.waitFor({ state: "detached" });
    await page.getByText("accounts signed in to on it").waitFor();
  });

  it("says calmly that the server lost sight of it, and is live again when it is back", async () => {
    const phone = await liveAndroid();
    server.screens.broadcast({ type: "unreachable", message: "It was unplugged, or its network is gone." });
    await page.getByText("The server lost sight of this phone and keeps trying.").waitFor();
    expect(await page.getByRole("button", { name: "Home" }).isDisabled()).toBe(true);
    const since = new Date(Date.now() - 130_000).toISOString();
    server.team.change(phone.id, { unreachableSince: since, reason: "device_gone" });
    await page.getByText("The server lost sight of this phone 2 min ago and keeps trying.").waitFor();
    await page.locator(".phone-state", { hasText: "out of reach" }).waitFor();
    await checkLooks(page, "android-unreachable");
    server.screens.broadcast({ type: "reachable" });
    const { unreachableSince: _since, reason: _reason, ...back } = server.team.get(phone.id);
    server.team.put(back);
    await page.locator(LIVE).waitFor();
    await page.getByRole("tab", { name: "Activity" }).click();
    await page.getByText("Phones, while this panel was open").first().click();
    await page.getByText("Out of reach. The server keeps trying.").waitFor();
  });
});

/** Run in the page. Letters decide what a file begins with: an APK is a ZIP file. */
function dropFiles({ selector, names, over }: { selector: string; names: readonly string[]; over: boolean }): void {
  const target = document.querySelector(selector);
  const dataTransfer = new DataTransfer();
  for (const name of names) dataTransfer.items.add(new File(["PK\x03\x04 and the rest"], name));
  const tell = (type: string) =>
    target?.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  tell("dragenter");
  tell("dragover");
  if (!over) tell("drop");
}
