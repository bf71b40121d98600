/** Rules from a page's visit to a start on the server, with a real server's contract and only the browser faked. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import browser from "webextension-polyfill";
import { fakeBrowser } from "wxt/testing/fake-browser";
import { SIGNED_IN } from "../../e2e/panel/panel-page.ts";
import { type StubServer, startStubServer } from "../../e2e/panel/stub-server.ts";
import type { Rule, RuleInput } from "../../shared/rules/model.ts";
import type { PageFacts } from "../../shared/rules/page-facts.ts";
import { makeFacts, PHONE_ID, ruleInput } from "../../shared/rules/rule.fixture.ts";
import { admitAsk } from "../messaging/asks.ts";
import { openTab } from "../platform/tabs.ts";
import { createLightApp } from "../state/light-app.ts";
import { memoryTokens } from "../state/tokens.ts";
import { dismissOffer, fittingRules, runFromMenu, runOffer } from "./by-hand.ts";
import { evaluator } from "./evaluate-rule.ts";
import { evaluationLog } from "./evaluation-log.ts";
import { evaluateHere } from "./expressions-here.ts";
import { readRules } from "./known-rules.ts";
import { offers } from "./offers.ts";
import { onPage } from "./on-page.ts";
import type { RuleParts } from "./parts.ts";
import { memoryRecords } from "./rule-records.ts";
import { consentState, rememberConsent } from "./site-consent.ts";
import { visitOf } from "./visit-of.ts";

const URL_42 = "https://shop.example/product/42";
let server: StubServer;
let parts: RuleParts;
let clock: number;
let granted: boolean;
let tabUrl: string;
let page: Partial<PageFacts>;
let scripts: { matches: string[] }[];

beforeEach(async () => {
  fakeBrowser.reset();
  server = await startStubServer();
  const tokens = memoryTokens({ server: server.origin, token: SIGNED_IN, expiresAt: "2100-01-01T00:00:00.000Z" });
  const app = createLightApp({ tokens });
  await app.settings.set({ server: server.origin, theme: "system" });
  // Later than whenever this runs: the stub dates rules by the real clock.
  clock = Date.UTC(2099, 10, 26, 9);
  const records = memoryRecords(() => clock);
  parts = { app, records, evaluate: evaluator(evaluateHere), now: () => clock };
  granted = true;
  tabUrl = URL_42;
  page = {};
  scripts = [];
  vi.spyOn(browser.permissions, "contains").mockImplementation(async () => granted);
  vi.spyOn(browser.tabs, "get").mockImplementation(
    async (id) => ({ id, url: tabUrl, incognito: false }) as browser.Tabs.Tab,
  );
  vi.spyOn(browser.scripting, "executeScript").mockImplementation(async () => [
    { frameId: 0, documentId: "d", result: makeFacts({}, page).page },
  ]);
  vi.spyOn(browser.scripting, "getRegisteredContentScripts").mockImplementation(
    async () => scripts as browser.Scripting.RegisteredContentScript[],
  );
  vi.spyOn(browser.scripting, "registerContentScripts").mockImplementation(async (all) => {
    scripts = all as { matches: string[] }[];
  });
  vi.spyOn(browser.scripting, "updateContentScripts").mockImplementation(async (all) => {
    scripts = all as { matches: string[] }[];
  });
  vi.spyOn(browser.scripting, "unregisterContentScripts").mockImplementation(async () => {
    scripts = [];
  });
  for (const name of ["setBadgeText", "setTitle"] as const) vi.spyOn(browser.action, name).mockResolvedValue();
  vi.spyOn(browser.action, "getTitle").mockResolvedValue("Perch");
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server.stop();
});

const asked = () => server.state.rules.asked;
const add = async (over: Partial<RuleInput> = {}, allow = true): Promise<Rule> => {
  const { id: _, ...rest } = ruleInput({
    extract: [{ var: "address", from: [{ kind: "url", part: "address" }] }],
    confirm: "never",
    ...over,
  });
  const { rule } = server.state.rules.add(rest);
  if (allow) await rememberConsent(parts.records, rule);
  await readRules(parts.app, parts.records);
  return rule;
};
let documents = 0;
const visit = (url = URL_42, document = `document ${++documents}`) => {
  tabUrl = url;
  return onPage(parts, { target: { tabId: 1, documentId: document }, url, document });
};
const lastGate = async () => (await evaluationLog()).at(-1)?.gate;

describe("a page that calls for a rule", () => {
  it("starts one run of a document, however often it is told", async () => {
    const rule = await add();
    await Promise.all([visit(URL_42, "a"), visit(URL_42, "a")]);
    await visit(URL_42, "a");
    expect(asked()).toMatchObject([{ ruleId: rule.id, way: "navigation", values: { address: URL_42 }, cause: [] }]);
  });
  it("is judged by the address the tab has, not by one it left while it was read", async () => {
    await add({ when: { all: [{ kind: "dom", css: "h1" }] } });
    page = { dom: [{ css: "h1", visible: false, count: 1 }] };
    vi.mocked(browser.scripting.executeScript).mockImplementationOnce(async () => {
      tabUrl = "https://other.example/";
      return [{ frameId: 0, documentId: "d", result: makeFacts({}, page).page }];
    });
    await visit();
    expect([asked(), await evaluationLog()]).toEqual([[], []]);
  });
  it("does nothing without the browser's permission, the person's yes, or with a rule changed since", async () => {
    const rule = await add({}, false);
    await visit();
    expect(await lastGate()).toBe("consent");
    await rememberConsent(parts.records, rule);
    granted = false;
    expect(await consentState(parts.records, rule)).toBe("none");
    await visit();
    expect(await lastGate()).toBe("consent");
    granted = true;
    server.state.rules.save({ ...rule, extract: [{ ...rule.extract[0], var: "other" } as Rule["extract"][number]] });
    await readRules(parts.app, parts.records);
    await visit();
    expect(await lastGate()).toBe("consent");
    expect(asked()).toEqual([]);
  });
  it("is left alone on our own server, in tabs we opened, and on paused sites", async () => {
    await add({
      scope: ["http://127.0.0.1/*", "https://shop.example/*"],
      cooldownMs: 0,
      debounceMs: 0,
      mode: { parallel: 5 },
    });
    await visit(`${server.origin}/account`);
    expect(await lastGate()).toBe("own-page");
    vi.spyOn(browser.tabs, "create").mockResolvedValue({ id: 1 } as browser.Tabs.Tab);
    vi.useFakeTimers({ now: clock, toFake: ["Date"] });
    await openTab(URL_42);
    await visit();
    expect(await lastGate()).toBe("loop");
    clock += 61_000;
    await parts.records.update("pauses", () => ({ "shop.example": clock + 1 }));
    await visit();
    expect(await lastGate()).toBe("site-paused");
    clock += 2;
    await visit();
    expect(asked()).toHaveLength(1);
    await parts.records.update("pauses", () => ({ "*.example": clock + 1 }));
    await visit("https://shop.example/product/43");
    expect(await lastGate()).toBe("site-paused");
    vi.useRealTimers();
  });
  it("gets the script on exactly the sites of rules that may act", async () => {
    await add({ scope: ["https://*.shop.example/a/*", "http://b.example/*"] });
    await add({ scope: [] });
    await add({ scope: ["https://stranger.example/*"] }, false);
    await add({ scope: ["https://off.example/*"], enabled: false });
    await readRules(parts.app, parts.records);
    expect(scripts.flatMap(({ matches }) => matches)).toEqual(["http://b.example/*", "https://*.shop.example/*"]);
    await visit("http://b.example/");
    expect(await evaluationLog()).toHaveLength(1);
    await parts.app.tokens.delete(server.origin);
    await readRules(parts.app, parts.records);
    const left = [scripts, await parts.records.get("rules"), await offers(), await evaluationLog()];
    expect(left).toEqual([[], undefined, [], []]);
  });
  it("forgets the rules of a team that was left, though the server does not say those of the other", async () => {
    await add();
    const present = { server: server.origin, token: SIGNED_IN, expiresAt: "2100-01-01T00:00:00.000Z" };
    await parts.app.tokens.set({ ...present, team: "team_shop" });
    await readRules(parts.app, parts.records);
    server.state.failNext = { path: "rules.list", code: "unavailable", message: "Later." };
    await readRules(parts.app, parts.records);
    expect((await parts.records.get("rules"))?.saved).toHaveLength(1);
    await parts.app.tokens.set({ ...present, team: "team_other" });
    server.state.failNext = { path: "rules.list", code: "unavailable", message: "Later." };
    await readRules(parts.app, parts.records);
    expect([await parts.records.get("rules"), await offers(), scripts]).toEqual([undefined, [], []]);
  });
  it("counts visits only for rules that ask for them", async () => {
    await add();
    await visit();
    expect(await parts.records.get("visits")).toEqual({});
    await add({ when: { all: [{ kind: "visits", count: 2, windowMs: 60_000 }] }, confirm: "always" });
    await visit();
    clock += 1_000;
    await visit();
    expect(Object.keys(await parts.records.get("visits"))).toEqual(["shop.example"]);
    expect((await offers()).filter(({ waits }) => waits)).toHaveLength(1);
  });
});

describe("what a person starts", () => {
  const waiting = async () => (await offers()).find(({ waits }) => waits)?.id ?? "none";

  it("is one run of the values that were shown, however often it is clicked", async () => {
    await add({ confirm: "first" });
    await visit();
    const id = await waiting();
    tabUrl = "https://elsewhere.example/";
    const results = await Promise.all([1, 2, 3].map(() => runOffer(parts, id, "once", undefined)));
    expect(new Set(results.map((result) => result.ok && result.runId)).size).toBe(1);
    expect(asked()).toMatchObject([{ values: { address: URL_42 } }]);
  });
  it("leaves nothing behind when the server is away, and runs when it is back", async () => {
    await add({ confirm: "first" });
    await visit();
    const id = await waiting();
    const port = Number(new URL(server.origin).port);
    await server.stop();
    expect(await runOffer(parts, id, "once", undefined)).toMatchObject({
      ok: false,
      words: expect.stringMatching(/does not answer/),
    });
    expect((await parts.records.get("runs")).length).toBe(0);
    server = await startStubServer(port, server);
    expect(await runOffer(parts, id, "once", undefined)).toMatchObject({ ok: true });
  });
  it("goes on after failures once the server says so, whoever said it there", async () => {
    const rule = await add({ cooldownMs: 0, debounceMs: 0 });
    for (let count = 0; count < 5; count++) {
      await visit();
      server.state.automations.newest.to("running");
      server.state.automations.newest.to("failed");
    }
    server.state.rules.save(rule, { paused: true });
    await readRules(parts.app, parts.records);
    await visit();
    expect([await lastGate(), asked().length]).toEqual(["failures", 5]);
    expect(scripts).toEqual([]);
    server.state.rules.save(rule);
    await readRules(parts.app, parts.records);
    await visit();
    expect(asked()).toHaveLength(6);
  });
  it("is read from the page only for rules its address leaves possible", async () => {
    await add({ scope: ["https://other.example/*"], when: { all: [{ kind: "dom", css: "h1" }] } });
    expect(await fittingRules(parts, 1)).toEqual([]);
    expect(browser.scripting.executeScript).not.toHaveBeenCalled();
  });
  it("can be put away", async () => {
    await add({ confirm: "first" });
    await visit();
    const id = await waiting();
    await dismissOffer(id);
    expect(await runOffer(parts, id, "once", undefined)).toMatchObject({ ok: false });
    expect(asked()).toEqual([]);
  });
  it("asks for a rule of a team-mate, though the rule says never, and needs a phone where the rule asks for one", async () => {
    await add({ scope: [] }, false);
    await add({ scope: [], action: { flowId: ruleInput().action.flowId, phone: "ask" } });
    const fitting = await fittingRules(parts, 1);
    expect(fitting.map(({ asks }) => asks)).toEqual([true, true]);
    const [stranger, asksPhone] = fitting.map(({ offer }) => offer.id);
    expect(await runOffer(parts, stranger ?? "", undefined, undefined)).toMatchObject({ ok: false, asks: true });
    expect(await runOffer(parts, asksPhone ?? "", "once", undefined)).toMatchObject({ ok: false });
    expect(asked()).toEqual([]);
    expect(await runOffer(parts, asksPhone ?? "", "once", PHONE_ID)).toMatchObject({ ok: true });
    expect(asked()).toMatchObject([{ phoneId: PHONE_ID, way: "click" }]);
  });
  it("takes from a menu what was clicked there", async () => {
    const rule = await add({
      scope: [],
      when: { all: [{ kind: "contextMenu", on: "link" }] },
      extract: [{ var: "address", from: [{ kind: "menu", part: "link" }] }],
    });
    const [saved] = (await parts.records.get("rules"))?.saved ?? [];
    if (saved === undefined) throw new Error("There is no rule.");
    const click = { tabId: 1, url: URL_42, on: ["link"], link: "https://a.example/x" } as const;
    expect(await runFromMenu(parts, saved, click)).toMatchObject({ ok: true });
    expect(asked()).toMatchObject([{ ruleId: rule.id, way: "menu", values: { address: "https://a.example/x" } }]);
    const evil = { ...click, link: "javascript:alert(1)" };
    expect(await runFromMenu(parts, saved, evil)).toMatchObject({ ok: false });
  });
});

describe("who may say what", () => {
  const messages = ["page_ready", "rules_changed", "rules_fit", "offer_run", "offer_dismiss"].map((type) => ({
    perch: 1,
    type,
    ...(type.startsWith("offer") && { offerId: "x" }),
    ...(type === "rules_fit" && { tabId: 1 }),
  }));
  it("ABUSE-16 lets scripts in pages say that a page is there, and nothing else", () => {
    const admitted = (kind: Parameters<typeof admitAsk>[1]) =>
      messages.flatMap((message) => admitAsk(message, kind)?.type ?? []);
    expect(admitted("content_script")).toEqual(["page_ready"]);
    expect(admitted("extension_page")).toEqual(["rules_changed", "rules_fit", "offer_run", "offer_dismiss"]);
    expect([...admitted("other_extension"), ...admitted("unknown")]).toEqual([]);
    expect(admitAsk({ perch: 1, type: "page_ready", url: "https://bank.example/" }, "content_script")).toBeUndefined();
  });
  it("ABUSE-15 takes where a page is from the browser alone", () => {
    const good = {
      extensionId: "x",
      url: URL_42,
      origin: "https://shop.example",
      tabId: 1,
      frameId: 0,
      tabUrl: `${URL_42}#part`,
      incognito: false,
      documentId: "d",
      lifecycle: "active",
    };
    expect(visitOf(good)).toMatchObject({ url: `${URL_42}#part`, document: "d" });
    const wrong: Partial<typeof good>[] = [
      { frameId: 1 },
      { incognito: true },
      { lifecycle: "prerender" },
      { tabUrl: "https://bank.example/" },
      { origin: "https://bank.example" },
      { url: "https://bank.example/" },
      { tabUrl: "chrome://settings/" },
      { tabUrl: "" },
    ];
    for (const over of wrong) expect(visitOf({ ...good, ...over }), JSON.stringify(over)).toBeUndefined();
    fc.assert(
      fc.property(fc.webUrl(), fc.webUrl(), (shown, sent) => {
        const visited = visitOf({ ...good, url: sent, origin: new URL(sent).origin, tabUrl: shown });
        if (visited !== undefined) expect(new URL(visited.url).origin).toBe(new URL(sent).origin);
      }),
    );
  });
});
