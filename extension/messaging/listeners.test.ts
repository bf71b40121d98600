import { globSync, readFileSync } from "node:fs";
import { beforeEach, describe, expect, it, vi } from "vitest";
import browser from "webextension-polyfill";
import { fakeBrowser } from "wxt/testing/fake-browser";
import { answerExpressions } from "../rules/expression-messages.ts";
import { answerAsks } from "./asks.ts";
import { listen } from "./listen.ts";
import { handleMessages } from "./protocol.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const sources = globSync("**/*.{ts,tsx}", { cwd: ROOT })
  .filter((file) => !/\.test\.|testing\/|__tests__/.test(file))
  .map((file) => [file, readFileSync(ROOT + file, "utf8")] as const);
const filesWith = (pattern: RegExp) => sources.flatMap(([file, text]) => (pattern.test(text) ? [file] : [])).sort();

describe("messages come through one door", () => {
  it("has one listener for messages of the browser, none for other extensions and pages, and no ports", () => {
    expect(filesWith(/\bonMessage\.addListener/)).toEqual(["platform/runtime.ts"]);
    expect(
      filesWith(/onMessageExternal|onConnectExternal|onUserScript(Message|Connect)|externally_connectable/),
    ).toEqual([]);
    expect(filesWith(/\bonConnect\b|runtime\.connect\(|tabs\.(connect|sendMessage)\(/)).toEqual([]);
    // A page's own messages would come by `window`; these are event streams, the phone's socket, and a channel of ours.
    expect(filesWith(/(window|self|globalThis)?\.?(addEventListener\("message"|onmessage\s*=)/)).toEqual([
      "api/stream.ts",
      "screens/phone/live/screen-connection.ts",
      "state/indexed-db.ts",
    ]);
  });

  it("tells who sent it before anybody reads it", () => {
    expect(filesWith(/\bonMessage\b.*from ".*platform\/runtime/)).toEqual(["messaging/listen.ts"]);
    expect(filesWith(/\blisten\b.*from ".*\/listen\.ts"/)).toEqual([
      "messaging/asks.ts",
      "messaging/protocol.ts",
      "rules/expression-messages.ts",
    ]);
  });
});

describe("a script in a web page", () => {
  it("has no part of the extension in it that knows a token or a server", () => {
    const reached = new Set<string>();
    const visit = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      const text = readFileSync(file, "utf8");
      for (const [, path = ""] of text.matchAll(/^(?:import|export)(?! type)[^;]*?"(\.[^"]+)";/gm)) {
        visit(new URL(path, `file://${file}`).pathname);
      }
    };
    visit(`${ROOT}entrypoints/page-context.ts`);
    const files = [...reached].map((file) => file.replace(ROOT, "")).sort();
    expect(files).toContain("platform/page-script.ts");
    expect(files.filter((file) => /^(api|state|screens)\/|platform\/(?!page-script)/.test(file))).toEqual([]);
  });
});

describe("who may say what", () => {
  const ID = "perch-id";
  /** Outside browsers the extension schemes have no origin; any other stands for it as well. */
  const OWN = "https://perch.extension";
  type Listener = (message: unknown, sender: object) => unknown;
  const heard: Listener[] = [];
  const say = (message: unknown, sender: object) => heard.map((listener) => listener(message, sender));

  beforeEach(() => {
    fakeBrowser.reset();
    heard.length = 0;
    vi.spyOn(browser.runtime, "getURL").mockImplementation((path) => `${OWN}${path}`);
    vi.spyOn(browser.runtime.onMessage, "addListener").mockImplementation((listener) => {
      heard.push(listener as Listener);
    });
    Object.defineProperty(browser.runtime, "id", { value: ID, configurable: true });
  });

  const page = { id: ID, url: `${OWN}/popup.html`, origin: OWN };
  const script = { id: ID, url: "https://shop.example/", origin: "https://shop.example", tab: { id: 3 }, frameId: 0 };
  const strangers = [
    { id: "other-id", url: "chrome-extension://other-id/page.html", origin: "chrome-extension://other-id" },
    // Another extension that says it is a page of ours.
    { id: "other-id", url: `${OWN}/popup.html`, origin: OWN },
    { url: `${OWN}/popup.html`, origin: OWN },
    { id: ID, tab: { id: 3 } },
  ];

  it("hears nothing of strangers, whatever they say", () => {
    const listener = vi.fn();
    listen(listener);
    for (const stranger of strangers) say({ perch: 1, type: "phones_changed", running: 1 }, stranger);
    expect(listener).not.toHaveBeenCalled();
    say("x", page);
    say("y", script);
    expect(listener.mock.calls.map(([message, kind]) => [message, kind])).toEqual([
      ["x", "extension_page"],
      ["y", "content_script"],
    ]);
  });

  it("lets a script in a web page say that a page is there, and nothing else", async () => {
    const ran = vi.fn(async () => undefined);
    const all = { page_ready: ran, rules_changed: ran, offer_dismiss: ran };
    answerAsks({
      ...all,
      rules_fit: () => ran().then(() => []),
      offer_run: () => ran().then(() => ({ ok: false, asks: false, words: "" })),
    });
    answerExpressions(async ({ id: ruleId }) => {
      await ran();
      return { ruleId, fits: false, checks: [], values: [], missing: [], reason: "" };
    });
    const changed = vi.fn();
    handleMessages({ phones_changed: changed, close_panel: changed });
    expect(heard).toHaveLength(3);
    const messages: readonly object[] = [
      { perch: 1, type: "rules_changed" },
      { perch: 1, type: "rules_fit", tabId: 3 },
      { perch: 1, type: "offer_run", offerId: "o", yes: "site" },
      { perch: 1, type: "offer_dismiss", offerId: "o" },
      { perch: 1, type: "evaluate_expressions", rule: {}, facts: {} },
      { perch: 1, type: "phones_changed", running: 1 },
      { perch: 1, type: "close_panel" },
    ];
    for (const sender of [script, ...strangers]) {
      for (const message of messages) expect(say(message, sender)).toEqual([undefined, undefined, undefined]);
    }
    expect([ran.mock.calls.length, changed.mock.calls.length]).toEqual([0, 0]);
    say({ perch: 1, type: "page_ready" }, script);
    expect(ran).toHaveBeenCalledTimes(1);
    for (const message of messages) say(message, page);
    expect([ran.mock.calls.length, changed.mock.calls.length]).toEqual([6, 2]);
  });
});
