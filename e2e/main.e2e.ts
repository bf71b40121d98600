/** The main path, as one person walks it, in a real Chromium with the real side panel. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { COLOURS } from "./fixtures/pages.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { extensionBuild } from "./harness/builds.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { openAddress, phoneMenu } from "./harness/panel.ts";
import { ADA, chooseServer, openOnPhone, openSignInWindow, signUp } from "./harness/person.ts";
import { pictureSize, showsColour, tap, wheel } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { until, untilEqual } from "./harness/until.ts";

const executable = inject("chromium");

/** Each step stands on the one before it, as it does for a person. */
describe.skipIf(executable === undefined)("from installation to sign-out in Chromium", () => {
  let site: Site;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let welcome: Page;
  let signInWindow: Page;
  let tab: Page;
  let panel: Page;
  let second: Page;

  keepEvidence(() => ({ server, browser }));
  beforeAll(async () => {
    site = await startSite();
    server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` } });
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await site?.close();
  });

  it("opens the welcome page at installation and finds the server", async () => {
    welcome = await browser.extensionPage("welcome.html");
    await chooseServer(welcome, server.url);
    expect(await welcome.getByText("Connected to").count()).toBe(1);
  });

  it("keeps the sign-in window open after a mistake in it", async () => {
    signInWindow = await openSignInWindow(browser, welcome, server.url);
    await signInWindow.getByLabel("E-mail address").fill(ADA.email);
    await signInWindow.getByLabel("Password").fill("not the password at all");
    await signInWindow.getByRole("button", { name: "Sign in", exact: true }).click();
    await signInWindow.getByRole("alert").waitFor();
    expect(signInWindow.isClosed()).toBe(false);
  });

  it("signs up, confirms by mail and connects", async () => {
    const window = signInWindow;
    await signUp(window, server, ADA);
    await welcome.getByRole("button", { name: "Start my first phone" }).waitFor();
  });

  it("launches a phone with the tab's page, in the real side panel, live", async () => {
    tab = await browser.openTab(`${site.origin}/counter`);
    panel = await openOnPhone(browser, tab);
    await showsColour(panel, COLOURS.counter);
    // The tab says its own size, again when the panel opens beside it.
    await until("the page's size on the phone", () => site.told("size").includes("360x800"));
    expect(await pictureSize(panel)).toMatchObject({ height: expect.any(Number) });
  });

  it("puts its commands on keys that were really assigned", async () => {
    const worker = await browser.worker();
    const assigned = await worker.evaluate(async () => {
      const { commands } = Reflect.get(globalThis, "chrome") as {
        commands: { getAll(): Promise<{ name: string; shortcut: string }[]> };
      };
      return commands.getAll();
    });
    expect(assigned.filter(({ shortcut }) => shortcut === "")).toEqual([]);
    expect(assigned.map(({ name }) => name).sort()).toEqual(["_execute_action", "open-page", "toggle-panel"]);
  });

  it("taps: the page on the phone counts", async () => {
    await tap(panel, 0.5, 0.5);
    await untilEqual("one tap", () => site.last("count"), "1");
    await tap(panel, 0.5, 0.5);
    await untilEqual("two taps", () => site.last("count"), "2");
  });

  it("types Latin, Chinese, Japanese, Korean and emoji, exactly", async () => {
    await openAddress(panel, `${site.origin}/form`);
    await showsColour(panel, COLOURS.form);
    await tap(panel, 0.5, 0.145);
    await untilEqual("the field to have the focus", () => site.last("focus"), "yes");
    const words = "Grüße 你好 こんにちは 안녕 🪑👩‍🔬";
    for (const part of words.split(" ")) {
      await panel.keyboard.insertText(part);
      await panel.keyboard.press("Space");
    }
    await untilEqual("the words on the site", () => site.last("typed")?.trim(), words);
    await panel.keyboard.press("Backspace");
    await panel.keyboard.press("Enter");
    await untilEqual("Enter", () => site.last("entered"), words);
  });

  it("scrolls with the wheel", async () => {
    await openAddress(panel, `${site.origin}/scroll`);
    await showsColour(panel, COLOURS.scroll);
    await wheel(panel, 400);
    await until("the page to scroll", () => Number(site.last("scrolled") ?? 0) > 100);
  });

  it("rotates there and back", async () => {
    await openAddress(panel, `${site.origin}/counter`);
    await showsColour(panel, COLOURS.counter);
    await panel.getByRole("button", { name: "Rotate" }).click();
    await untilEqual("the turned size", () => site.last("size"), "800x360");
    await until("a wide picture", async () => {
      const size = await pictureSize(panel);
      return size !== undefined && size.width > size.height;
    });
    await panel.getByRole("button", { name: "Rotate" }).click();
    await untilEqual("the upright size", () => site.last("size"), "360x800");
  });

  it("takes a screenshot in device pixels", async () => {
    await panel.getByRole("button", { name: "Screenshot" }).click();
    const picture = panel.getByRole("img", { name: /^Screen of / });
    await picture.waitFor();
    await untilEqual(
      "the picture's size",
      () => picture.evaluate((image: HTMLImageElement) => image.naturalWidth),
      720,
    );
    await panel.keyboard.press("Escape");
    await picture.waitFor({ state: "detached" });
  });

  it("parks, and resumes with cookies and storage kept", async () => {
    await openAddress(panel, `${site.origin}/sign-in`);
    await until("the sign-in page", () => site.requests("/sign-in") > 0);
    await openAddress(panel, `${site.origin}/session`);
    await until("the session page", () => site.requests("/session") > 0);
    await openAddress(panel, `${site.origin}/memory`);
    await showsColour(panel, COLOURS.memory);
    await untilEqual("the first visit", () => site.last("visits"), "1");

    await phoneMenu(panel, "Park");
    await panel.getByRole("heading", { name: "Parked" }).waitFor();
    await until("the phone's browser to be gone", () => server.output !== "" && phoneIsGone(server));
    await panel.getByRole("button", { name: "Start" }).click();
    await showsColour(panel, COLOURS.memory);
    await untilEqual("the second visit", () => site.last("visits"), "2");
    expect(site.cookieOf("/memory")).toContain("basket=blue-chair");
    expect(site.cookieOf("/memory")).toContain("session=until-closed");
  });

  it("shows the same phone to a second viewer, who only watches", async () => {
    second = await browser.openExtensionPage("sidepanel.html?full=1");
    await showsColour(second, COLOURS.memory);
    await second.getByRole("button", { name: "Ask for control" }).waitFor();
    expect(await second.getByRole("button", { name: "Rotate" }).isDisabled()).toBe(true);
    expect(await panel.getByRole("button", { name: "Rotate" }).isDisabled()).toBe(false);
  });

  it("hands control over when it is asked for and given, and not before", async () => {
    await second.getByRole("button", { name: "Ask for control" }).click();
    await panel.getByText("asks for control").waitFor();
    await panel.getByRole("button", { name: "Keep", exact: true }).click();
    await second.getByRole("button", { name: "Ask again" }).click();
    await panel.getByRole("button", { name: "Give", exact: true }).click();
    await until("the second viewer to control", () => second.getByRole("button", { name: "Rotate" }).isEnabled());
    await until("the first to watch", () => panel.getByRole("button", { name: "Rotate" }).isDisabled());
    await openAddress(second, `${site.origin}/counter`);
    await showsColour(panel, COLOURS.counter);
    const before = site.told("count").length;
    await tap(panel, 0.5, 0.5);
    await tap(second, 0.5, 0.5);
    await untilEqual("the controller's tap", () => site.told("count").slice(before), ["1"]);
  });

  it("closes every stream within a second of signing out", async () => {
    await panel.getByRole("tab", { name: "Account" }).click();
    await panel.getByRole("tab", { name: "Phone" }).click();
    await untilEqual("two viewers", () => viewers(server), 2);
    await panel.getByRole("tab", { name: "Account" }).click();
    await panel.getByRole("button", { name: "Sign out", exact: true }).click();
    const button = panel.getByRole("dialog").getByRole("button", { name: "Sign out" });
    const from = Date.now();
    await button.click();
    await untilEqual("no viewer", () => viewers(server), 0, 2_000);
    expect(Date.now() - from).toBeLessThan(1_000);
    await second
      .getByText(/signed out/i)
      .first()
      .waitFor();
  });
});

function phoneIsGone(server: PerchServer): boolean {
  return server.phonePids().length <= 1;
}

async function viewers(server: PerchServer): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^perch_screen_viewers (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}
