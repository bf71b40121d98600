import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import browser from "webextension-polyfill";
import { fakeBrowser } from "wxt/testing/fake-browser";
import { PHONE_STATES } from "../../../../shared/phone-model.ts";
import type { App } from "../../../state/compose-app.ts";
import { createLightApp } from "../../../state/light-app.ts";
import { createPhonesStore } from "../../../state/phones.ts";
import { privacyMark } from "../../../state/privacy-mark.ts";
import { memoryTokens } from "../../../state/tokens.ts";
import { stubPhone } from "../../../testing/stub.router.ts";
import { type StubServer, startStubServer } from "../../../testing/stub-server.ts";
import { refreshBadge } from "../alarms.ts";
import { handOver } from "../hand-over.ts";
import { MENU_ITEMS, textWish, wishOf } from "../menus.ts";
import { omniboxWish, suggestions } from "../omnibox.ts";

const expiresAt = "2030-01-01T00:00:00.000Z";
let badge: string[];
beforeEach(() => {
  fakeBrowser.reset();
  badge = [];
  vi.spyOn(browser.action, "setBadgeText").mockImplementation(async ({ text }) => void badge.push(text ?? ""));
  vi.spyOn(browser.action, "setTitle").mockImplementation(async ({ title }) => void badge.push(title ?? ""));
  vi.spyOn(browser.action, "setBadgeBackgroundColor").mockResolvedValue();
  vi.spyOn(browser.action, "setBadgeTextColor").mockResolvedValue();
});
afterEach(() => vi.restoreAllMocks());

const click = (over: Partial<Parameters<typeof wishOf>[0]>) =>
  wishOf({
    itemId: "",
    linkUrl: undefined,
    imageUrl: undefined,
    pageUrl: "https://shop.example/chair",
    selectedText: undefined,
    mediaType: undefined,
    tab: undefined,
    ...over,
  });

describe("context menus", () => {
  it("turn each kind of click into a wish", () => {
    expect(click({ itemId: "open-page" })).toEqual({ type: "open", url: "https://shop.example/chair" });
    expect(click({ itemId: "install-page" })).toEqual({ type: "install", url: "https://shop.example/chair" });
    expect(click({ itemId: "open-link", linkUrl: "https://a.example/" })).toEqual({
      type: "open",
      url: "https://a.example/",
    });
    expect(click({ itemId: "open-image", imageUrl: "https://a.example/x.png" })).toMatchObject({ type: "open" });
    expect(click({ itemId: "send-text", selectedText: "Hello there" })).toEqual({
      type: "clipboard",
      text: "Hello there",
    });
  });
  it("have no item without a meaning", () => {
    for (const { id } of MENU_ITEMS) {
      const meant = click({
        itemId: id,
        linkUrl: "https://a.example/",
        imageUrl: "https://a.example/i",
        selectedText: "x",
      });
      expect(meant).toBeDefined();
    }
  });
  it.each(["javascript:alert(1)", "file:///etc/passwd", "chrome://settings", "data:text/html,x"])(
    "do not open %s",
    (url) => {
      expect(click({ itemId: "open-link", linkUrl: url })).toBeUndefined();
      expect(click({ itemId: "open-page", pageUrl: url })).toBeUndefined();
    },
  );
});

describe("selected text", () => {
  it.each(["example.org", "example.org/a?b=c", "https://example.org", "sub.example.org:8443/x"])("opens %s", (text) => {
    expect(textWish(text)).toMatchObject({ type: "open" });
  });
  it.each(["Hello world", "chair", "e.g.", "3.14", "a@b", "javascript:alert(1)"])(
    "puts %j on the clipboard",
    (text) => {
      expect(textWish(text)).toEqual({ type: "clipboard", text });
    },
  );
  it("ignores nothing but space", () => {
    expect(textWish("  \n ")).toBeUndefined();
  });
});

describe("the address bar", () => {
  const phones = [stubPhone({ name: "Work phone" }), stubPhone({ name: "Pixel, tall" })];
  it("shows a phone by name, opens an address, and knows when it is neither", () => {
    expect(omniboxWish(phones, "work PHONE")).toEqual({ type: "show", phoneId: phones[0]?.id });
    expect(omniboxWish(phones, "example.org")).toEqual({ type: "open", url: "https://example.org/" });
    expect(omniboxWish(phones, "blue chairs")).toBeUndefined();
    expect(omniboxWish(phones, "")).toBeUndefined();
  });
  it("suggests phones by part of their name", () => {
    expect(suggestions(phones, "pix").map(({ content }) => content)).toEqual(["Pixel, tall"]);
  });
});

