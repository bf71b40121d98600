/**
 * What Perch is for, as one person does it in a real Chromium, whatever the server stands on (`harness/services.ts`): an
 * embedded database, PostgreSQL with a bucket, or GoTrue, PostgreSQL and S3. Each step stands on the one before it.
 */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { totpCodeAt } from "../server/accounts/testing/app-code.ts";
import { readArchive } from "../server/privacy/export/testing.ts";
import { COLOURS } from "./fixtures/pages.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { extensionBuild } from "./harness/builds.ts";
import { check } from "./harness/check-screen.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { phoneMenu, ruleForPages, showTab } from "./harness/panel.ts";
import {
  ADA,
  approve,
  chooseServer,
  clickAndClose,
  linkIn,
  openOnPhone,
  openSignInWindow,
  signUp,
} from "./harness/person.ts";
import { showsColour, tap } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { type Services, startServices } from "./harness/services.ts";
import { until, untilEqual } from "./harness/until.ts";
import { badgeOf } from "./rules/rule-browser.ts";

const executable = inject("chromium");
const NEW_PASSWORD = "seven grey herons wait";
const TYPED = "herons-typed-4c1f";
const FLOW = "Greet the harbour";
/** The code before the newest, unless that one is about to become it: so that signing in has one that was not used. */
const EARLIER_CODE_MS = 28_000;

