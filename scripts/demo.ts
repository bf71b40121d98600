/**
 * `npm run demo`: the main job from installation to sign-out, unattended and headless, with the extension as shipped in
 * a real Chromium and the server on its embedded defaults and a fresh data folder. Prints each step with its time and
 * leaves pictures in `demo-output/`. Exit status 0 only if all of it worked.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { COLOURS } from "../e2e/fixtures/pages.ts";
import { startSite } from "../e2e/fixtures/site.ts";
import { ExtensionBrowser } from "../e2e/harness/chromium.ts";
import { openAddress, phoneMenu, recorded, ruleForPages, saveRecording, showTab } from "../e2e/harness/panel.ts";
import { ADA, agree, chooseServer, clickAndClose, openSignInWindow, signUp } from "../e2e/harness/person.ts";
import { pictureSize, showsColour, tap } from "../e2e/harness/picture.ts";
import { PerchServer } from "../e2e/harness/server.ts";
import { until, untilEqual } from "../e2e/harness/until.ts";
import { badgeOf } from "../e2e/rules/rule-browser.ts";
import { readArchive } from "../server/privacy/export/testing.ts";
import { freePort } from "../shared/testing/free-port.ts";
import { ensureBrowsers } from "./browsers.ts";
import { heroPicture } from "./demo-hero.ts";

const OUTPUT = "demo-output";
const USUAL_PORT = 8787;
const LABEL_WIDTH = 58;
/** Of the phone's screen, in its own pixels. */
const LONG_SIDE = 1_600;

let pictures = 0;

/** Runs one step and prints how long it took; a failure ends the demo with what was on the screen. */
async function step<T>(label: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  try {
    const result = await work();
    console.log(`✓ ${label.padEnd(LABEL_WIDTH)} ${((performance.now() - from) / 1_000).toFixed(2).padStart(6)} s`);
    return result;
  } catch (error) {
    console.log(`✗ ${label.padEnd(LABEL_WIDTH)} ${((performance.now() - from) / 1_000).toFixed(2).padStart(6)} s`);
    throw error;
  }
}

/** Keeps a picture of a page as `NN-name.png`. */
async function picture(page: Page, name: string): Promise<string> {
  pictures += 1;
  const path = `${OUTPUT}/${String(pictures).padStart(2, "0")}-${name}.png`;
  // What a step before this one had to say is read by now.
  const read = page.locator(".toast").getByRole("button", { name: "Close" });
  while ((await read.count()) > 0) await read.first().click();
  // A headless browser sizes neither the popup's nor the sign-in window to what is in it.
  const popup = page.locator(".popup");
  if ((await popup.count()) > 0) await popup.screenshot({ path, animations: "disabled" });
  else await page.screenshot({ path, animations: "disabled", fullPage: !page.url().includes("sidepanel.html") });
  return path;
}

/** The same page in the other colours. */
async function inTheDark(page: Page, work: () => Promise<unknown>): Promise<void> {
  await page.emulateMedia({ colorScheme: "dark" });
  await work();
  await page.emulateMedia({ colorScheme: "light" });
}

async function isFree(port: number): Promise<boolean> {
  return fetch(`http://localhost:${port}/healthz`, { signal: AbortSignal.timeout(1_000) }).then(
    () => false,
    () => true,
  );
}

