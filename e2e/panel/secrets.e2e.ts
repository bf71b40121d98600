/** Secrets in the panel, in a real Chromium against the stub server: set, allowed, taken back, never shown. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { checkLooks } from "./looks.ts";
import { clearSession, openPanelPage, SIGNED_IN, storeSignIn } from "./panel-page.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
const LOGIN = `url: https://shop.example\nsecrets: [SHOP_PASSWORD, TOTP_KEY]\n---\n- launchApp\n- inputText: $${"{SHOP_PASSWORD}"}\n`;
const VALUE = "correct horse battery";

describe.skipIf(executable === undefined)("secrets", () => {
  let browser: ExtensionBrowser;
  let server: StubServer;
  let page: Page;

  beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    server = await startStubServer();
    server.team.add();
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
    page = await openPanelPage(browser.context);
    await clearSession(page);
  });
  afterEach(async () => {
    await page.close();
    await server.stop();
  });

  const showAutomations = () => page.getByRole("tab", { name: "Automations" }).click();
  const showSecrets = async () => {
    await showAutomations();
    await page.getByRole("button", { name: "More about automations" }).click();
    await page.getByRole("menuitem", { name: "Secrets" }).click();
    await page.getByRole("heading", { name: "Secrets", exact: true }).waitFor();
  };
  const showFlow = async () => {
    await showAutomations();
    await page.getByRole("button", { name: /^Log in/ }).click();
    await page.getByRole("list", { name: "Secrets this automation uses" }).waitFor();
  };
  const save = () => server.state.automations.save({ name: "Log in to the shop", source: LOGIN });
  const values = () => [...server.state.secrets.all.values()].map(({ name, value }) => [name, value]);

  it("begin with what they are for, and refuse a short value with the reason", async () => {
    await showSecrets();
    await page.getByText("Keep passwords out of your steps").waitFor();
    await checkLooks(page, "secrets-first-use");
    await page.getByRole("button", { name: "New secret" }).click();
    await page.getByLabel("Name").fill("shop password");
    const field = page.getByLabel("Value");
    expect(await field.getAttribute("type")).toBe("password");
    await field.fill("abc");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("turns up in ordinary text by chance").waitFor();
    await page.getByText("does not begin with a digit, like").waitFor();
    await checkLooks(page, "secrets-new");
    await page.getByLabel("Name").fill("SHOP_PASSWORD");
    await field.fill(VALUE);
    await field.press("Enter");
    await page.getByText("SHOP_PASSWORD is set.").waitFor();
    expect(values()).toEqual([["SHOP_PASSWORD", VALUE]]);
    expect(await page.content()).not.toContain(VALUE);
    await page.getByRole("button", { name: "New", exact: true }).click();
    await page.getByLabel("Name").fill("SHOP_PASSWORD");
    await page.getByLabel("Value").fill("another value");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("There is a secret called SHOP_PASSWORD.").waitFor();
    expect(values()).toEqual([["SHOP_PASSWORD", VALUE]]);
  });

  it("are listed with what uses them, replaced, taken back and removed after saying what stops", async () => {
    const flow = save();
    const other = server.state.automations.save({ name: "Old log in", source: LOGIN });
    const mine = server.state.secrets.set("SHOP_PASSWORD", VALUE);
    server.state.secrets.grant(mine.id, flow.id, LOGIN);
    server.state.secrets.grant(mine.id, other.id, "another text");
    const theirs = server.state.secrets.set("TOTP_KEY", VALUE, { mine: false, mayPassOn: false });
    server.state.secrets.grant(theirs.id, flow.id, LOGIN);
    server.state.secrets.set("UNUSED_BUT_WITH_A_NAME_THAT_IS_AS_LONG_AS_A_NAME_MAY_BE_64_CHARS", VALUE);
    await showSecrets();
    await page.getByText("Changed since, not allowed now").waitFor();
    await checkLooks(page, "secrets-list");
    expect(await page.getByRole("button", { name: "More about TOTP_KEY" }).count()).toBe(0);

    await page.getByRole("button", { name: "Take SHOP_PASSWORD from Old log in" }).click();
    await page.getByText("Changed since, not allowed now").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "More about SHOP_PASSWORD" }).click();
    await page.getByRole("menuitem", { name: "Replace the value…" }).click();
    await page.getByText("Log in to the shop will use the new value from the next run on.").waitFor();
    await checkLooks(page, "secrets-replace");
    await page.getByLabel("Value").fill("a newer value");
    await page.getByRole("button", { name: "Replace" }).click();
    await page.getByText("SHOP_PASSWORD has its new value.").waitFor();
    expect(values()[0]).toEqual(["SHOP_PASSWORD", "a newer value"]);

    await page.getByRole("button", { name: "More about SHOP_PASSWORD" }).click();
    await page.getByRole("menuitem", { name: "Remove…" }).click();
    await page.getByRole("dialog").getByText("Log in to the shop").waitFor();
    await checkLooks(page, "secrets-remove");
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText("SHOP_PASSWORD is removed.").waitFor();
    expect(values().map(([name]) => name)).not.toContain("SHOP_PASSWORD");
    const using = page.getByRole("list", { name: "Automations that use TOTP_KEY" });
    await using.getByRole("button", { name: /^Log in to the shop/ }).click();
    await page.getByText("Not set yet").waitFor();
  });

  it("are set and allowed on the automation's own page, and asked again when someone else changed it", async () => {
    const flow = save();
    await showFlow();
    await checkLooks(page, "secrets-flow-not-set");
    await page.getByRole("button", { name: "Set SHOP_PASSWORD" }).click();
    await page.getByLabel("Value").fill(VALUE);
    await page.getByRole("button", { name: "Save and allow" }).click();
    await page.getByText("Allowed", { exact: true }).waitFor();
    expect(server.state.secrets.list(server.state.automations)).toMatchObject([
      { name: "SHOP_PASSWORD", grants: [{ flowId: flow.id, current: true }] },
    ]);
    const theirs = server.state.secrets.set("TOTP_KEY", VALUE, { mine: false, mayPassOn: false });
    server.state.automations.save({ flowId: flow.id, name: flow.name, source: `${LOGIN}- back\n` });
    await page.reload();
    await showAutomations();
    await page.getByText("Someone changed the steps since it was allowed.").waitFor();
    await page.getByText("Ask the person who set it").waitFor();
    await checkLooks(page, "secrets-flow-changed");

    await page.getByRole("textbox", { name: "Steps" }).fill(`${LOGIN}- scroll\n`);
    await page.getByText("Save first").waitFor();
    expect(await page.getByRole("button", { name: "Allow again: SHOP_PASSWORD" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("button", { name: "Saved" }).waitFor();
    await page.getByRole("button", { name: "Allow again: SHOP_PASSWORD" }).click();
    await page.getByText("Allowed", { exact: true }).waitFor();
    server.state.secrets.grant(theirs.id, flow.id, `${LOGIN}- scroll\n`);
    await page.getByRole("button", { name: "Take back SHOP_PASSWORD" }).click();
    await page.getByText("Not allowed for this automation yet").waitFor();
    await checkLooks(page, "secrets-flow-allowed");
  });

  it("are names alone for a viewer, and say when the server refuses", async () => {
    const flow = save();
    const secret = server.state.secrets.set("SHOP_PASSWORD", VALUE, { mine: false, mayPassOn: false });
    server.state.secrets.grant(secret.id, flow.id, LOGIN);
    server.state.failNext = { path: "secrets.list", code: "internal", message: "Something went wrong." };
    await showSecrets();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("SHOP_PASSWORD").first().waitFor();
    server.state.me = { ...server.state.me, team: { ...server.state.me.team, role: "viewer" } };
    await page.reload();
    await showAutomations();
    await page.getByText("Your role lets you see the names of secrets").waitFor();
    await checkLooks(page, "secrets-viewer");
    expect(await page.getByRole("button", { name: /^Take |^New|^More about/ }).count()).toBe(0);
    await page.getByRole("button", { name: /^Log in to the shop/ }).click();
    await page.getByText("Allowed", { exact: true }).waitFor();
    expect(await page.getByRole("button", { name: /^Take |^Allow |^Set / }).count()).toBe(0);
  });
});