describe.skipIf(executable === undefined)("the main job", () => {
  let site: Site;
  let services: Services;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let welcome: Page;
  let panel: Page;
  let secret: string;

  keepEvidence(() => ({ server, browser }));
  beforeAll(async () => {
    [site, services] = await Promise.all([startSite(), startServices()]);
    [server, browser] = await Promise.all([
      PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}`, ...services.env } }),
      ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await services?.close();
    await site?.close();
  });

  const button = (name: string | RegExp) => panel.getByRole("button", { name, exact: typeof name === "string" });
  const dialog = () => panel.getByRole("dialog").last();
  /** How the pages look is seen once, where the sign-in service is another's. */
  const look = async (page: Page, name: string) => {
    if (services.name === "full") await check(page, `main-job-${name}`, [360]);
  };

  it("connects: an account, confirmed by mail", async () => {
    welcome = await browser.extensionPage("welcome.html");
    await chooseServer(welcome, server.url);
    const window = await openSignInWindow(browser, welcome, server.url);
    await look(window, "sign-in");
    await signUp(window, server, ADA, (step) => look(window, step));
    await welcome.getByText("Signed in").waitFor();
    expect(await services.peopleThere()).toEqual(services.name === "full" ? [ADA.email] : undefined);
  });

  it("launches a phone from a tab, shows it live and is tapped", async () => {
    const tab = await browser.openTab(`${site.origin}/counter`);
    panel = await openOnPhone(browser, tab);
    await showsColour(panel, COLOURS.counter);
    await tap(panel, 0.5, 0.5);
    await untilEqual("one tap", () => site.last("count"), "1");
  });

  it("runs a flow that types and keeps a picture", async () => {
    await showTab(panel, "Automations");
    await button("New automation").click();
    await panel.getByLabel("Name").fill(FLOW);
    const steps = `- launchApp\n- tapOn: Your words\n- inputText: ${TYPED}\n- takeScreenshot: said\n`;
    await panel.getByRole("textbox", { name: "Steps" }).fill(`url: ${site.origin}/form\n---\n${steps}`);
    await panel.getByText("4 steps, no mistakes").waitFor();
    await button("Save and run").click();
    await panel.getByText("Passed", { exact: true }).waitFor({ timeout: 60_000 });
    // The page tells its site by itself, in its own time.
    await untilEqual("the site to hear what was typed", () => site.last("typed"), TYPED);
    // Read back from where files are.
    await panel.locator(".run-picture img").waitFor();
    await button("Back").click();
  });

  it("runs it when a page calls for it and the person agrees", async () => {
    await browser.allowSite("http://127.0.0.1/*");
    await ruleForPages(panel, "Product pages", "http://127.0.0.1/product/*");
    await button("Save").click();
    await panel.getByText("Product pages is saved.").waitFor();
    const product = `${site.origin}/product/42`;
    const tab = await browser.openTab(product);
    await untilEqual("the badge to ask", () => badgeOf(panel, product), "1?");
    const opened = site.requests("/form");
    const popup = await browser.openPopup(tab);
    await popup.getByText("1 automation fits this page").waitFor();
    await popup.getByRole("button", { name: "Run", exact: true }).click();
    await popup.getByText(/^Running on /).waitFor();
    await clickAndClose(popup.getByRole("button", { name: "Watch" }));
    await panel.getByText("Passed", { exact: true }).waitFor({ timeout: 30_000 });
    expect(site.requests("/form")).toBe(opened + 1);
    await tab.close();
  });

  it("has a second factor", async () => {
    await showTab(panel, "Account");
    await button(/^Security (?!activity)/).click();
    await button("Set up codes from an app").click();
    secret = ((await dialog().locator(".totp-secret code").textContent()) ?? "").replaceAll(/\s/g, "");
    await dialog()
      .getByLabel("Code from the app")
      .fill(totpCodeAt(secret, Date.now() - EARLIER_CODE_MS));
    await dialog().getByRole("button", { name: "Turn on" }).click();
    const kept = panel.getByRole("button", { name: "I have kept them" });
    await kept.or(panel.getByText("Signing in asks for a code")).first().waitFor();
    if (await kept.isVisible()) await kept.click();
  });

  it("parks the phone", async () => {
    await showTab(panel, "Phone");
    await phoneMenu(panel, "Park");
    await panel.getByRole("heading", { name: "Parked" }).waitFor();
  });

  it("gives a copy of what is held about the person", async () => {
    await showTab(panel, "Privacy");
    await button("Download").click();
    await dialog().getByRole("button", { name: "Make my copy" }).click();
    const save = dialog().getByRole("button", { name: "Save the file" });
    await save.waitFor();
    const downloading = panel.waitForEvent("download");
    await save.click();
    const { files, lines } = await readArchive(await readFile(await (await downloading).path()));
    expect(lines("users")).toMatchObject([{ email: ADA.email }]);
    expect([lines("phones").length, lines("flows").length, lines("runs").length]).toEqual([1, 1, 2]);
    const elsewhere = files.get("elsewhere/sign-in.json")?.toString("utf8");
    if (services.name === "full") expect(elsewhere).toContain(ADA.email);
    else expect(elsewhere).toBeUndefined();
    await panel.keyboard.press("Escape");
  });

  it("signs out", async () => {
    await showTab(panel, "Account");
    // Back from the page about security.
    const back = button("Account");
    if (await back.isVisible()) await back.click();
    // What the copy had to say is read; it lies over the page's end.
    const read = panel.locator(".toast").getByRole("button", { name: "Close" });
    while ((await read.count()) > 0) await read.first().click();
    await button("Sign out").click();
    await dialog().getByRole("button", { name: "Sign out" }).click();
    await panel
      .getByText(/signed out/i)
      .first()
      .waitFor();
  });

  it("gets a new password by mail, and back in with it and a code", async () => {
    const page = await browser.context.newPage();
    // The website is a session of its own, which signing in for the extension made.
    await page.goto(server.url);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in", exact: true }).first().click();
    await page.getByRole("link", { name: "Forgot the password?" }).click();
    await look(page, "reset");
    await page.getByLabel("E-mail address").fill(ADA.email);
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByRole("heading", { name: "Check your mail" }).waitFor();
    const link = await until("the mail with the link", async () => linkIn(await server.mail(ADA.email), "/reset/new"));
    await page.goto(link);
    await look(page, "reset-new");
    await page.getByLabel("New password").fill(NEW_PASSWORD);
    await page.getByRole("button", { name: "Set password" }).click();
    await page.getByRole("heading", { name: "Your password is changed" }).waitFor();
    await page.close();

    const window = await openSignInWindow(browser, panel, server.url);
    await window.getByLabel("E-mail address").fill(ADA.email);
    await window.getByLabel("Password").fill(ADA.password);
    await window.getByRole("button", { name: "Sign in", exact: true }).click();
    await window.getByRole("alert").waitFor();
    await look(window, "refused");
    await window.getByLabel("Password").fill(NEW_PASSWORD);
    await window.getByRole("button", { name: "Sign in", exact: true }).click();
    await window.getByRole("heading", { name: "Type your code" }).waitFor();
    await look(window, "code");
    await window.getByLabel("Code").fill(totpCodeAt(secret, Date.now()));
    await window.getByRole("button", { name: "Sign in", exact: true }).click();
    await approve(window, () => look(window, "consent-again"));
    await panel.getByRole("tab", { name: "Phone" }).click();
    await panel.getByRole("heading", { name: "Parked" }).waitFor();
  });

  it("has nothing that can be read in its files or, of people, in its database", async () => {
    const files = await services.files(server.dataDir);
    const kinds = new Set(files.map(({ key }) => /(?:^|\/)(runs|exports|phones)\//.exec(key)?.[1]));
    expect([...kinds].sort()).toEqual(["exports", "runs", ...(services.name === "sqlite" ? [] : ["phones"])].sort());
    // PNG, WebP, ZIP, JSON and what was said and typed.
    const plain = ["\x89PNG", "WEBP", "PK\x03\x04", '{"', ADA.email, TYPED, FLOW, site.origin, "cookie"];
    const readable = files.flatMap(({ key, bytes }) => {
      const text = bytes.toString("latin1");
      return plain
        .filter((words) => (words.length > 2 ? text.includes(words) : text.startsWith(words)))
        .map((words) => `${key}: ${words}`);
    });
    expect(readable).toEqual([]);
    const dump = await services.dump();
    if (dump !== undefined) {
      expect(dump.length).toBeGreaterThan(1_000);
      expect([ADA.email, ADA.password, NEW_PASSWORD, secret].filter((words) => dump.includes(words))).toEqual([]);
    }
    expect(server.output).not.toContain(ADA.email);
  });
});
