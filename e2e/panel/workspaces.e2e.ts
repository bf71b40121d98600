/** Folders, files and imports of the Automations screen in a real Chromium against the stub server. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until } from "../harness/until.ts";
import { checkLooks } from "./looks.ts";
import { clearSession, openPanelPage, SIGNED_IN, storeSignIn } from "./panel-page.ts";
import { type PhonePictures, phonePictures } from "./phone-pictures.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
const flow = (commands: string) => `url: https://shop.example\n---\n${commands}\n`;

describe.skipIf(executable === undefined)("workspaces in the panel", () => {
  let browser: ExtensionBrowser;
  let pictures: PhonePictures;
  let server: StubServer;
  let page: Page;
  let folder: string;

  beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    pictures = await phonePictures(browser.context);
    folder = mkdtempSync(join(tmpdir(), "perch-import-"));
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    server = await startStubServer();
    server.screens.frames = pictures.frames;
    server.state.png = pictures.png;
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
    page = await openPanelPage(browser.context);
    await clearSession(page);
  });
  afterEach(async () => {
    await page.close();
    await server.stop();
  });

  const automations = () => server.state.automations;
  const files = () => server.state.files;
  const show = () => page.getByRole("tab", { name: "Automations" }).click();

  const check = (name: string) => checkLooks(page, `workspaces-${name}`);

  it("imports a folder after showing what would happen, and what is wrong at which line", async () => {
    const root = join(folder, "shop");
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    put("main.yaml", flow("- launchApp\n- runFlow: steps/login.yaml\n- runScript: lib/total.js"));
    put("steps/login.yaml", flow("- tapOm: Log in"));
    put("lib/total.js", "output.total = 1\n");
    put("config.yaml", "flows:\n  - '**'\n");
    put("deploy.sh", "echo\n");
    put("buy.json", JSON.stringify({ title: "Buy", steps: [{ type: "hover", selectors: [["#a"]] }] }));
    automations().save({ name: "Main", source: flow("- back"), path: "shop/main.yaml" });
    await show();
    await page.getByRole("button", { name: "New", exact: true }).click();
    await page.getByRole("button", { name: /^Import/ }).click();
    await page.getByRole("heading", { name: "Bring your flows" }).waitFor();
    await check("import-choose");
    await page.getByLabel("Folder", { exact: true }).setInputFiles(root);
    const entries = page.getByRole("list", { name: "What comes" });
    await entries.getByText("shop/steps/login.yaml", { exact: true }).waitFor();
    await page.getByText(/^Line 3: .*tapOm/).waitFor();
    await page.getByText("Step 1: A finger does not hover").waitFor();
    expect(await entries.getByText("Replaces").count()).toBe(1);
    await page.getByText("deploy.sh").waitFor();
    await check("import-preview");
    expect(files().files.size).toBe(0);
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await page.getByText("3 automations and 2 files imported.").waitFor();
    expect([...files().files.keys()].sort()).toEqual(["shop/config.yaml", "shop/lib/total.js"]);
    expect(
      automations()
        .list()
        .map(({ path }) => path)
        .sort(),
    ).toEqual(["shop/buy.yaml", "shop/main.yaml", "shop/steps/login.yaml"]);
    await page.getByRole("list", { name: "In shop" }).waitFor();
    await check("folders");
  });

  it("puts a zip where the person says, and refuses what is no zip in words", async () => {
    const zip = join(folder, "bank.zip");
    writeFileSync(zip, zipSync({ "a.yaml": new TextEncoder().encode(flow("- back")) }));
    writeFileSync(join(folder, "broken.zip"), "no zip");
    server.team.add();
    await show();
    await page.getByRole("button", { name: "More about automations" }).click();
    await page.getByRole("menuitem", { name: "Import…" }).click();
    await page.getByLabel("Files", { exact: true }).setInputFiles(join(folder, "broken.zip"));
    await page.getByText(/not a zip file|internal|unexpected/i).waitFor();
    await page.getByLabel("Files", { exact: true }).setInputFiles(zip);
    await page.getByText("bank/a.yaml").waitFor();
    await page.getByLabel("Folder", { exact: true }).last().fill("money/bank");
    await page.getByLabel("Folder", { exact: true }).last().press("Enter");
    await page.getByText("money/bank/a.yaml").waitFor();
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await page.getByText("1 automation imported.").waitFor();
    expect(automations().list()).toMatchObject([{ path: "money/bank/a.yaml", name: "a" }]);
  });

  it("edits a script, shows and replaces a picture, and removes it after asking", async () => {
    files().put("shop/total.js", "output.total = 1\n");
    files().put("shop/home.png", Buffer.from(pictures.png, "base64"));
    await show();
    await page.getByRole("button", { name: /total\.js/ }).click();
    await page.getByRole("textbox", { name: "total.js" }).fill("output.total = 2\n");
    await page.getByText("Not saved yet").waitFor();
    await check("script");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved", { exact: true }).waitFor();
    expect(Buffer.from(files().files.get("shop/total.js") ?? []).toString()).toBe("output.total = 2\n");
    await page.getByRole("button", { name: "All automations" }).click();
    await page.getByRole("button", { name: /home\.png/ }).click();
    await page.getByRole("img", { name: "home.png" }).waitFor();
    await check("picture");
    const other = join(folder, "other.png");
    writeFileSync(other, "other");
    await page.getByLabel("Replacement").setInputFiles(other);
    await page.getByText("home.png is replaced.").waitFor();
    expect(Buffer.from(files().files.get("shop/home.png") ?? []).toString()).toBe("other");
    await page.getByRole("button", { name: "More about this file" }).click();
    await page.getByRole("menuitem", { name: "Remove…" }).click();
    await page.getByText("Automations that name it will not run").waitFor();
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText("home.png is removed.").waitFor();
    expect([...files().files.keys()]).toEqual(["shop/total.js"]);
  });

  it("runs, saves and deletes a folder", async () => {
    const phone = server.team.add({ name: "Work phone" });
    for (const name of ["a", "b"]) automations().save({ name, source: flow("- back"), path: `shop/${name}.yaml` });
    files().put("shop/x.js", "1");
    automations().save({ name: "Apart", source: flow("- back") });
    await show();
    const more = page.getByRole("button", { name: "More about shop" });
    await more.click();
    await page.getByRole("menuitem", { name: "Run all…" }).click();
    await page.getByText("one after the other").waitFor();
    await check("run-folder");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("2 automations run on Work phone.").waitFor();
    expect([...automations().runs.values()].map(({ detail }) => detail.phoneId)).toEqual([phone.id, phone.id]);
    await page.getByRole("list", { name: "Runs" }).getByRole("button").first().click();
    await page.getByRole("button", { name: "Cancel all" }).click();
    await page.getByText("Cancelled", { exact: true }).waitFor();
    expect([...automations().runs.values()].map(({ detail }) => detail.state)).toEqual(["cancelled", "cancelled"]);
    await page.getByRole("button", { name: "Back", exact: true }).click();
    await page
      .getByRole("button", { name: /^All automations|Back/ })
      .first()
      .click();
    await more.click();
    const downloading = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: "Save as zip" }).click();
    expect((await downloading).suggestedFilename()).toBe("shop.zip");
    await more.click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await page.getByText("2 automations and 1 file will be gone").waitFor();
    await check("delete-folder");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("shop is deleted.").waitFor();
    expect(
      automations()
        .list()
        .map(({ name }) => name),
    ).toEqual(["Apart"]);
    expect(files().files.size).toBe(0);
  });

  it("moves an automation, and saves it as a recording with what stays out", async () => {
    automations().save({ name: "Buy it", source: flow("- launchApp\n- takeScreenshot: a") });
    await show();
    await page.getByRole("button", { name: /^Buy it/ }).click();
    const more = page.getByRole("button", { name: "More about this automation" });
    await more.click();
    await page.getByRole("menuitem", { name: "Move…" }).click();
    await page.getByLabel("Path").fill("../x");
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("Folders and a name").waitFor();
    await check("move");
    await page.getByLabel("Path").fill("shop/buy.yaml");
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("shop/buy.yaml").waitFor();
    await more.click();
    await page.getByRole("menuitem", { name: "Save as Recorder JSON" }).click();
    await page.getByText(/takeScreenshot.* has no equivalent/).waitFor();
    await check("recording");
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save the rest" }).click();
    const saved = readFileSync(await (await downloading).path(), "utf8");
    expect(JSON.parse(saved)).toMatchObject({ title: "Buy it", steps: [{ type: "navigate" }] });
  });

  it("takes a picture as the baseline in one click, and leads to the file that failed", async () => {
    server.team.add();
    automations().save({ name: "Login", source: flow("- back\n- assertScreenshot: home"), path: "shop/login.yaml" });
    automations().save({ name: "Main", source: flow("- runFlow: login.yaml"), path: "shop/main.yaml" });
    await show();
    await page.getByRole("button", { name: /^Run Main/ }).click();
    await page.getByText("Waiting", { exact: true }).waitFor();
    const run = automations().newest;
    const message = "The picture is 71% the same as shop/home.png, which is less than 95%.";
    run.to("running");
    run.step({ seq: 1, label: "runFlow login.yaml", line: 3, state: "failed", message });
    run.step({
      seq: 2,
      label: "assertScreenshot home",
      line: 4,
      depth: 1,
      file: "shop/login.yaml",
      state: "failed",
      message,
    });
    run.artifact({ name: "home.png", step: 2, baseline: "shop/home.png" });
    run.artifact({ name: "home-difference.png", kind: "difference", step: 2 });
    run.to("failed", { code: "assertion", message, step: 2, line: 4, file: "shop/login.yaml" });
    await page.getByText("Where it differs").waitFor();
    await until("the pictures", () =>
      page
        .locator(".run-picture img")
        .count()
        .then((count) => count === 2),
    );
    await page.getByText("login.yaml line 4").waitFor();
    await check("baseline");
    await page.getByRole("button", { name: "Use home as baseline" }).click();
    await page.getByText("shop/home.png is the baseline now.").waitFor();
    expect(files().files.has("shop/home.png")).toBe(true);
    await page.getByRole("button", { name: "Go to login.yaml, line 4" }).click();
    await page.getByLabel("Name").waitFor();
    expect(await page.getByLabel("Name").inputValue()).toBe("Login");
  });
});
