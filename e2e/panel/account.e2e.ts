/** The Account screen in a real Chromium against the stub server: who one is, what lets one in, and every rarer state. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { keepEvidence } from "../harness/evidence.ts";
import { until } from "../harness/until.ts";
import { checkLooks } from "./looks.ts";
import { openPanelPage, SIGNED_IN, storedToken, storeSignIn } from "./panel-page.ts";
import { STUB_API_TOKEN, STUB_CODE } from "./stub-account.router.ts";
import { memberOf, stubDecision, stubMyLog, stubTokens } from "./stub-account.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
const SECURITY = /^Security (?!activity)/;
const LONG = "correct horse battery staple";

describe.skipIf(executable === undefined)("the account", () => {
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
    page = await openPanelPage(browser.context);
  });
  afterEach(async () => {
    await page.close();
    await server.stop();
  });
  keepEvidence(() => ({ browser }));

  const account = () => server.state.account;
  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
  const dialog = () => page.getByRole("dialog").last();
  const says = (words: string | RegExp) => page.getByText(words).first().waitFor();
  const show = async (part?: RegExp) => {
    await page.getByRole("tab", { name: "Account" }).click();
    if (part !== undefined) await button(part).click();
  };
  const noDialog = () => until("the dialog to close", async () => (await page.getByRole("dialog").count()) === 0);
  /** The proof of who one is has grown old. */
  const oldProof = () => {
    account().provenUntilMs = 0;
  };

  it("says who is signed in, changes the name, and keeps a new address waiting for its confirmation", async () => {
    await show();
    await button("Change the name").click();
    await dialog().getByLabel("Name").fill("Ada Lovelace");
    await dialog().getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Ada Lovelace" }).waitFor();
    await button("Change the address").click();
    await dialog().getByLabel("New e-mail address").fill("ada@");
    await dialog().getByRole("button", { name: "Send the link" }).click();
    await says("This is not an e-mail address.");
    await dialog().getByLabel("New e-mail address").fill("ada@new.example.com");
    await dialog().getByLabel("New e-mail address").press("Enter");
    await says("ada@new.example.com is not confirmed yet.");
    await checkLooks(page, "account-home", 1000);
    await button("Keep the present address").click();
    await says("Your address stays ada@example.com.");
    expect(account().security.pendingEmail).toBeNull();
  });

  it("works in another team, and panel, automations and popup show that team alone", async () => {
    const mine = server.team.add({ name: "Phone of mine" });
    server.state.automations.save({ name: "Of my team", source: "url: https://a.example\n---\n- launchApp\n" });
    const shop = account().addTeam(newId("team"), "Shop crew", "operator", [memberOf(server.state.me, "operator")]);
    const theirs = { ...mine, id: newId("phone"), name: "Phone of the shop" };
    shop.phones = new Map([[theirs.id, theirs]]);
    const expiresAt = new Date(Date.now() + 3 * 86_400_000).toISOString();
    const invitedBy = "Grace Nakamura";
    account().received = [
      { id: newId("invitation"), teamName: "Atelier Nord", role: "viewer", invitedBy, expiresAt },
      { id: newId("invitation"), teamName: "Spam and sons", role: "admin", invitedBy: "Nobody", expiresAt },
    ];
    await page.getByRole("tab", { name: "Automations" }).click();
    await button(/^Of my team/).waitFor();
    await button("New").click();
    await button(/Fill in a form/).click();
    await button("All automations").click();
    await says("Not saved");
    await show();
    await says("Spam and sons invites you");
    await checkLooks(page, "account-teams", 1000);
    await button("Decline Spam and sons").click();
    await says("Spam and sons is declined.");
    await button("Join Atelier Nord").click();
    await button("Switch to Atelier Nord").waitFor();
    await button("Switch to Shop crew").click();
    await says("You work in Shop crew now.");
    await says("Operator · members, roles, invitations");
    await until("the list for the popup to follow", async () => (await cachedPhones()).join() === "Phone of the shop");
    const popup = await browser.openExtensionPage("popup.html");
    await popup.getByText("Phone of the shop").waitFor();
    expect(await popup.getByText("Phone of mine").count()).toBe(0);
    await popup.close();
    await page.getByRole("tab", { name: "Phone" }).click();
    await button(/Phone of the shop/)
      .first()
      .waitFor();
    await page.getByRole("tab", { name: "Automations" }).click();
    await page.getByRole("heading", { name: "Let the phone do it" }).waitFor();
    expect(await page.getByText("Not saved").count()).toBe(0);
    await show();
    await button("Switch to Ada's team").click();
    await says("You work in Ada's team now.");
    await page.getByRole("tab", { name: "Automations" }).click();
    await says("Not saved");
    await show();
    await button("New team").click();
    await dialog().getByLabel("Name").fill("Night shift");
    await dialog().getByLabel("Name").press("Enter");
    await says("You work in Night shift now.");
    expect(server.state.me.team).toMatchObject({ name: "Night shift", role: "owner" });
  });

  it("asks for a fresh proof once, and goes on under a new token; cancelled, everything stays as it was", async () => {
    oldProof();
    await show(SECURITY);
    await button("Change the password").click();
    await dialog().getByLabel("New password").fill("short");
    await dialog().getByRole("button", { name: "Change" }).click();
    await says("Use at least 12 characters.");
    await dialog().getByLabel("New password").fill(LONG);
    await dialog().getByRole("button", { name: "Change" }).click();
    await page.getByRole("heading", { name: "Confirm that it is you" }).waitFor();
    await checkLooks(page, "account-confirm");
    await dialog().getByRole("button", { name: "Cancel" }).click();
    await until("the first dialog alone", async () => (await page.getByRole("dialog").count()) === 1);
    expect(await page.getByLabel("New password").inputValue()).toBe(LONG);
    expect([server.state.sessions.length, account().prompts]).toEqual([3, []]);

    await dialog().getByRole("button", { name: "Change" }).click();
    account().window = "somebody_else";
    await dialog().getByRole("button", { name: "Confirm" }).click();
    await says("ben@example.com confirmed, and you are signed in as ada@example.com. Nothing is changed.");
    expect(await storedToken(page, server.origin)).toBe(SIGNED_IN);
    account().window = "consents";
    await dialog().getByRole("button", { name: "Confirm" }).click();
    await says("Your password is changed. 2 other sessions are signed out.");
    await noDialog();
    expect(account().prompts).toEqual(["login", "login"]);
    expect(server.state.token).not.toBe(SIGNED_IN);
    expect(await storedToken(page, server.origin)).toBe(server.state.token);
    await page.getByRole("heading", { name: "Security" }).waitFor();
  });

  it("sets up codes from an app, shows backup codes once, and removes them after asking", async () => {
    await show(SECURITY);
    await says("A password alone protects your account.");
    await button("Set up codes from an app").click();
    await dialog().getByLabel("Code from the app").fill("000 000");
    await dialog().getByLabel("Code from the app").press("Enter");
    await says("This code does not fit.");
    expect(await page.locator(".totp-qr").evaluate((image: HTMLImageElement) => image.naturalWidth > 0)).toBe(true);
    await checkLooks(page, "account-totp");
    await dialog().getByLabel("Code from the app").fill(STUB_CODE);
    await dialog().getByRole("button", { name: "Turn on" }).click();
    await page.getByRole("heading", { name: "Keep these backup codes" }).waitFor();
    await page.keyboard.press("Escape");
    await says("Close without keeping?");
    await checkLooks(page, "account-backup-codes");
    await dialog().getByRole("button", { name: "Copy" }).click();
    await dialog().getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(account().codes.join("\n"));
    const download = page.waitForEvent("download");
    await dialog().getByRole("button", { name: "Download" }).click();
    expect((await download).suggestedFilename()).toBe("perch-backup-codes.txt");
    await dialog().getByRole("button", { name: "I have kept them" }).click();
    await says("10 backup codes left");
    account().security.backupCodesLeft = 2;
    await button("New backup codes").click();
    await dialog().getByRole("button", { name: "Keep these" }).click();
    await button("Remove codes from an app").click();
    await says("It is your only second factor.");
    await dialog().getByRole("button", { name: "Remove" }).click();
    await says("Signing in asks for no code any more.");
    expect(account().security.totp).toBeNull();
  });

  it("lists passkeys, follows one being made on the server's page, renames and removes", async () => {
    const passkey = (name: string, over = {}) => ({
      id: newId("passkey"),
      name,
      createdAt: new Date().toISOString(),
      backedUp: true,
      ...over,
    });
    const first = passkey("Laptop", { backedUp: false, lastUsedAt: new Date().toISOString() });
    account().security.passkeys = [first];
    account().security.totp = { since: new Date().toISOString() };
    account().security.backupCodesLeft = 2;
    await show(SECURITY);
    const opened = browser.context.waitForEvent("page");
    await button("Add a passkey").click();
    const tab = await opened;
    await until("the server's own page", () => tab.url() === `${server.origin}/account/passkeys`);
    account().security.passkeys = [first, passkey("Blue security key")];
    await tab.close();
    await page.bringToFront();
    await page.getByText("Blue security key").waitFor();
    await checkLooks(page, "account-security");
    await button("More about Laptop").click();
    await page.getByRole("menuitem", { name: "Rename…" }).click();
    await dialog().getByLabel("Name").fill("Old laptop");
    await dialog().getByLabel("Name").press("Enter");
    await button("More about Old laptop").click();
    await page.getByRole("menuitem", { name: "Remove…" }).click();
    await dialog().getByRole("button", { name: "Remove" }).click();
    await says("Old laptop signs nobody in any more.");
    expect(account().security.passkeys.map(({ name }) => name)).toEqual(["Blue security key"]);
  });

  it("makes a token that is seen once, and revokes one", async () => {
    await show(/^API tokens/);
    await says("No token yet");
    await button("New token").click();
    for (const name of ["See phones", "Use phones"]) await dialog().getByLabel(name).uncheck();
    await dialog().getByRole("button", { name: "Create" }).click();
    await says("Give the token a name");
    await says("Choose at least one.");
    await checkLooks(page, "account-token-new");
    await dialog().getByLabel("Name").fill("Release job");
    await dialog().getByLabel("See phones").check();
    await dialog().getByLabel("Ends after").selectOption({ label: "7 days" });
    await dialog().getByRole("button", { name: "Create" }).dblclick();
    await page.getByRole("heading", { name: "Token Release job" }).waitFor();
    expect(await dialog().getByLabel("Token", { exact: true }).inputValue()).toBe(STUB_API_TOKEN);
    await dialog().getByRole("button", { name: "Copy" }).click();
    await dialog().getByRole("button", { name: "Copied" }).waitFor();
    await checkLooks(page, "account-token-once");
    account().tokens = [...account().tokens, ...stubTokens(server.state.me)];
    await dialog().getByRole("button", { name: "I have kept it" }).click();
    expect(account().tokens).toHaveLength(3);
    expect(account().tokens[0]).toMatchObject({ name: "Release job", scopes: ["phones:view"] });
    await button("Account").click();
    await button(/^API tokens/).click();
    await says("Nightly checks");
    await checkLooks(page, "account-tokens");
    await button("More about Nightly checks").click();
    await page.getByRole("menuitem", { name: "Revoke…" }).click();
    await dialog().getByRole("button", { name: "Revoke" }).click();
    await says("Nightly checks is revoked.");
    expect(account().tokens.map(({ name }) => name)).toEqual(["Release job", "Dashboard"]);
  });

  it("tells of sessions how they signed in, and of the account what was done to it and read of it", async () => {
    account().myLog = stubMyLog();
    await show(/^Sessions and devices/);
    await says(/Extension · password · in use · Berlin/);
    await button("Account").click();
    await button(/^Security activity/).click();
    await says("Reason: Support request 482: cannot confirm the new address.");
    await checkLooks(page, "account-activity");
    await page.getByLabel("Kind").selectOption({ label: "Reads and changes by the operator" });
    await until("the operator's alone", async () => (await page.getByRole("listitem").count()) === 1);
    account().myLog = [];
    await page.getByLabel("Kind").selectOption({ label: "Everything" });
    await says("Nothing to tell");
  });

  it("explains what is held for review, and takes a word against it", async () => {
    server.team.add();
    account().standing = [stubDecision()];
    server.state.failNext = {
      path: "phones.start",
      code: "held_for_review",
      message: "Starting phones is held for review.",
    };
    await button("Start").click();
    await says("Starting phones is held for review.");
    await button("See why").click();
    await says("The account is two days old.");
    await checkLooks(page, "account-standing");
    await button("Say that it is wrong").click();
    await dialog().getByRole("button", { name: "Send" }).click();
    await says("Write why this is wrong.");
    await dialog().getByLabel("What is wrong?").fill("It was a load test of our own shop.");
    await dialog().getByRole("button", { name: "Send" }).click();
    await says("Contested, being looked at");
    await button("Account").click();
    await button(/^Standing/).waitFor();
  });

  it("leads out of a team that asks for a second factor", async () => {
    server.team.add({ name: "Work phone" });
    await button("Start").waitFor();
    account().lacksSecondFactor = true;
    await page.reload();
    await page.getByRole("heading", { name: "Ada's team asks for a second factor" }).waitFor();
    await checkLooks(page, "account-second-factor");
    await button("Add a second factor").click();
    await button("Set up codes from an app").click();
    await dialog().getByLabel("Code from the app").fill(STUB_CODE);
    await dialog().getByLabel("Code from the app").press("Enter");
    await dialog().getByRole("button", { name: "I have kept them" }).click();
    await page.getByRole("tab", { name: "Automations" }).click();
    await button("Confirm with it").click();
    await dialog().getByRole("button", { name: "Confirm" }).click();
    await page.getByRole("heading", { name: "Let the phone do it" }).waitFor();
    await page.getByRole("tab", { name: "Phone" }).click();
    await button("Start").waitFor();
  });

  it("says at once that the session was ended, keeps no picture, and lets the same person back in", async () => {
    server.team.add({ state: "running", startedAt: new Date().toISOString() });
    await page.locator(".picture").waitFor();
    server.state.signedIn = false;
    server.screens.end({ type: "ended", reason: "signed_out", message: "You were signed out." }, 4401);
    await page.getByRole("heading", { name: "This session was ended" }).waitFor();
    expect(await page.locator("canvas, .picture-last").count()).toBe(0);
    await until("the token to go", async () => (await storedToken(page, server.origin)) === undefined);
    await until("the cached phones to go", async () => (await cachedPhones()).length === 0);
    await checkLooks(page, "account-ended");
    await button("Sign in").click();
    await page.getByRole("tab", { name: "Account" }).waitFor();
    await page.close();
    await storeSignIn(browser.context, server.origin, "cp_old", "2020-01-01T00:00:00.000Z");
    page = await openPanelPage(browser.context);
    await page.getByRole("heading", { name: "Your session has expired" }).waitFor();
  });

  it("says that the computer's clock is wrong where times are shown, and what failed while the rest stays", async () => {
    account().clockAheadMs = 5 * 60_000;
    server.state.failNext = { path: "account.security", code: "internal", message: "Something went wrong here." };
    await show();
    await says("This computer's clock is 5 min ahead.");
    await says("Something went wrong here.");
    await button("Try again").click();
    await until("the failure to go", async () => (await page.getByText("Something went wrong here.").count()) === 0);
    account().clockAheadMs = 0;
    await button(/^Sessions and devices/).click();
    await until("the clock to be right", async () => (await page.getByText("clock is").count()) === 0);
  });

  it("keeps the token where no script in a web page can read it", async () => {
    await show();
    await says("ada@example.com");
    const site = await browser.openTab(`${server.origin}/healthz`);
    /** What a content script of ours finds, with all a page's script has and `chrome` besides. */
    const found = await page.evaluate(async (url) => {
      const { scripting, tabs } = Reflect.get(globalThis, "chrome") as {
        scripting: { executeScript(how: object): Promise<{ result: unknown }[]> };
        tabs: { query(what: object): Promise<{ id: number }[]> };
      };
      const [tab] = await tabs.query({ url });
      const looks = async () => {
        type Area = { get(keys: null): Promise<object> };
        const { storage } = Reflect.get(globalThis, "chrome") as { storage: Record<string, Area | undefined> };
        const read = (area: string) =>
          Promise.resolve(storage[area]?.get(null)).then(
            (all) => JSON.stringify(all ?? null),
            (error: Error) => `refused: ${error.message}`,
          );
        const databases = (await indexedDB.databases()).map(({ name }) => name);
        return { local: await read("local"), session: await read("session"), sync: await read("sync"), databases };
      };
      const [frame] = await scripting.executeScript({ target: { tabId: tab?.id }, func: looks });
      return frame?.result;
    }, `${server.origin}/*`);
    expect(found).toEqual({
      local: expect.stringMatching(/^refused: /),
      session: expect.stringMatching(/^refused: /),
      sync: "{}",
      databases: [],
    });
    // Firefox lets scripts in pages read it, so it must not be there to begin with.
    const kept = await page.evaluate(async () => {
      const { storage } = Reflect.get(globalThis, "chrome") as {
        storage: Record<"local" | "session", { get(keys: null): Promise<object> }>;
      };
      const all = await Promise.all((["local", "session"] as const).map((area) => storage[area].get(null)));
      return JSON.stringify([all, { ...localStorage }, { ...sessionStorage }]);
    });
    expect(kept).toContain(server.origin);
    expect(kept).not.toContain(SIGNED_IN);
    await site.close();
  });

  async function cachedPhones(): Promise<readonly string[]> {
    return page.evaluate(async () => {
      const { storage } = Reflect.get(globalThis, "chrome") as {
        storage: { local: { get(key: string): Promise<{ phones?: { value?: { phones: { name: string }[] } } }> } };
      };
      return (await storage.local.get("phones")).phones?.value?.phones.map(({ name }) => name) ?? [];
    });
  }
});
