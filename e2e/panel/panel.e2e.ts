/** The side panel's page in a real Chromium against a small server of the contract, with real pictures on the socket. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { Phone } from "../../shared/phones.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { keepEvidence } from "../harness/evidence.ts";
import { until } from "../harness/until.ts";
import { LOOKS } from "./looks.ts";
import { openPanelPage, PANEL_SIZE, SIGNED_IN, storeSignIn, storeWish } from "./panel-page.ts";
import { type PhonePictures, phonePictures } from "./phone-pictures.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
const AXE = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const LIVE = ".picture:not(.picture-dimmed)";

describe.skipIf(executable === undefined)("the side panel", () => {
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
    show(server);
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
    page = await openPanelPage(browser.context);
  });
  afterEach(async () => {
    await page.close();
    await server.stop();
  });
  keepEvidence(() => ({ browser }));

  function show(stub: StubServer): void {
    stub.screens.frames = pictures.frames;
    stub.screens.rotatedFrames = pictures.rotated;
    stub.state.png = pictures.png;
  }
  async function livePhone(): Promise<Phone> {
    await page.getByText("No phone yet").waitFor();
    const phone = server.team.add({ state: "running", startedAt: new Date().toISOString() });
    await page.locator(LIVE).waitFor();
    return phone;
  }
  async function more(label: "More" | "More about this phone", item: string): Promise<void> {
    await page.getByRole("button", { name: label, exact: true }).click();
    await page.getByRole("menuitem", { name: item }).click();
  }

  it("makes a first phone and shows its live picture", async () => {
    await page.getByRole("button", { name: "New phone" }).click();
    await page.getByRole("button", { name: "Large" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("Shop phone");
    await page.getByRole("button", { name: "Make and start" }).dblclick();
    await page.locator(LIVE).waitFor();
    expect([...server.team.phones.values()].map(({ name, profile }) => ({ name, profile }))).toEqual([
      { name: "Shop phone", profile: "large" },
    ]);
  });

  it("sends touches where they were aimed, with a dot at once, and typed text of any script", async () => {
    await livePhone();
    const box = await page.locator(".picture").boundingBox();
    if (box === null) throw new Error("The picture has no box.");
    expect(box.width / box.height).toBeCloseTo(360 / 800, 1);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 4);
    await page.mouse.down();
    expect(await page.locator(".touch-dot").count()).toBe(1);
    await page.mouse.up();
    await page.keyboard.insertText("héllo 你好 🙂");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Home" }).click();
    const { received } = server.screens;
    await until("the home key", () => received.some((message) => message.type === "key" && message.name === "Home"));
    const start = received.find((message) => message.type === "touch" && message.phase === "start");
    expect(start).toMatchObject({ x: expect.closeTo(0.5, 1), y: expect.closeTo(0.25, 1) });
    expect(
      received
        .filter((message) => message.type === "text")
        .map(({ value }) => value)
        .join(""),
    ).toBe("héllo 你好 🙂");
    expect(received).toContainEqual({ type: "key", name: "Enter" });
  });

  it("leaves the phone's keyboard by Escape twice", async () => {
    await livePhone();
    await page.locator(".picture").focus();
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("TEXTAREA");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("role"))).toBe("application");
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
  });

  it("saves a screenshot as a PNG file", async () => {
    await livePhone();
    await page.getByRole("button", { name: "Screenshot" }).click();
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save PNG" }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/^Pixel, tall \d{4}-\d\d-\d\d .*\.png$/);
    expect(
      readFileSync(await download.path())
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
  });

  it("asks for control, is refused, gets it, and gives it away", async () => {
    await livePhone();
    server.screens.broadcast({ type: "state", controller: false, controllerName: "Ben", viewers: 2 });
    await page.getByText("Ben controls this phone.").waitFor();
    expect(await page.getByRole("button", { name: "Back" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Ask for control" }).click();
    await page.getByText("Asked Ben.").waitFor();
    server.screens.broadcast({ type: "state", controller: false, controllerName: "Ben", viewers: 2, declined: true });
    await page.getByText("Ben keeps control for now.").waitFor();
    server.screens.broadcast({ type: "state", controller: true, viewers: 2, asking: "Ben" });
    await page.getByRole("button", { name: "Give" }).click();
    await until("the answers", () => server.screens.received.filter(({ type }) => type === "control").length === 2);
    expect(server.screens.received).toContainEqual({ type: "control", action: "ask" });
    expect(server.screens.received).toContainEqual({ type: "control", action: "give" });
  });

  it("takes over where the role allows it, and says who took control", async () => {
    await livePhone();
    const watching = { type: "state", controller: false, controllerName: "Ben", viewers: 2 } as const;
    server.screens.broadcast(watching);
    await page.getByText("Ben controls this phone.").waitFor();
    expect(await page.getByRole("button", { name: "Take over" }).count()).toBe(0);
    server.screens.broadcast({ ...watching, mayTake: true });
    await page.getByRole("button", { name: "Take over" }).click();
    await until("the wish", () => server.screens.received.some((one) => one.type === "control"));
    expect(server.screens.received).toContainEqual({ type: "control", action: "take" });
    server.screens.broadcast({ type: "state", controller: true, viewers: 2 });
    await page.getByText("Ben controls this phone.").waitFor({ state: "detached" });
    server.screens.broadcast({ ...watching, takenBy: "Ben" });
    await page.getByText("Ben took control of this phone.").waitFor();
  });

  it("does what was asked elsewhere, once", async () => {
    await page.getByText("No phone yet").waitFor();
    await storeWish(page, { type: "open", url: "https://shop.example/blue" });
    await page.locator(LIVE).waitFor();
    expect(server.team.opened).toMatchObject([{ url: "https://shop.example/blue" }]);
    await page.reload();
    await page.locator(LIVE).waitFor();
    expect(server.team.opened).toHaveLength(1);
    await storeWish(page, { type: "clipboard", text: "for the phone" });
    await until("the clipboard", () => server.screens.received.some(({ type }) => type === "clipboard"));
    expect(server.screens.received).toContainEqual({ type: "clipboard", value: "for the phone" });
  });

  it("closes when the key that opened it is pressed again, and puts the running phones on the badge", async () => {
    await livePhone();
    const worker = await browser.worker();
    await until("the badge", () => worker.evaluate(badgeText).then((text) => text === "1"));
    const closed = page.waitForEvent("close");
    await worker.evaluate(sayClose);
    await closed;
  });

  it("parks, offers to undo it, and keeps the last picture dimmed", async () => {
    const phone = await livePhone();
    await more("More about this phone", "Park");
    await page.getByRole("heading", { name: "Parked" }).waitFor();
    expect(await page.locator(".picture-dimmed canvas").getAttribute("width")).toBe("360");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.locator(LIVE).waitFor();
    expect(server.team.get(phone.id).state).toBe("running");
  });

  it("takes the offer to undo back when the phone was started elsewhere", async () => {
    const phone = await livePhone();
    await more("More about this phone", "Park");
    const offer = page.locator(".toast", { hasText: "Pixel, tall is parked." });
    // Under the pointer it would stay for good.
    await offer.hover();
    await page.getByRole("tab", { name: "Privacy" }).press("Enter");
    await page.getByText("9 kinds of data").waitFor();
    expect(await offer.isVisible()).toBe(true);
    server.team.running(phone.id);
    await offer.waitFor({ state: "detached" });
  });

  it("comes back by itself when the server was killed and started again", async () => {
    await livePhone();
    const port = Number(new URL(server.origin).port);
    await server.stop();
    await page.getByRole("heading", { name: "Reconnecting" }).waitFor();
    expect(await page.locator(".picture-dimmed canvas").getAttribute("width")).toBe("360");
    server = await startStubServer(port, server);
    show(server);
    await page.locator(LIVE).waitFor({ timeout: 20_000 });
  });

  it("shows the way back in when the session was ended elsewhere, and sends nothing more", async () => {
    await livePhone();
    server.state.signedIn = false;
    server.screens.end({ type: "ended", reason: "signed_out", message: "You were signed out." }, 4401);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await until("the stream to close", () => server.screens.viewers === 0);
  });

  it("removes a phone only after saying what will be gone", async () => {
    await livePhone();
    await more("More about this phone", "Remove…");
    await page.getByText("the files it downloaded").waitFor();
    expect(server.team.phones.size).toBe(1);
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText("Pixel, tall is removed: 214 files, 18 MB wiped and checked.").waitFor();
    await page.getByText("No phone yet").waitFor();
  });

  it("lists what is held and ends other sessions", async () => {
    await page.getByText("No phone yet").waitFor();
    await page.getByRole("tab", { name: "Privacy" }).click();
    await page.getByText("9 kinds of data").waitFor();
    await page.getByText("7 more kinds").click();
    await page.getByText("E-mail address").click();
    await page.getByText("to sign you in; to send you mail about your account").waitFor();
    await page.getByRole("heading", { name: "Sessions" }).click();
    await page.getByRole("button", { name: "Sign out everywhere else" }).click();
    await page.getByText("2 other sessions ended.").waitFor();
    await until("one session", () => server.state.sessions.length === 1);
  });

  it("says what the server refused, and stays usable", async () => {
    await page.getByText("No phone yet").waitFor();
    const phone = server.team.add();
    const message = "Your team has 4 phones running, its limit. Park one first.";
    server.state.failNext = { path: "phones.start", code: "limit_reached", message };
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText(message).waitFor();
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator(LIVE).waitFor();
    expect(server.team.get(phone.id).state).toBe("running");
  });

  it("is clean for axe in light and dark, at 360 and 320 pixels", async () => {
    await livePhone();
    server.screens.broadcast({ type: "state", controller: true, viewers: 2, asking: "Ben" });
    server.screens.broadcast({ type: "clipboard", value: "482 913" });
    for (const { width, colorScheme } of LOOKS) {
      await page.setViewportSize({ ...PANEL_SIZE, width });
      await page.emulateMedia({ colorScheme });
      for (const tab of ["Phone", "Automations", "Activity", "Privacy", "Account"]) {
        await page.getByRole("tab", { name: tab }).click();
        if (tab === "Privacy") await page.getByText("Here and 2 more").waitFor();
        if (tab === "Account") await page.getByText("Security activity").waitFor();
        if (tab === "Activity") await page.getByRole("heading", { name: "Nothing has happened yet" }).waitFor();
        if (tab === "Phone") await page.locator(LIVE).waitFor();
        if (tab === "Automations") await page.getByRole("heading", { level: 1, name: "Automations" }).waitFor();
        expect(await violations(page), `${tab}, ${width}, ${colorScheme}`).toEqual([]);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        expect(sideways, `${tab} scrolls sideways at ${width}`).toBe(false);
      }
    }
  }, 90_000);
});

/** Run in the worker: what the toolbar button shows. */
async function badgeText(): Promise<string> {
  const { action } = Reflect.get(globalThis, "chrome") as {
    action: { getBadgeText(details: object): Promise<string> };
  };
  return action.getBadgeText({});
}
/** Run in the worker: what `togglePanel` says to panels that are open. */
async function sayClose(): Promise<void> {
  const { runtime } = Reflect.get(globalThis, "chrome") as {
    runtime: { sendMessage(message: object): Promise<unknown> };
  };
  await runtime.sendMessage({ perch: 1, type: "close_panel" }).catch(() => undefined);
}

/** Ids of the rules axe finds broken. Injected as a value: the extension's policy refuses script elements. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
    return (await axe.run()).violations.map(({ id }) => id);
  });
}
