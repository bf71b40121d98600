import { expect, inject, it } from "vitest";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { SIGNED_IN, storeSignIn } from "../panel/panel-page.ts";
import { startStubServer } from "../panel/stub-server.ts";
import { allowRules } from "./rule-browser.ts";
import { PRODUCT_LD, startRuleShop } from "./rule-shop.ts";
it("debug", async () => {
  const shop = await startRuleShop();
  const browser = await ExtensionBrowser.launch({ executable: inject("chromium") ?? "", extension: extensionBuild("chrome") });
  const server = await startStubServer();
  server.team.add({ name: "Pixel" });
  await storeSignIn(browser.context, server.origin, SIGNED_IN);
  const page = await browser.openExtensionPage("options.html");
  const w = await browser.worker();
  w.on("console", (m) => console.log("W", m.text()));
  const flow = server.state.automations.save({ name: "Open it", source: "url: about:blank\n---\n- launchApp\n" });
  const { rule } = server.state.rules.add({
    name: "Product page", when: { all: [{ kind: "jsonld", type: "Product", op: "exists" }] },
    extract: [{ var: "address", from: [{ kind: "url", part: "address" }] }],
    action: { flowId: flow.id, phone: "ask", inputs: { address: { var: "address" } } },
    scope: ["http://127.0.0.1/product/*"], confirm: "first" });
  await allowRules(page, [rule]);
  console.log(await page.evaluate(async () => {
    const c = (globalThis as any).chrome;
    const opening = indexedDB.open("perch-rules", 1);
    await new Promise((r) => { opening.onsuccess = r; });
    const get = (k: string) => new Promise((r) => { const q = opening.result.transaction("records").objectStore("records").get(k); q.onsuccess = () => r(q.result); });
    return JSON.stringify({ scripts: await c.scripting.getRegisteredContentScripts(), rules: await get("rules"), consents: await get("consents"), has: await c.permissions.contains({ origins: ["http://127.0.0.1/*"] }) });
  }));
  await w.evaluate(() => {
    const c = (globalThis as any).chrome;
    c.runtime.onMessage.addListener((m: any, s: any) => { console.log(JSON.stringify([m, s])); });
    globalThis.addEventListener("unhandledrejection", (e: any) => console.log("REJ", String(e.reason?.stack ?? e.reason)));
  });
  shop.page("/product/42", PRODUCT_LD, "<h1>Blue chair</h1>");
  const tab = await browser.openTab(`${shop.origin}/product/42`);
  tab.on("console", (m) => console.log("T", m.text()));
  await new Promise((r) => setTimeout(r, 3000));
  console.log(await page.evaluate(async () => JSON.stringify(await (globalThis as any).chrome.storage.session.get(null))));
  console.log(await page.evaluate(async () => JSON.stringify(await (globalThis as any).chrome.tabs.query({}))));
  await browser.close(); await server.stop(); shop.close(); expect(1).toBe(1);
});
