/** Privacy in a real Chromium against the stub server: every state on the first screen, and each right to its end. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { PrivacyOverview } from "../../shared/privacy.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { untilNothingIsKept } from "../harness/kept.ts";
import { until } from "../harness/until.ts";
import { checkLooks, problems } from "./looks.ts";
import { openPanelPage, SIGNED_IN, storedToken, storeSignIn } from "./panel-page.ts";
import {
  MAIL_PROVIDER,
  readyCopy,
  STRIPE,
  stubCopy,
  stubDeletion,
  stubIncident,
  stubLooks,
  stubNextPolicy,
  stubPurge,
  stubRequests,
} from "./stub-privacy.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
/** The side panel of a small laptop's window. */
const FIRST_SCREEN = { width: 360, height: 720 };

describe.skipIf(executable === undefined)("privacy", () => {
  let browser: ExtensionBrowser;
  let server: StubServer;
  let page: Page;

  beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    server = await startStubServer();
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
  });
  afterEach(async () => {
    await page?.close();
    await server.stop();
  });

  const rights = () => server.state.rights;
  const set = (over: Partial<PrivacyOverview>) => {
    server.state.privacy = { ...server.state.privacy, ...over };
  };
  const show = async (search = "?tab=privacy") => {
    page = await openPanelPage(browser.context, FIRST_SCREEN, search);
    if (search.includes("privacy")) await page.getByRole("list", { name: "Your rights" }).waitFor();
  };
  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
  const dialog = () => page.getByRole("dialog").last();
  const press = (name: string | RegExp) => dialog().getByRole("button", { name }).click();
  const says = (words: string | RegExp) => page.getByText(words).filter({ visible: true }).first().waitFor();
  const fold = (title: string) => page.locator(".fold > summary", { hasText: title });
  const noDialog = () => until("the dialog to close", async () => (await page.getByRole("dialog").count()) === 0);

  it("says on one screen that all is clear, what is held, where, who looked, who is signed in, what was asked", async () => {
    await show();
    await says("All clear");
    await says("Here and 2 more");
    // Nothing of it needs scrolling.
    const room = await page.getByRole("tabpanel").evaluate((panel) => panel.scrollHeight - panel.clientHeight);
    expect(room).toBe(0);
    await checkLooks(page, "privacy", FIRST_SCREEN.height);
    for (const words of ["Nobody in 90 days", "This server", "None open", "oldest 88 d · 31 go in 2 d"])
      await says(words);
    await page.getByText("What you did in the product").click();
    await says("After 90 days it becomes a count without names. Next: 31 go in 2 d.");
    const clause = page.getByRole("link", { name: "P4.1" });
    expect(await clause.getAttribute("href")).toBe(`${server.origin}/privacy#P4.1`);
    await button("7 more kinds, 2 of them empty").click();
    await says("Billing records");
  });

  it("opens everything in place: places, looks, requests, choices", async () => {
    set({ processors: [STRIPE, MAIL_PROVIDER], staffLooks: 2, openRequests: 1 });
    rights().looks = stubLooks();
    rights().requests = stubRequests();
    await show();
    await says("Stripe and Mail provider have some.");
    for (const title of ["Where it lives", "Who looked", "Sessions", "Requests", "Your choices"])
      await fold(title).click();
    await says("keeps it up to 14 d after we delete it");
    await says("No agreement named");
    await says("as support");
    await says("Reason: You asked on 20 Nov");
    await says("DR-2026-0009");
    await says("Global Privacy Control");
    await checkLooks(page, "privacy-open", 1900);
    await button("Copy receipt").click();
    const receipt = await page.evaluate(() => navigator.clipboard.readText());
    expect(JSON.parse(receipt)).toMatchObject({ signature: "c3R1Yi1zaWduYXR1cmU" });
    await button("Withdraw DR-2026-0009").click();
    await says("DR-2026-0009 is withdrawn.");
    await page.getByRole("switch", { name: "Leave me out of the anonymised numbers" }).click();
    await says("You are left out from now on.");
    expect(server.state.privacy.preferences).toEqual({ restricted: false, metrics: false });
  });

  it("makes a copy that can be left and found again, and saves it through the browser, sealed", async () => {
    rights().copyTakes = 3;
    await show();
    await button("Download").click();
    await says("About 12,480 entries");
    await checkLooks(page, "privacy-download");
    await press("Make my copy");
    await says(/of about 12,480 entries/);
    await press("Leave it running");
    await says("Your copy is being made");
    await checkLooks(page, "privacy-making", FIRST_SCREEN.height);
    await page.close();
    await show();
    await says("Your copy is ready, 6 d left");
    await page.getByRole("region", { name: "Status" }).getByRole("button", { name: "Download" }).click();
    await dialog().getByLabel("Passphrase (optional)").fill("short");
    await press("Save the file");
    await says("Use at least 8 characters, or leave it empty.");
    await dialog().getByLabel("Passphrase (optional)").fill("long enough to keep");
    await checkLooks(page, "privacy-ready");
    server.state.account.provenUntilMs = 0;
    await press("Save the file");
    await press("Confirm");
    const download = await page.waitForEvent("download");
    expect(download.suggestedFilename()).toBe("perch-ada-2026-11-26.zip.age");
    expect(await readFile(await download.path(), "utf8")).toBe("PK stub");
    expect(rights().saved).toEqual([{ passphrase: "long enough to keep" }]);
    await says("Saved once.");
    expect(await page.getByText("The server gave no file.").count()).toBe(0);
    await press("Remove from the server");
    await says("All clear");
  });

  it("says so in place when the server gives a page instead of the file", async () => {
    set({ export: readyCopy() });
    await show();
    await button("Download").first().click();
    await dialog().getByLabel("Passphrase (optional)").waitFor();
    const gone = page.waitForRequest(/exports\/download/);
    rights().copyGone = true;
    await press("Save the file");
    await gone;
    await says("The server gave no file.");
    expect(rights().saved).toEqual([]);
  });

  it("brings a copy in after a look into it", async () => {
    await show();
    await button("Bring data here").click();
    await press("Look into it");
    await says("Choose the file first");
    const copy = { name: "copy.zip", mimeType: "application/zip" };
    await dialog()
      .getByLabel("File")
      .setInputFiles({ ...copy, buffer: Buffer.from("not a copy") });
    await press("Look into it");
    await says("This is no copy made by Perch");
    await dialog()
      .getByLabel("File")
      .setInputFiles({ ...copy, buffer: Buffer.from("PK a copy") });
    await press("Look into it");
    await says("19 items can be brought in");
    await checkLooks(page, "privacy-import");
    await press("Bring it in");
    await says("Your data is here now.");
    expect(rights().imports).toEqual(["preview", "preview", "apply"]);
  });

  it("corrects a name, keeps a statement beside a disputed fact, and asks for the rest in words", async () => {
    await show();
    await button("Correct").click();
    await press("Correct the name");
    await dialog().getByLabel("Name").fill("Ada Lovelace");
    await dialog().getByLabel("Name").press("Enter");
    await says("Your name is corrected.");
    expect(server.state.me.user.name).toBe("Ada Lovelace");
    await press("Dispute a fact");
    await press("Attach");
    await says("Write what is wrong.");
    await dialog().getByLabel("About").selectOption({ label: "IP address" });
    await dialog().getByLabel("Your statement").fill("I was never in that network.");
    await press("Attach");
    await dialog().getByText("I was never in that network.").waitFor();
    await checkLooks(page, "privacy-correct");
    await press("Remove the statement about IP address");
    await until("no statement", () => rights().statements.length === 0);
    await press("Write to us about a correction");
    await dialog().getByLabel("What should be put right?").fill("The time zone of last week is not mine.");
    await press("Send");
    await says("Asked as DR-2026-0012.");
    expect(rights().requests[0]?.kind).toBe("rectify");
  });

  it("deletes after a preview with exact counts, a choice for each team and the typed address, and undoes it", async () => {
    const heir = { userId: server.state.me.user.id, name: "Grace Nakamura" };
    const teams = [{ teamId: server.state.me.team.id, name: "Shop crew", heirs: [heir] }];
    rights().preview = { ...rights().preview, teams };
    server.state.account.provenUntilMs = 0;
    await show();
    await button("Delete").click();
    await says("This goes: 2,499 items");
    await says("The law makes us keep this");
    await dialog().getByLabel("You alone own Shop crew").selectOption({ label: "Hand it over to Grace Nakamura" });
    await checkLooks(page, "privacy-delete", 980);
    await press("Delete in 7 days");
    await says("Type ada@example.com to confirm.");
    await dialog()
      .getByLabel(/^Type ada@example.com/)
      .fill("Ada@Example.com");
    await press("Delete in 7 days");
    await press("Confirm");
    await noDialog();
    await says("Deletion in 5 d");
    expect(await button("Delete").isDisabled()).toBe(true);
    await page.getByRole("tab", { name: "Phone" }).click();
    await says("Your account is deleted in 5 d");
    await checkLooks(page, "privacy-closing", FIRST_SCREEN.height);
    await button("Undo the deletion").click();
    await says("No phone yet");
    await page.getByRole("tab", { name: "Privacy" }).click();
    await says("All clear");
  });

  it("keeps nothing in this browser once the account is gone", async () => {
    await show();
    await button("Delete").click();
    await dialog().getByRole("radio", { name: /^Now/ }).check();
    await dialog()
      .getByLabel(/^Type ada@example.com/)
      .fill("ada@example.com");
    await press("Delete now");
    await says("Your account is being deleted");
    await says("3 of 7 places are empty");
    expect(await storedToken(page, server.origin)).toBe(SIGNED_IN);
    server.state.signedIn = false;
    await page.getByRole("heading", { name: "Your account is deleted" }).waitFor();
    expect(await problems(page)).toEqual([]);
    await untilNothingIsKept(page);
  });

  it("says what it handles before it sends anything, and leaves nothing behind when asked to at sign-out", async () => {
    await show("?full=1");
    await page.getByRole("tab", { name: "Account" }).click();
    await button("Sign out").click();
    await dialog().getByLabel("Remove everything Perch keeps in this browser").check();
    await press("Sign out");
    await page.getByRole("heading", { name: "Phones, beside the page" }).waitFor();
    await untilNothingIsKept(page);
    const sent: string[] = [];
    browser.context.on("request", (request) => sent.push(request.url()));
    await page.goto(page.url().replace(/sidepanel.*/, "welcome.html"));
    await button("Agree and begin").waitFor();
    await checkLooks(page, "welcome-your-data", 1400);
    expect(sent.filter((url) => !url.startsWith("chrome-extension:"))).toEqual([]);
    await button("Agree and begin").click();
    await says("You agreed");
    await until("the look around this computer", () => sent.some((url) => url.startsWith("http://localhost:8787/")));
  });

  it.each([
    ["deletion", { deletion: stubDeletion() }, "Deletion in 5 d", "Undo"],
    ["purging", { deletion: stubPurge() }, "Your account is being deleted", undefined],
    ["policy", { nextPolicy: stubNextPolicy() }, /^Policy v2 from/, "See changes"],
    ["incident", { incidents: [stubIncident()] }, "Something happened to your data", "Read"],
    [
      "restricted",
      { preferences: { restricted: true, metrics: true } },
      "Use of your data is restricted",
      "Allow again",
    ],
    [
      "everything",
      {
        ...{ deletion: stubDeletion(), nextPolicy: stubNextPolicy(), incidents: [stubIncident()], export: stubCopy() },
        inactiveDeletionAt: stubDeletion().goneBy,
      },
      "Something happened to your data",
      "Read",
    ],
  ] as const)("shows %s on the first line, with the one thing to do", async (name, over, title, action) => {
    set(over);
    rights().copyTakes = 1_000;
    await show();
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    const status = page.getByRole("region", { name: "Status" }).getByRole("status");
    expect(await status.getByRole("button").allTextContents()).toEqual(action === undefined ? [] : [action]);
    await says("Here and 2 more");
    await checkLooks(page, `privacy-${name}`, FIRST_SCREEN.height);
  });

  it("tells of an incident and of a new policy, and is calm once they are read", async () => {
    set({ incidents: [stubIncident()], nextPolicy: stubNextPolicy() });
    await show();
    await until("a badge", async () => (await (await browser.worker()).evaluate(badgeText)) === "!");
    await page.getByRole("tab", { name: /Privacy.*Something happened/ }).waitFor();
    await button("Read").click();
    await says("For 40 minutes a mistake of ours");
    await checkLooks(page, "privacy-incident-read", FIRST_SCREEN.height);
    await press("I have read it");
    await page.getByRole("heading", { level: 1, name: /^Policy v2/ }).waitFor();
    const popup = await browser.openExtensionPage("popup.html");
    await popup.getByRole("button", { name: /^Policy v2 from/ }).waitFor();
    await button("See changes").click();
    await says("Every change, clause by clause");
    await checkLooks(page, "privacy-policy-read", FIRST_SCREEN.height);
    await press("I do not agree");
    await says("Nothing is deleted by this alone.");
    await press("Back");
    await press("I have read it");
    await says("All clear");
    await popup.getByRole("button", { name: "Privacy ✓" }).waitFor();
    await popup.close();
  });

  it("restricts after saying what stops, and takes it back from any tab", async () => {
    await show();
    await fold("Your choices").click();
    await page.getByRole("switch", { name: "Restrict the use of my data" }).click();
    await says("Automations, rules and webhooks do not run.");
    await press("Restrict");
    await says("It is kept, and nothing is done with it.");
    for (const tab of ["Activity", "Automations", "Phone"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.getByRole("heading", { name: "Use of your data is restricted" }).waitFor();
    }
    expect(await problems(page)).toEqual([]);
    const popup = await browser.openExtensionPage("popup.html");
    await popup.getByText("Allow it again under Privacy").waitFor();
    await popup.getByRole("button", { name: "Open Privacy" }).waitFor();
    await popup.close();
    await button("Allow again").click();
    await says("No phone yet");
  });

  it("signs out everywhere, this browser too", async () => {
    await show();
    await button("Sign out everywhere").click();
    await press("Everywhere else");
    await says("2 other sessions ended.");
    await button("Sign out everywhere").click();
    await press("Here too");
    await page.getByRole("heading", { name: "You are signed out" }).waitFor();
    expect(await storedToken(page, server.origin)).toBeUndefined();
  });

  it("shows the last known state when the server is away, says what failed, and works by keyboard alone", async () => {
    const message = "Something went wrong on the server. Try again.";
    rights().broken = message;
    page = await openPanelPage(browser.context, FIRST_SCREEN, "?tab=privacy");
    await says(message);
    expect(await problems(page)).toEqual([]);
    rights().broken = undefined;
    await button("Try again").click();
    await says("All clear");
    await button("Download").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Correct your data" }).waitFor();
    await page.keyboard.press("Escape");
    await noDialog();
    expect(await button("Correct").evaluate((element) => element === document.activeElement)).toBe(true);
    await server.stop();
    await page.getByRole("tab", { name: "Account" }).click();
    await page.getByRole("tab", { name: "Privacy" }).click();
    await says("does not answer");
    await says("All clear");
    await checkLooks(page, "privacy-offline", FIRST_SCREEN.height);
    server = await startStubServer(Number(new URL(server.origin).port), server);
    await button("Try again").click();
    await until("the notice to go", async () => (await page.getByText("does not answer").count()) === 0);
  });
});

/** Run in the worker: what the toolbar button shows. */
async function badgeText(): Promise<string> {
  const { action } = Reflect.get(globalThis, "chrome") as {
    action: { getBadgeText(details: object): Promise<string> };
  };
  return action.getBadgeText({});
}
