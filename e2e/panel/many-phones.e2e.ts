/** Tags, runs on many phones and webhooks in the panel, in a real Chromium against the stub server. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until } from "../harness/until.ts";
import { checkLooks } from "./looks.ts";
import { clearSession, openPanelPage, SIGNED_IN, storeSignIn } from "./panel-page.ts";
import { STUB_SECRET } from "./stub.router.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
const FLOW = "url: https://shop.example\ninputs:\n  - name: ORDER_ID\n    default: '1'\n---\n- launchApp\n";

describe.skipIf(executable === undefined)("many phones", () => {
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
    // What an earlier test left open is none of this one's.
    await clearSession(page);
    await page.reload();
  });
  afterEach(async () => {
    await page.close();
    await server.stop();
  });
  const openFlow = async (source = FLOW) => {
    server.state.automations.save({ name: "Check an order", source });
    await page.getByRole("tab", { name: "Automations" }).click();
    await page.getByRole("button", { name: /^Check an order/ }).click();
    await page.getByText("1 step, no mistakes").waitFor();
  };

  it("are grouped by tags in their settings", async () => {
    const phone = server.team.add({ name: "Work phone", tags: ["nightly"] });
    await page.getByRole("button", { name: "More about this phone" }).click();
    await page.getByRole("menuitem", { name: "Settings…" }).click();
    const tags = page.getByLabel("Tags");
    expect(await tags.inputValue()).toBe("nightly");
    await tags.fill("Shop, #sale");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("#sale: A tag is one word").waitFor();
    await checkLooks(page, "tags-mistake");
    await tags.fill("nightly Shop, shop");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await until("the dialog to close", async () => (await page.getByRole("dialog").count()) === 0);
    expect(server.team.get(phone.id).tags).toEqual(["nightly", "shop"]);
  });

  it("run an automation on every phone of a tag, or on the first free one", async () => {
    for (const name of ["Shop one", "Shop two", "Shop three"]) server.team.add({ name, tags: ["shop"] });
    server.team.add({ name: "Other" });
    await openFlow();
    const place = page.getByLabel("Phone to run on");
    await place.selectOption({ label: "Every phone of “shop” (3)" });
    await page.getByRole("button", { name: "Run", exact: true }).dblclick();
    await page.getByText("3 runs are on their way.").waitFor();
    const { runs, newest } = server.state.automations;
    expect(runs.size).toBe(3);
    await until(
      "the runs to be listed",
      async () => (await page.getByRole("list", { name: "Runs" }).getByRole("listitem").count()) === 3,
    );
    for (const run of runs.values()) run.to(run === newest ? "running" : "passed");
    await page.getByText("Running").waitFor();
    await checkLooks(page, "run-on-every-phone");
    await place.selectOption({ label: "Any free phone of “shop”" });
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await until("the run's page", async () => (await page.getByText("Waiting", { exact: true }).count()) === 1);
    expect(runs.size).toBe(4);
  });

  it("forget a chosen tag that no phone carries any more", async () => {
    const phones = ["Shop one", "Shop two"].map((name) => server.team.add({ name, tags: ["shop"] }));
    await openFlow();
    const place = page.getByLabel("Phone to run on");
    await place.selectOption({ label: "Any free phone of “shop”" });
    for (const { id } of phones) server.team.change(id, { tags: [] });
    await until("the tag to be gone", async () => (await place.textContent())?.includes("“shop”") === false);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("Waiting", { exact: true }).waitFor();
    expect(phones.map(({ id }) => id)).toContain(server.state.automations.newest.detail.phoneId);
  });

  it("say who asked for a run", async () => {
    const phone = server.team.add({ name: "Work phone" });
    const flow = server.state.automations.save({ name: "Check an order", source: FLOW });
    for (const [trigger, triggerName] of [
      ["webhook", "Shop"],
      ["rule", "Product page"],
      ["schedule", "Every morning"],
    ] as const) {
      server.state.automations.start({ flowId: flow.id, phoneId: phone.id, idempotencyKey: trigger });
      const { newest } = server.state.automations;
      newest.detail = {
        ...newest.detail,
        trigger,
        triggerName,
        ...(trigger === "rule" && { anyPhone: true as const }),
      };
    }
    await page.getByRole("tab", { name: "Automations" }).click();
    await page.getByText("the first free phone · Rule “Product page”").waitFor();
    await page.getByText("Schedule “Every morning”").waitFor();
    await checkLooks(page, "run-triggers");
    await page.getByText("Webhook “Shop”").click();
    await page.getByText(/Work phone · .* · Webhook “Shop”/).waitFor();
  });

  it("start from outside by a webhook whose secret is seen once", async () => {
    server.team.add({ name: "Work phone", tags: ["shop"] });
    await openFlow(`secrets: [SHOP_TOKEN]\n${FLOW}`);
    await page.getByText("Webhooks", { exact: true }).click();
    await page.getByRole("button", { name: "New webhook" }).click();
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("Give the webhook a name").waitFor();
    await page.getByRole("dialog").getByLabel("Name").fill("Order shipped");
    await page.getByLabel("Runs on").selectOption({ label: "Any free phone of “shop”" });
    await page.getByLabel("May use SHOP_TOKEN").check();
    await checkLooks(page, "webhook-new");
    await page.getByRole("button", { name: "Create" }).dblclick();
    await page.getByRole("heading", { name: "Secret of Order shipped" }).waitFor();
    expect([...server.state.webhooks.values()]).toMatchObject([
      { name: "Order shipped", phone: { tag: "shop" }, mayUseSecrets: true },
    ]);
    expect(await page.getByLabel("Secret", { exact: true }).inputValue()).toBe(STUB_SECRET);
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await clipboard()).toBe(STUB_SECRET);
    await checkLooks(page, "webhook-secret");
    await page.getByRole("button", { name: "Copy the call" }).click();
    await page.getByRole("button", { name: "Call copied" }).waitFor();
    const copied = await clipboard();
    expect(copied).toContain("/hooks/hook_");
    expect(copied).toContain(`{"ORDER_ID":"…"}`);
    expect(copied).not.toContain(STUB_SECRET);
    await page.getByRole("button", { name: "I have kept it" }).click();
    await page.getByText("any free phone of “shop” · never called").waitFor();
    await checkLooks(page, "webhooks");

    const more = async (item: string) => {
      await page.getByRole("button", { name: "More about Order shipped" }).click();
      await page.getByRole("menuitem", { name: item }).click();
    };
    await more("New secret…");
    await page.getByRole("button", { name: "New secret" }).click();
    await page.getByRole("heading", { name: "Secret of Order shipped" }).waitFor();
    expect(await page.getByLabel("Secret", { exact: true }).inputValue()).not.toBe(STUB_SECRET);
    await page.getByRole("button", { name: "I have kept it" }).click();
    await more("Remove…");
    await checkLooks(page, "webhook-remove");
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText("The webhook Order shipped is removed.").waitFor();
    expect(server.state.webhooks.size).toBe(0);
  });

  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
});
