import { describe, expect, it } from "vitest";
import { manifestFor } from "./manifest.ts";

const chrome = manifestFor({ browser: "chrome", loopbackHosts: false });
const firefox = manifestFor({ browser: "firefox", loopbackHosts: false });

describe("the manifest", () => {
  // A permission added here disables the extension for everyone until they agree anew: change it knowingly.
  it("asks Chrome for exactly this at install", () => {
    expect(chrome.permissions).toEqual([
      "storage",
      "sidePanel",
      "offscreen",
      "contextMenus",
      "activeTab",
      "scripting",
      "alarms",
      "identity",
    ]);
    expect(chrome.host_permissions).toBeUndefined();
    expect(chrome.optional_host_permissions).toEqual(["https://*/*", "http://*/*"]);
    expect(chrome.optional_permissions).toBeUndefined();
    expect(chrome.content_scripts).toBeUndefined();
    expect(chrome.externally_connectable).toBeUndefined();
    expect(chrome.web_accessible_resources).toBeUndefined();
  });

  it("asks Firefox for the same, without the permission it does not know", () => {
    expect(firefox.permissions).toEqual(["storage", "contextMenus", "activeTab", "scripting", "alarms", "identity"]);
    expect(firefox.host_permissions).toBeUndefined();
  });

  it("matches its snapshot for Chrome", () => {
    expect(chrome).toMatchSnapshot();
  });

  it("matches its snapshot for Firefox", () => {
    expect(firefox).toMatchSnapshot();
  });

  it("differs for end-to-end tests only by the loopback origins", () => {
    for (const [browser, plain] of [
      ["chrome", chrome],
      ["firefox", firefox],
    ] as const) {
      const { host_permissions, ...rest } = manifestFor({ browser, loopbackHosts: true });
      expect(host_permissions).toEqual(["http://localhost/*", "http://127.0.0.1/*"]);
      expect(rest).toEqual(plain);
    }
  });
});