describe("handing over", () => {
  it("leaves the wish for the panel, and opens the panel in a tab where it cannot open beside the page", async () => {
    const app = createLightApp({ tokens: memoryTokens() });
    const created = vi.spyOn(browser.tabs, "create");
    await handOver(app, 1, { type: "open", url: "https://example.org/" });
    expect((await app.intents.take())[0]?.wish).toEqual({ type: "open", url: "https://example.org/" });
    expect(created.mock.calls[0]?.[0]?.url).toContain("/sidepanel.html?full=1");
  });

  it("opens the panel before anything is awaited, because awaiting loses the gesture", async () => {
    const app = createLightApp({ tokens: memoryTokens() });
    const open = vi.fn(async (_: { windowId: number }) => undefined);
    vi.spyOn(browser as unknown as { sidePanel: object }, "sidePanel", "get").mockReturnValue({ open });
    const created = vi.spyOn(browser.tabs, "create");
    const handing = handOver(app, 7, { type: "open", url: "https://example.org/" });
    expect(open).toHaveBeenCalledWith({ windowId: 7 });
    await handing;
    expect(created).not.toHaveBeenCalled();
  });
});

describe("the badge", () => {
  let server: StubServer;
  let app: App;
  beforeEach(async () => {
    server = await startStubServer();
    app = createLightApp({ tokens: memoryTokens({ server: server.origin, token: server.token, expiresAt }) });
    await app.settings.set({ server: server.origin, theme: "system" });
  });
  afterEach(() => server.close());

  it("counts running phones and remembers the list", async () => {
    for (const state of ["running", "running", "parked"] as const) {
      const phone = stubPhone({ state });
      server.state.phones.set(phone.id, phone);
    }
    await refreshBadge(app);
    expect(badge).toEqual(["2", "Perch: 2 phones are running"]);
    expect((await app.phonesCache.get())?.phones).toHaveLength(3);
  });
  it("counts what is billed, and nothing else", async () => {
    for (const state of PHONE_STATES) {
      const phone = stubPhone({ state });
      server.state.phones.set(phone.id, phone);
    }
    await refreshBadge(app);
    expect(badge).toEqual(["1", "Perch: 1 phone is running"]);
  });
  it("says what it costs, and counts without it", async () => {
    const phone = stubPhone({ state: "running" });
    server.state.phones.set(phone.id, phone);
    server.state.burn = {
      mode: "stripe",
      currency: "usd",
      running: [],
      words: "1 phone running, $0.12/h",
      perHour: 12,
    };
    await refreshBadge(app);
    server.state.burn = undefined;
    await refreshBadge(app);
    expect(badge).toEqual(["1", "Perch: 1 phone running, $0.12/h", "1", "Perch: 1 phone is running"]);
  });
  it("puts a clock of the person's data first, and still says what runs", async () => {
    const phone = stubPhone({ state: "running" });
    server.state.phones.set(phone.id, phone);
    const clock = { kind: "deletion", at: expiresAt, urgent: true } as const;
    await privacyMark().set({ server: server.origin, clock, read: [] });
    await refreshBadge(app);
    await privacyMark().set({ server: server.origin, clock: { ...clock, urgent: false }, read: [] });
    await refreshBadge(app);
    expect(badge).toEqual([
      "!",
      "Perch: your data needs a decision of yours, see Privacy; 1 phone is running",
      "1",
      "Perch: 1 phone is running",
    ]);
  });
  it("is empty and says so when there is no server, no one signed in, or no answer", async () => {
    await server.close();
    await refreshBadge(app);
    await app.tokens.delete(server.origin);
    await refreshBadge(app);
    await app.settings.set({ theme: "system" });
    await refreshBadge(app);
    expect(badge).toEqual(["", "Perch: the server does not answer", "", "Perch: sign in", "", "Perch: set it up"]);
    server = await startStubServer();
  });
  it("forgets a token the server no longer takes", async () => {
    server.state.tokens.clear();
    await refreshBadge(app);
    expect(await app.tokens.get(server.origin)).toBeUndefined();
    expect(badge.at(-1)).toBe("Perch: sign in");
  });
  it("leaves behind why it forgot the token, for the panel to say", async () => {
    await app.tokens.set({ server: server.origin, token: "cp_old", expiresAt: "2020-01-01T00:00:00.000Z" });
    await refreshBadge(app);
    expect(await app.phonesCache.get()).toMatchObject({ signedIn: false, why: "expired", phones: [] });
    const panel = createPhonesStore(app);
    await panel.start();
    expect(panel.snapshot().failure).toEqual({ kind: "signed_out", why: "expired" });
    panel.stop();
  });
});