async function demo(executable: string): Promise<void> {
  const site = await startSite();
  let server: PerchServer | undefined;
  let browser: ExtensionBrowser | undefined;
  const from = performance.now();
  try {
    const port = (await isFree(USUAL_PORT)) ? USUAL_PORT : await freePort();
    const started = await step("Server starts on a fresh data folder", () =>
      PerchServer.start({ port, env: { EGRESS_ALLOW: `127.0.0.1:${site.port}`, BILLING: "sandbox" } }),
    );
    server = started;
    const chromium = await step("Chromium starts with the extension as shipped", () =>
      ExtensionBrowser.launch({ executable, extension: "dist/extension/chrome-mv3", scale: 2 }),
    );
    browser = chromium;

    const welcome = await step("Welcome page opens by itself and finds the server", async () => {
      const page = await chromium.extensionPage("welcome.html");
      const ready = page.getByRole("button", { name: "Sign in or sign up" });
      await agree(page);
      if (port === USUAL_PORT) await ready.waitFor();
      else await chooseServer(page, started.url);
      await picture(page, "welcome");
      return page;
    });
    await step("Sign-up, confirmation by mail, consent", async () => {
      const window = await openSignInWindow(chromium, welcome, started.url);
      await signUp(window, started, ADA, async (at) => {
        if (at === "sign-up") await picture(window, "sign-up");
        if (at === "consent") await picture(window, "connect");
      });
      await welcome.getByRole("button", { name: "Start my first phone" }).waitFor();
      await picture(welcome, "first-phone");
    });

    const tab = await chromium.openTab(`${site.origin}/`);
    const panel = await step("Toolbar → “Open on a new phone” → side panel, live", async () => {
      const popup = await chromium.openPopup(tab);
      const open = popup.getByRole("button", { name: /^Open on / }).first();
      await open.waitFor();
      await clickAndClose(open);
      const opened = await chromium.extensionPage("sidepanel.html");
      await showsColour(opened, COLOURS.home);
      return opened;
    });
    await untilEqual("the page's size on the phone", () => site.last("home"), "360x800");
    const tabPicture = await tab.screenshot();
    await untilCrisp(panel);
    await picture(panel, "side-panel");
    const panelPicture = await panel.screenshot({ animations: "disabled" });
    await inTheDark(panel, () => picture(panel, "side-panel-dark"));
    await heroPicture(chromium, { tab: tabPicture, panel: panelPicture, path: `${OUTPUT}/00-beside-the-page.png` });

    await step("A page is installed on the phone as an app", async () => {
      await panel.getByRole("button", { name: "More", exact: true }).click();
      await panel.getByRole("menuitem", { name: "Install this tab's page" }).click();
      await panel
        .getByText(/home screen/)
        .first()
        .waitFor();
    });
    await step("Taps: the page on the phone counts to three", async () => {
      await openAddress(panel, `${site.origin}/counter`);
      await showsColour(panel, COLOURS.counter);
      for (const expected of ["1", "2", "3"]) {
        await tap(panel, 0.5, 0.5);
        await untilEqual("a tap", () => site.last("count"), expected);
      }
    });
    await step("Typing: “Grüße 你好 🪑” arrives exactly", async () => {
      await openAddress(panel, `${site.origin}/form`);
      await showsColour(panel, COLOURS.form);
      await tap(panel, 0.5, 0.145);
      await untilEqual("the field to have the focus", () => site.last("focus"), "yes");
      await panel.keyboard.insertText("Grüße 你好 🪑");
      await untilEqual("the words", () => site.last("typed"), "Grüße 你好 🪑");
      await untilCrisp(panel);
      await picture(panel, "typing");
    });
    await step("Rotation there and back", async () => {
      await openAddress(panel, `${site.origin}/counter`);
      await panel.getByRole("button", { name: "Rotate" }).click();
      await untilEqual("the turned size", () => site.last("size"), "800x360");
      await untilCrisp(panel);
      await picture(panel, "rotated");
      await panel.getByRole("button", { name: "Rotate" }).click();
      await untilEqual("the upright size", () => site.last("size"), "360x800");
    });
    await step("Screenshot in device pixels", async () => {
      await panel.getByRole("button", { name: "Screenshot" }).click();
      const image = panel.getByRole("img", { name: /^Screen of / });
      await untilEqual("its width", () => image.evaluate((each: HTMLImageElement) => each.naturalWidth), 720);
      await picture(panel, "screenshot");
      await panel.keyboard.press("Escape");
    });
    await step("The phone's home screen and recents", async () => {
      await panel.getByRole("button", { name: "Home", exact: true }).click();
      await untilCrisp(panel);
      await picture(panel, "home-screen");
      await panel.getByRole("button", { name: "Recents" }).click();
      await untilCrisp(panel);
      await picture(panel, "recents");
      await panel.getByRole("button", { name: "Back", exact: true }).click();
    });
    await step("Recorded: two taps on the phone become an automation", async () => {
      const opened = site.told("home").length;
      await openAddress(panel, `${site.origin}/`);
      await until("the shop on the phone", () => site.told("home").length > opened);
      await showsColour(panel, COLOURS.home);
      await untilCrisp(panel);
      await panel.getByRole("button", { name: "Record", exact: true }).click();
      await panel.getByText("Recording · 0 steps").waitFor();
      await tap(panel, 0.27, 0.642);
      await recorded(panel, "Tap “Add to basket”");
      await showsColour(panel, COLOURS.counter);
      await tap(panel, 0.5, 0.5);
      await recorded(panel, "Tap “Add one”");
      await untilEqual("the tap", () => site.last("count"), "1");
      await untilCrisp(panel);
      await picture(panel, "recording");
      await saveRecording(panel, "Chair into the basket");
      await panel.getByText(/\d steps, no mistakes/).waitFor();
      await picture(panel, "automation");
      await inTheDark(panel, () => picture(panel, "automation-dark"));
    });
    await step("A rule: product pages of the shop call for it", async () => {
      // A headless browser shows no permission prompt: access is given as in the browser's own settings.
      await chromium.allowSite("http://127.0.0.1/*");
      await ruleForPages(panel, "Product pages", "http://127.0.0.1/product/*");
      await picture(panel, "rule");
      await panel.getByRole("button", { name: "Save", exact: true }).click();
      await panel.getByText("Product pages is saved.").waitFor();
    });
    await step("A product page asks; confirmed in the popup, it passes", async () => {
      const product = `${site.origin}/product/42`;
      const page = await chromium.openTab(product);
      await untilEqual("the badge to ask", () => badgeOf(panel, product), "1?");
      const counted = site.told("count").length;
      const popup = await chromium.openPopup(page);
      await popup.getByText("1 automation fits this page").waitFor();
      await picture(popup, "popup-asks");
      await inTheDark(popup, () => picture(popup, "popup-asks-dark"));
      await popup.getByRole("button", { name: "Run", exact: true }).click();
      await popup.getByText(/^Running on /).waitFor();
      await clickAndClose(popup.getByRole("button", { name: "Watch" }));
      await panel.getByText("Passed", { exact: true }).waitFor();
      await untilEqual("the chair to be in the basket once", () => site.told("count").length, counted + 1);
      await panel.locator(".step-thumbnail img").first().waitFor();
      await picture(panel, "run");
      await inTheDark(panel, () => picture(panel, "run-dark"));
      await panel.getByRole("button", { name: "Back", exact: true }).click();
      await panel.getByRole("heading", { name: "Runs" }).waitFor();
      await picture(panel, "automations");
      await page.close();
      await showTab(panel, "Phone");
    });

    await step("Parks: nothing runs, everything is kept", async () => {
      await openAddress(panel, `${site.origin}/sign-in`);
      await until("the cookie", () => site.requests("/sign-in") > 0);
      await openAddress(panel, `${site.origin}/memory`);
      await untilEqual("the first visit", () => site.last("visits"), "1");
      await phoneMenu(panel, "Park");
      await panel.getByRole("heading", { name: "Parked" }).waitFor();
      await picture(panel, "parked");
    });
    await step("Resumes on the same page with its cookies and storage", async () => {
      await panel.getByRole("button", { name: "Start" }).click();
      await untilEqual("the second visit", () => site.last("visits"), "2");
      if (!site.cookieOf("/memory")?.includes("basket=blue-chair")) throw new Error("The cookie is gone.");
      await showsColour(panel, COLOURS.memory);
    });

    const wide = await step("A second viewer sees the same picture", async () => {
      const second = await chromium.openExtensionPage("sidepanel.html?full=1");
      await showsColour(second, COLOURS.memory);
      await second.getByRole("button", { name: "Ask for control" }).waitFor();
      return second;
    });
    await step("Control is asked for, and given", async () => {
      await wide.getByRole("button", { name: "Ask for control" }).click();
      await panel.getByText("asks for control").waitFor();
      await picture(panel, "hand-over");
      await panel.getByRole("button", { name: "Give", exact: true }).click();
      await until("control to arrive", () => wide.getByRole("button", { name: "Rotate" }).isEnabled());
      await openAddress(wide, `${site.origin}/`);
      await showsColour(wide, COLOURS.home);
      await untilCrisp(wide);
      await picture(wide, "wide-view");
      await wide.close();
    });
    await step("Popup from any tab: phones and what runs", async () => {
      const popup = await chromium.openPopup(tab);
      await popup.getByText("1 running").waitFor();
      await picture(popup, "popup");
      await inTheDark(popup, () => picture(popup, "popup-dark"));
      await popup.close();
    });
    await step("Privacy: what is held, and why", async () => {
      await showTab(panel, "Privacy");
      await panel.getByRole("heading", { name: /hold/i }).first().waitFor();
      await picture(panel, "privacy");
    });
    await step("An export of one's data: asked for, made, downloaded, checked", async () => {
      await panel.getByRole("button", { name: "Download", exact: true }).click();
      const dialog = panel.getByRole("dialog");
      await dialog.getByRole("button", { name: "Make my copy" }).click();
      const save = dialog.getByRole("button", { name: "Save the file" });
      await save.waitFor();
      await picture(panel, "export");
      const downloading = panel.waitForEvent("download");
      await save.click();
      const { manifest, files, lines } = await readArchive(await readFile(await (await downloading).path()));
      for (const { path, sha256 } of manifest.files) {
        const content = files.get(path) ?? "";
        if (createHash("sha256").update(content).digest("hex") !== sha256) throw new Error(`${path} is damaged.`);
      }
      const [account] = lines("users");
      if (account?.["email"] !== ADA.email || lines("phones").length === 0 || lines("flows").length === 0) {
        throw new Error("Something of the person's is missing in the export.");
      }
      await panel.keyboard.press("Escape");
    });
    await step("A team: a name, an invitation, what each role may do", async () => {
      await showTab(panel, "Account");
      await picture(panel, "account");
      await panel.getByRole("button", { name: /members, roles, invitations/ }).click();
      await panel.getByRole("button", { name: "Invite", exact: true }).click();
      const invite = panel.getByRole("dialog");
      await invite.getByLabel("E-mail address").fill("grace@example.org");
      await invite.getByRole("button", { name: /invit/i }).click();
      await panel.getByText("grace@example.org").first().waitFor();
      await picture(panel, "team");
      await panel.getByRole("button", { name: "Account", exact: true }).click();
    });
    await step("Account: sessions, and sign-out closes the stream", async () => {
      await panel.getByRole("button", { name: /^Sessions and devices/ }).click();
      await panel.getByText("This one").first().waitFor();
      await picture(panel, "sessions");
      await panel.getByRole("button", { name: "Account", exact: true }).click();
      await panel.getByRole("button", { name: "Sign out", exact: true }).click();
      await panel.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
      await panel
        .getByText(/signed out/i)
        .first()
        .waitFor();
    });
  } finally {
    await browser?.close();
    await server?.stop();
    await site.close();
  }
  const seconds = ((performance.now() - from) / 1_000).toFixed(1);
  console.log(`\nAll of it worked in ${seconds} s. ${pictures + 1} pictures are in ${OUTPUT}/.`);
}

