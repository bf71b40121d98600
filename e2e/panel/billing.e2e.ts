/** Billing in a real Chromium against the stub server: every state of it, everything that can be bought or changed, and why. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { Role } from "../../shared/access.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until } from "../harness/until.ts";
import { checkLooks } from "./looks.ts";
import { openPanelPage, SIGNED_IN, storeSignIn } from "./panel-page.ts";
import { stubMembers } from "./stub-account.ts";
import { ago, ahead, EMPTY, ENDS, FAILED, FROZEN, stubPlans, TRIAL } from "./stub-billing.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("billing", () => {
  let browser: ExtensionBrowser;
  let server: StubServer;
  let page: Page;

  beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    server = await startStubServer();
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
  });
  afterEach(async () => {
    for (const each of browser.context.pages()) if (each.url().startsWith(server.origin)) await each.close();
    await page?.evaluate(forgetCheckout);
    await page?.close();
    await server.stop();
  });

  const billing = () => server.state.billing;
  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
  const dialog = () => page.getByRole("dialog").last();
  const press = (name: string | RegExp) => dialog().getByRole("button", { name }).click();
  const says = (words: string | RegExp) => page.getByText(words).filter({ visible: true }).first().waitFor();
  const fold = (title: string) => page.locator(".fold > summary", { hasText: title });
  const openAs = async (role: Role) => {
    server.state.me = { ...server.state.me, team: { ...server.state.me.team, role } };
    const team = server.state.account.teams.get(server.state.me.team.id);
    if (team !== undefined) Object.assign(team, { role, members: stubMembers(server.state.me, role) });
    page = await openPanelPage(browser.context, undefined, "?tab=billing");
  };
  const show = async () => {
    await openAs("owner");
    await page.getByRole("heading", { name: "Billing" }).waitFor();
  };
  const run = (name: string, minutes: number) => {
    server.team.add({ name, state: "running", startedAt: ago(minutes * 60_000) });
  };
  /** The tab that paying opened. */
  const payment = () =>
    until("the payment page", () => browser.context.pages().find((one) => one.url().endsWith("/pay")));

  it("says on one page what runs and costs, what is left and how long, and stops all of it", async () => {
    run("Pixel, tall", 12);
    run("Checkout, German, with a name that is long", 95);
    billing().coveredUntil = ahead(5 * 3_600_000);
    await show();
    await says("2 phones running, $0.12/h");
    await says("Balance, $0.12/h");
    await says("2,412 min");
    await says(/^At this pace they last until/);
    await checkLooks(page, "billing", 1150);
    await button("Stop all").click();
    await says("what is on them is kept, and nothing is counted");
    await checkLooks(page, "billing-stop");
    await press("Stop all 2");
    await says("2 phones are parked.");
    await says("Nothing is running");
  });

  it.each([
    ["trial", TRIAL, "Your trial ends in 3 days", "See plans"],
    ["empty", EMPTY, "Nothing covers phones now", "Add phone time"],
    ["failed", FAILED, "The payment of $12.00 failed", "Pay the invoice"],
    ["frozen", FROZEN, "The balance is frozen", "Write to us"],
  ] as const)("shows %s with the one next step", async (name, over, title, step) => {
    billing().set(over);
    await show();
    await says(title);
    await button(step).first().waitFor();
    await checkLooks(page, `billing-${name}`, 1080);
  });

  it("is reached from Account, and says the plan there", async () => {
    await openAs("owner");
    await button("Account").click();
    await button(/^Billing and usage Solo · 2,412 min left/).click();
    await page.getByRole("heading", { name: "Billing" }).waitFor();
  });

  it("keeps a plan that was cancelled, pauses and resumes it", async () => {
    await show();
    await button("More about the plan").click();
    await page.getByRole("menuitem", { name: "Cancel the plan…" }).click();
    await says("Then the team is on Free");
    await checkLooks(page, "billing-cancel");
    await press("Cancel Solo");
    await says("Solo ends and does not renew.");
    await button("Keep Solo").click();
    await says("Solo stays and renews.");
    await button("More about the plan").click();
    await page.getByRole("menuitem", { name: "Pause the plan…" }).click();
    await press("Pause");
    await button("Resume the plan").click();
    await says("The plan runs again.");
    billing().set(ENDS);
    await page.reload();
    await says("Solo ends");
    await page.locator(".notice").getByRole("button", { name: "Keep Solo" }).click();
    await says("Solo stays and renews.");
    expect(billing().acts).toEqual(["cancel_at_period_end", "keep", "pause", "resume", "keep"]);
  });

  it("buys a plan on the hosted page, waits for it, and is done when it is paid", async () => {
    billing().set(TRIAL);
    await show();
    await button("See plans").first().click();
    await page.getByRole("region", { name: "Solo" }).waitFor();
    await checkLooks(page, "billing-plans", 1180);
    await page.getByRole("radio", { name: "By the year" }).check();
    await says("$24.00 less than by the month");
    await checkLooks(page, "billing-plans-year", 1180);
    await button("Choose Solo").click();
    expect(await payment()).toBeDefined();
    await page.bringToFront();
    await says("Waiting for the payment: Solo, $120.00 a year");
    await checkLooks(page, "billing-waiting", 900);
    billing().checkout = { state: "processing", words: "What you bought is yours when the payment arrives." };
    await says("The payment is on its way: Solo, $120.00 a year");
    billing().checkout = { state: "paid", words: "Your plan is Solo from now on." };
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await says("Paid: Solo, $120.00 a year");
    await page.locator(".notice").getByRole("button", { name: "Close" }).click();
    expect(billing().checkouts).toEqual([{ kind: "plan", plan: "solo", cycle: "year" }]);
  });

  it("finds the payment again after the panel was closed, and says when its page expired", async () => {
    await show();
    await button("Top up").click();
    await dialog().getByRole("radio", { name: "$25.00" }).check();
    await checkLooks(page, "billing-top-up");
    await press("Pay $25.00");
    await payment();
    await page.close();
    await show();
    await says("Waiting for the payment: $25.00 into the balance");
    billing().checkout = { state: "expired", words: "The payment page has closed, and nothing was charged." };
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await says("The payment page has closed, and nothing was charged.");
  });

  it("refuses a price that is no longer true, and shows the new one", async () => {
    await show();
    await button("Add minutes").click();
    await button("Buy 1,000 minutes for $1.80").waitFor();
    const plans = stubPlans("solo");
    billing().plans = {
      ...plans,
      packs: plans.packs.map((pack) => ({ ...pack, price: { ...pack.price, amount: pack.price.amount + 20 } })),
    };
    await button("Buy 1,000 minutes for $1.80").click();
    await says("The price has changed since you saw it. Nothing was charged.");
    await button("Buy 1,000 minutes for $2.00").waitFor();
    await checkLooks(page, "billing-stale", 1180);
    expect(billing().checkouts).toEqual([]);
  });

  it("shows what a change costs before it is made, for plans and for add-ons", async () => {
    await show();
    await button("Change plan").click();
    await button("Choose Team").click();
    await says("Unused time on Solo");
    await says("Due now");
    await checkLooks(page, "billing-change");
    await press("Confirm");
    await says("Team from now on.");
    await fold("Add-ons and seats").click();
    await button("Change Parallel slot").click();
    await press("One more");
    await press("One more");
    await says("2 × Parallel slot, rest of this period");
    await checkLooks(page, "billing-add-on");
    await press("Confirm");
    await says("Parallel slot: 3 from now on.");
    await button("Change Storage, 5 GB").click();
    await press("One fewer");
    await says("Credited to the next invoice");
    await press("Confirm");
    await until("the storage to go", () => billing().changes.length === 3);
    await button("Add Seat").click();
    await press("One more");
    await says("1 × Seat, rest of this period");
    await press("Confirm");
    await says("Seat: 1 from now on.");
    expect(billing().changes.slice(1)).toEqual([
      { addOns: [{ addOn: "slot", quantity: 3 }] },
      { addOns: [{ addOn: "storage", quantity: 0 }] },
      { addOns: [{ addOn: "seat", quantity: 1 }] },
    ]);
  });

  it("sets budgets, what may go by invoice, dedicated phones, and pays back", async () => {
    server.team.add({ name: "Work phone" });
    server.team.add({ name: "Pixel, tall" });
    server.state.account.provenUntilMs = 0;
    await show();
    for (const title of ["Budgets", "Add-ons and seats", "Dedicated phones", "Invoices and receipts"])
      await fold(title).click();
    await says("33 h of 40 h this month");
    await says("PERCH-0007");
    await button("Pay PERCH-0005").waitFor();
    await page.getByRole("switch", { name: "Work phone is dedicated" }).click();
    await says("All are chosen: take one back, or add another");
    await checkLooks(page, "billing-open", 2060);
    await button("New budget").click();
    await dialog().getByLabel("For").selectOption({ label: "Pixel, tall (phone)" });
    await dialog().getByLabel("At most, a month").fill("12.505");
    await press("Save");
    await says("Write an amount like 20 or 12.50.");
    await checkLooks(page, "billing-budget");
    await dialog().getByLabel("At most, a month").fill("12,50");
    await dialog().getByLabel("At most, a month").press("Enter");
    await says("$0.00 of $12.50 this month");
    await button("More about the budget of Ben Adeyemi").click();
    await page.getByRole("menuitem", { name: "Remove" }).click();
    await says("The budget of Ben Adeyemi is removed.");
    await button("Change what is charged after the balance").click();
    await dialog().getByLabel("At most, a month").fill("50");
    await press("Save");
    await says("By invoice, $0.00 of at most $50.00 a month");
    await button("Refund up to $10.00").click();
    await dialog().getByLabel("Amount").fill("11");
    await press("Refund");
    await says("At most $10.00 can be refunded.");
    await dialog().getByLabel("Amount").fill("4");
    await press("Refund");
    await press("Confirm");
    await says("$4.00 is on its way back.");
    await says("$8.40");
  });

  it("draws usage by day, tells one phone apart, lists a day, and explains a line down to its pieces", async () => {
    run("Pixel, tall", 29);
    await show();
    await button(/^Usage/).click();
    await says(/^In all/);
    await button(/^Why: Pixel, tall/)
      .first()
      .waitFor();
    await page.getByLabel("Days").selectOption({ label: "Last month" });
    await page.getByRole("group", { name: /^Phone time by day/ }).waitFor();
    await until("31 days at most", async () => (await page.locator(".bar").count()) > 27);
    await button(/^Why: Pixel, tall/)
      .first()
      .waitFor();
    await checkLooks(page, "usage", 990);
    await page.locator(".series-row", { hasText: "Work phone" }).click();
    await says(/^Work phone \d/);
    await page.locator(".bar").last().focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toMatch(/: (\d|nothing)/);
    await page.keyboard.press("Enter");
    await button("All days").waitFor();
    await checkLooks(page, "usage-day", 1240);
    await page.getByLabel("Summed").selectOption({ label: "By member" });
    await says("A member who left");
    await fold("As a table").click();
    await page.getByRole("columnheader", { name: "Cost" }).waitFor();
    await fold("What covered it").click();
    await checkLooks(page, "usage-table", 1900);
    const down = page.waitForEvent("download");
    await button("Download as CSV").click();
    expect((await down).suggestedFilename()).toBe("perch-usage-2026-11.csv");
    expect(await readFile(await (await down).path(), "utf8")).toContain("Pixel,2026-11-02");
    await button("Show older").click();
    await says("A phone with a rather long name");
    await button(/^Why: Work phone/).click();
    await says("The plan's minutes were used up, so the balance paid");
    await says("The phone did not answer for 9 min. We take that back.");
    await checkLooks(page, "usage-why");
  });

  it("shows what it has when a part of it fails, and reads that again", async () => {
    await show();
    server.state.failNext = { path: "usage.lines", code: "unavailable", message: "This part is being repaired." };
    await button(/^Usage/).click();
    await says("This part is being repaired.");
    await says(/^In all/);
    await checkLooks(page, "usage-partial");
    await button("Try again").click();
    await button(/^Why: Pixel, tall/)
      .first()
      .waitFor();
  });

  it("takes other days, and says what is wrong with them", async () => {
    billing().unused = true;
    await show();
    await button(/^Usage/).click();
    await says("Nothing ran in these days");
    await page.getByLabel("Days").selectOption({ label: "Other days" });
    await page.getByLabel("From").fill("2024-01-01");
    await says("Choose a year at most.");
    await page.getByLabel("From").fill("2026-01-01");
    await says("Nothing ran in these days");
    await checkLooks(page, "usage-empty");
  });

  it("shows money to nobody whose role is without it, and says whom to ask", async () => {
    run("Pixel, tall", 12);
    await openAs("operator");
    await says("Your role sees usage, not money");
    await says("1 phone running");
    await button(/^Usage/).click();
    await says(/^In all/);
    await button(/^Why/).first().click();
    await says("Minutes of the plan come before everything that costs money.");
    expect(await page.getByText("$").count()).toBe(0);
    await checkLooks(page, "usage-no-money");
    await dialog().getByRole("button", { name: "Close" }).click();
    await button("Billing").click();
    await checkLooks(page, "billing-no-money");
  });

  it("lets an admin look, and begins with the bills for who sees no phones", async () => {
    await openAs("admin");
    await says("Your role sees billing and does not change it.");
    expect(await button("Top up").count()).toBe(0);
    await page.close();
    server.state.me = { ...server.state.me, team: { ...server.state.me.team, role: "billing" } };
    page = await openPanelPage(browser.context);
    await button("Top up").waitFor();
    await page.getByRole("tab", { name: "Phone" }).click();
    await says("Your role sees bills, not phones");
    await checkLooks(page, "billing-role");
    await button("Open Billing").click();
    await button("Top up").waitFor();
  });

  it("says plainly when nothing is real, and when nothing is billed", async () => {
    billing().set({ mode: "sandbox" });
    await show();
    await says("Sandbox billing: no money moves.");
    await checkLooks(page, "billing-sandbox", 1080);
    billing().set({ mode: "off" });
    await page.reload();
    await says("This server sends no bills");
    expect(await button("Top up").count()).toBe(0);
    await checkLooks(page, "billing-off");
  });

  it("keeps the last known state when the server is gone, and offers nothing to press then", async () => {
    await show();
    await says("2,412 min");
    const { origin } = server;
    await server.stop();
    await page.getByRole("tab", { name: "Privacy" }).click();
    await page.getByRole("tab", { name: "Account" }).click();
    await says(/does not answer/);
    await says("2,412 min");
    expect(await button("Top up").count()).toBe(0);
    await checkLooks(page, "billing-stale-server", 1080);
    server = await startStubServer(Number(new URL(origin).port), server);
  });

  it("says what a start costs, refuses to be silent when nothing covers it, and warns before it ends", async () => {
    server.team.add({ name: "Pixel, tall" });
    page = await openPanelPage(browser.context);
    await says("Uses plan minutes (1,412 min left), then $0.12/h, at most $1.50 a day");
    await checkLooks(page, "start-cost");
    await button(/^Pixel, tall/).click();
    await page.getByRole("menuitem", { name: "New phone" }).click();
    await dialog().getByText("Uses plan minutes").waitFor();
    await checkLooks(page, "start-cost-new");
    await press("Cancel");
    billing().preview = {
      mode: "stripe",
      words: "Nothing covers it: the minutes and the balance are used up",
      covered: false,
    };
    await page.reload();
    await says("Nothing covers it");
    await checkLooks(page, "start-uncovered");
    server.state.failNext = {
      path: "phones.start",
      code: "payment_required",
      message: "Nothing covers this phone now.",
    };
    await button("Start").click();
    await page
      .locator(".toast", { hasText: "Nothing covers this phone now." })
      .getByRole("button", { name: "Add phone time" })
      .click();
    await page.getByRole("heading", { name: "Billing" }).waitFor();
    billing().preview = { mode: "off", words: "Costs nothing", covered: true };
    billing().coveredUntil = ahead(5 * 60_000);
    await page.reload();
    await button("Start").waitFor();
    expect(await page.locator(".start-cost").count()).toBe(0);
    await button("Start").click();
    await says(/^Nothing covers this phone after/);
    await checkLooks(page, "covered-until");
    await button("Top up").click();
    await page.getByRole("heading", { name: "Billing" }).waitFor();
  });
});

/** Run in the page: the payment of one test is none of the next one's. */
async function forgetCheckout(): Promise<void> {
  const { storage } = Reflect.get(globalThis, "chrome") as {
    storage: { session: { remove(key: string): Promise<void> } };
  };
  await storage.session.remove("checkout");
}
