import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import browser from "webextension-polyfill";
import { fakeBrowser } from "wxt/testing/fake-browser";
import { newId } from "../../../../shared/ids.ts";
import type { DeletionView } from "../../../../shared/privacy.ts";
import type { App } from "../../../state/compose-app.ts";
import { createLightApp } from "../../../state/light-app.ts";
import { privacyMark } from "../../../state/privacy-mark.ts";
import { memoryTokens } from "../../../state/tokens.ts";
import { type StubServer, startStubServer } from "../../../testing/stub-server.ts";
import { showRunning } from "../alarms.ts";
import { lookAtPrivacy } from "../privacy.ts";

const expiresAt = "2030-01-01T00:00:00.000Z";
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const deletion: DeletionView = {
  ...{ id: newId("erasure"), state: "grace", askedAt: inDays(-1), steps: [] },
  ...{ purgeAt: inDays(6), goneBy: inDays(36) },
};

let server: StubServer;
let app: App;
let removedTo: string[];
let badge: string[];
beforeEach(async () => {
  fakeBrowser.reset();
  removedTo = [];
  badge = [];
  vi.spyOn(browser.runtime, "setUninstallURL").mockImplementation(async (url) => void removedTo.push(url ?? ""));
  vi.spyOn(browser.action, "setBadgeText").mockImplementation(async ({ text }) => void badge.push(text ?? ""));
  vi.spyOn(browser.action, "setTitle").mockImplementation(async ({ title }) => void badge.push(title ?? ""));
  vi.spyOn(browser.action, "setBadgeBackgroundColor").mockResolvedValue();
  vi.spyOn(browser.action, "setBadgeTextColor").mockResolvedValue();
  server = await startStubServer();
  app = createLightApp({ tokens: memoryTokens({ server: server.origin, token: server.token, expiresAt }) });
  await app.settings.set({ server: server.origin, theme: "system" });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
});

/** The first look asks for the address, the second for the clocks. */
const lookTwice = async () => {
  await lookAtPrivacy(app);
  await lookAtPrivacy(app);
};

describe("privacy in the worker", () => {
  it("has the browser open the address that ends this session when Perch is removed, asked for once", async () => {
    await lookTwice();
    await lookAtPrivacy(app);
    expect(removedTo.at(-1)).toBe("http://stub/uninstalled?token=stub");
    expect(server.state.calls.filter((path) => path === "sessions.uninstallLink")).toHaveLength(1);
    expect(removedTo.join(" ")).not.toContain(server.token);
    await app.tokens.delete(server.origin);
    await lookAtPrivacy(app);
    expect(removedTo.at(-1)).toBe("");
  });

  it("puts a clock that needs the person before the number of phones, and takes it back", async () => {
    server.state.privacy = { deletion };
    await lookTwice();
    await showRunning(2);
    expect(badge).toEqual(["!", "Perch: your data needs a decision of yours, see Privacy; 2 phones are running"]);
    server.state.privacy = {};
    await lookAtPrivacy(app);
    await showRunning(2);
    expect(badge.slice(2)).toEqual(["2", "Perch: 2 phones are running"]);
  });

  it("asks nothing while nobody is signed in, and keeps the last mark while the server is away", async () => {
    server.state.privacy = { deletion };
    await lookTwice();
    await server.close();
    await lookAtPrivacy(app);
    expect(await privacyMark().get()).toMatchObject({ hold: "closing" });
    server = await startStubServer();
    await app.tokens.delete(server.origin);
    await app.settings.set({ server: server.origin, theme: "system" });
    await lookAtPrivacy(app);
    expect(server.state.calls).toEqual([]);
  });

  it("leaves nothing in the browser once the account is gone, and everything when only the session ended", async () => {
    const wiped = vi.spyOn(browser.storage.local, "clear");
    vi.stubGlobal("indexedDB", { databases: async () => [] });
    vi.spyOn(browser.permissions, "getAll").mockResolvedValue({ origins: ["https://a.example/*"] });
    const released = vi.spyOn(browser.permissions, "remove").mockResolvedValue(true);
    server.state.privacy = { deletion };
    await lookTwice();
    server.state.tokens.clear();
    await lookAtPrivacy(app);
    expect(wiped).not.toHaveBeenCalled();
    await privacyMark().update((mark) => mark && { ...mark, purgeAt: inDays(-0.001) });
    await lookAtPrivacy(app);
    expect(released).toHaveBeenCalledWith({ origins: ["https://a.example/*"] });
    expect(await browser.storage.local.get()).toEqual({});
    vi.unstubAllGlobals();
  });
});