/** The build people install; quiet unless it fails. */
function buildExtension(): void {
  const { status, stdout, stderr } = spawnSync("wxt", ["build", "--browser", "chrome"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`The extension did not build:\n${stdout}\n${stderr}`);
}

/** Waits until the picture rests: the drawn frame no longer changes; then for the sharp still of it. */
async function untilCrisp(panel: Page): Promise<void> {
  let last = "";
  let same = 0;
  await until(
    "the picture to rest",
    async () => {
      const now = await panel.evaluate(async () => {
        const canvas = document.querySelector<HTMLCanvasElement>(".picture canvas");
        if (canvas === null || canvas.width === 0) return String(Math.random());
        const bitmap = await createImageBitmap(canvas);
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
        context?.drawImage(bitmap, 0, 0);
        const data = context?.getImageData(0, 0, bitmap.width, bitmap.height).data ?? new Uint8ClampedArray();
        let sum = bitmap.width;
        for (let index = 0; index < data.length; index += 97) sum = (sum * 31 + (data[index] ?? 0)) % 2_147_483_647;
        return String(sum);
      });
      same = now === last ? same + 1 : 0;
      last = now;
      return same >= 4;
    },
    { everyMs: 100 },
  );
  const sharp = async () => {
    const { width = 0, height = 0 } = (await pictureSize(panel)) ?? {};
    return Math.max(width, height) >= LONG_SIDE;
  };
  // Where a caret blinks there may be none.
  await until("the sharp still", sharp, { timeout: 1_500 }).catch(() => undefined);
}

const { chromium, missing } = await ensureBrowsers(["chromium"]);
if (chromium === undefined) {
  for (const line of missing) console.error(line);
  process.exit(1);
}
rmSync(OUTPUT, { recursive: true, force: true });
mkdirSync(OUTPUT, { recursive: true });
await step("Extension is built", async () => buildExtension());
try {
  await demo(chromium);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
