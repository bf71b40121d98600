/**
 * The whole life of a team's billing on the real stack against the sandbox, from the trial to an account that is gone while
 * its bills are kept. Each step stands on the one before it.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Way } from "../server/billing/sandbox/ways.ts";
import { admin } from "./harness/api.ts";
import { extensionBuild } from "./harness/builds.ts";
import { check } from "./harness/check-screen.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { firstPhone, showTab } from "./harness/panel.ts";
import { ADA, installAndSignUp } from "./harness/person.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("billing, the whole life", { timeout: 180_000 }, () => {
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let page: Page;

  keepEvidence(() => ({ server, browser }));
  beforeAll(async () => {
    server = await PerchServer.start({
      env: { BILLING: "sandbox" },
      program: [process.execPath, "--import", "./e2e/harness/quick-money.ts", "server/main.ts"],
    });
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    browser.context.setDefaultTimeout(15_000);
    await installAndSignUp(browser, server, ADA);
    page = await browser.openExtensionPage("sidepanel.html?full=1&tab=billing");
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
  const dialog = () => page.getByRole("dialog").last();
  const press = (name: string | RegExp) =>
    dialog()
      .getByRole("button", { name, exact: typeof name === "string" })
      .click();
  const says = (words: string | RegExp) => page.getByText(words).filter({ visible: true }).first().waitFor();
  const fold = (title: string) => page.locator(".fold > summary", { hasText: title });
  /** Opens a page of the sandbox in a tab by clicking something of the panel. */
  const hosted = async (open: () => Promise<unknown>, path: string): Promise<Page> => {
    const opening = browser.context.waitForEvent("page");
    await open();
    const tab = await opening;
    await tab.waitForURL((url) => url.pathname.startsWith(path));
    return tab;
  };
  const pay = async (tab: Page, way: Way, name: string) => {
    await tab.locator(`input[name="way"][value="${way}"]`).check();
    await tab.getByRole("button", { name, exact: true }).click();
  };
  const closeNotice = () => page.locator(".notice").getByRole("button", { name: "Close" }).click();
  /** What changes by itself is asked for again every half minute: looking anew is quicker. */
  const untilSays = (words: string) =>
    until(
      words,
      async () => {
        await reopen();
        await says("Phone time left");
        return (await page.getByText(words).filter({ visible: true }).count()) > 0;
      },
      { timeout: 60_000, everyMs: 1_000 },
    );
  const operator = (command: string, ...args: readonly string[]) =>
    admin(server, ["billing", command, ...args, "--reason", "a promise made by phone"]);
  /** Opens billing anew, as somebody who comes back to it. */
  const reopen = async () => {
    await page.reload();
    await page.getByRole("heading", { name: "Billing", exact: true }).waitFor();
  };
  /** Lines of the list, the newest first. */
  const invoices = async () => {
    await reopen();
    await fold("Invoices and receipts").click();
    const list = page.getByRole("list", { name: "Invoices" });
    await list.waitFor();
    return list.getByRole("listitem").allTextContents();
  };
  /** The sandbox's clock, by its page for who sits at the machine. */
  const goOn = async (by: string) => {
    const controls = await browser.openTab(`${server.url}/sandbox`);
    await controls.getByRole("button", { name: by, exact: true }).click();
    await controls.waitForURL(`${server.url}/sandbox`);
    await controls.close();
    await page.bringToFront();
  };

  it("begins with a trial, without a card", async () => {
    await says("Sandbox billing: no money moves.");
    await says("Nothing is running");
    await says("Trial: 600 min");
    await check(page, "life-trial", [360, 320]);
  });

  it("puts money into the balance on the hosted page, after a payment that was declined", async () => {
    await button("Top up").click();
    await dialog().getByRole("radio", { name: "$10.00" }).check();
    const tab = await hosted(() => press("Pay $10.00"), "/sandbox/checkout/");
    await check(tab, "life-checkout", [360]);
    await pay(tab, "declined", "Pay $10.00");
    await tab.getByText("The payment was declined.").waitFor();
    await pay(tab, "pays", "Pay $10.00");
    await tab.waitForLoadState();
    await page.bringToFront();
    await says("Paid: $10.00 into the balance");
    await closeNotice();
    expect((await invoices())[0]).toMatch(/^Balance.*\$10\.00/);
    expect(await server.mail(ADA.email)).toContain("$10.00");
  });

  it("subscribes", async () => {
    await button("See plans").click();
    const tab = await hosted(() => button("Choose Solo").click(), "/sandbox/checkout/");
    await pay(tab, "pays", "Pay $12.00");
    await page.bringToFront();
    await says("Paid: Solo, $12.00 a month");
    await closeNotice();
    await page.getByRole("heading", { name: "Solo", exact: true }).waitFor();
  });

  it("allows what is charged by invoice, up to a cap", async () => {
    await button("Change what is charged after the balance").click();
    await dialog().getByRole("checkbox", { name: "Go on by invoice" }).check();
    await dialog().getByLabel("At most, a month").fill("50");
    await press("Save");
    await says("By invoice, $0.00 of at most $50.00 a month");
  });

  it("corrects what was given by an opposite entry, with a reason", async () => {
    const [team = ""] = (await operator("customers")).split("\t");
    const entries = (await operator("ledger", "--team", team)).split("\n").map((line) => line.split("\t"));
    const trial = entries.find(([, , , , source]) => source === "trial")?.[0] ?? "";
    await operator("correct", "--entry", trial);
    await reopen();
    await says("Phone time left");
    await page.getByText("Trial: 600 min").waitFor({ state: "detached" });
  });

  it("runs a phone on the plan's minutes, then on the balance", async () => {
    const panel = await browser.openExtensionPage("sidepanel.html?full=1");
    await firstPhone(panel);
    await panel.close();
    await page.bringToFront();
    await says(/^1 phone running/);
    await untilSays("Balance, $360.00/h");
  });

  it("refunds what is left of the balance, and goes on by invoice", async () => {
    await reopen();
    const most = /\$(\d+)\./.exec((await button(/^Refund up to \$/).textContent()) ?? "")?.[1] ?? "";
    await button(/^Refund up to \$/).click();
    // It goes down by ten cents a second: a dollar less than all of it is there still.
    await dialog()
      .getByLabel("Amount")
      .fill(String(Number(most) - 1));
    await press("Refund");
    await says(/is on its way back\.$/);
    await untilSays("On the invoice, $360.00/h");
    await until("an overage", async () => {
      await reopen();
      const words = page.locator(".overage");
      await words.waitFor();
      return /By invoice, \$(?!0\.00)/.test((await words.textContent()) ?? "");
    });
    await check(page, "life-overage", [360]);
    await button("Stop all").click();
    await press("Stop it");
    await says("Nothing is running");
  });

  it("says why each second was charged", async () => {
    await button(/^Usage/).click();
    await button(/^Why: /)
      .first()
      .click();
    await dialog().getByText("Plan minutes").first().waitFor();
    await check(page, "life-why", [360]);
    await page.keyboard.press("Escape");
    await button("Billing").click();
  });

  it("renews with the overage on the invoice", async () => {
    await goOn("A month");
    await until("the renewal", async () => {
      const [newest = ""] = await invoices();
      return newest.includes("Phone time beyond what is included") && !newest.includes("$12.00");
    });
    await check(page, "life-invoices", [360]);
  });

  it("takes another way to pay in the portal, which the bank refuses at the next renewal", async () => {
    const tab = await hosted(async () => {
      await button("More about the plan").click();
      await page.getByRole("menuitem", { name: "Payment methods and tax details" }).click();
    }, "/sandbox/portal/");
    await tab.getByText("Use another").click();
    await check(tab, "life-portal", [360]);
    await pay(tab, "declined", "Use it from now on");
    await tab.getByText("Is declined").first().waitFor();
    await tab.close();
    await goOn("A month");
    await until("the failure", async () => {
      await reopen();
      return (await page.getByText("A payment failed").count()) > 0;
    });
    await says(/failed\. Phones that run go on until/);
    await check(page, "life-failed", [360]);
    expect(await server.mail(ADA.email)).toContain("could not be charged");
  });

  it("recovers at once when the invoice is paid in another way", async () => {
    const tab = await hosted(() => button("Pay the invoice").click(), "/sandbox/invoices/");
    await check(tab, "life-invoice", [360]);
    await pay(tab, "pays", "Pay $12.00");
    await tab.getByText("Paid", { exact: true }).first().waitFor();
    await tab.close();
    await until("the problem to go", async () => {
      await reopen();
      await page.getByRole("heading", { name: "Solo", exact: true }).waitFor();
      return (await page.getByText("A payment failed").count()) === 0;
    });
  });

  it("is cancelled, runs to the end of what is paid, and is free again", async () => {
    await button("More about the plan").click();
    await page.getByRole("menuitem", { name: "Cancel the plan…" }).click();
    await press("Cancel Solo");
    await says("Solo ends and does not renew.");
    await goOn("A month");
    await until("the plan to end", async () => {
      await reopen();
      return (await page.getByRole("heading", { name: "Free", exact: true }).count()) > 0;
    });
    expect(await server.mail(ADA.email)).toContain("has ended");
  });

  it("leaves the bills and nobody they lead to when the account is deleted", async () => {
    const number = /· ([A-Z0-9]+-\d{4})/.exec((await invoices()).at(-1) ?? "")?.[1] ?? "";
    expect(await operator("show", "--number", number)).toContain(ADA.email);
    const [team = ""] = (await operator("customers")).split("\t");
    await showTab(page, "Privacy");
    await button("Delete").click();
    await dialog().getByRole("radio", { name: /^Now/ }).check();
    await dialog().getByLabel(`Type ${ADA.email} to confirm`).fill(ADA.email);
    await press("Delete now");
    await page.getByRole("heading", { name: "Your account is deleted" }).waitFor({ timeout: 30_000 });
    await until("the account to be gone", async () => !(await operator("customers")).includes(team), {
      timeout: 60_000,
    });
    const kept = await operator("show", "--number", number);
    expect(kept).toContain("$10.00");
    expect(kept).toContain("kept until");
    await expect(operator("ledger", "--team", team)).rejects.toThrow("There is no such team.");
    const controls = await browser.openTab(`${server.url}/sandbox`);
    await controls.getByText("0 customers.").waitFor();
    expect(await controls.content()).not.toContain(ADA.email);
  });
});
