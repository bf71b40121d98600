/**
 * The operator's pages in a real browser, without JavaScript, on a whole server: each with axe, light and dark, narrow and
 * wide, and what can be done on them. Who gets in is tried in `server/http/pages/operator-pages.test.ts`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { totpCodeAt } from "../server/accounts/testing/app-code.ts";
import { ManualClock } from "../server/clock.ts";
import { requestInfo } from "../server/http/pages/testing.ts";
import { FakeDriver } from "../server/phones/testing/fake-driver.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../server/testing.ts";
import { newId } from "../shared/ids.ts";
import { check } from "./harness/check-screen.ts";
import { ADA } from "./harness/person.ts";
import { until } from "./harness/until.ts";

const executable = inject("chromium");
const HOUR_MS = 3_600_000;
const WIDTHS = [360, 1280];

/** Each step stands on the one before it. */
describe.skipIf(executable === undefined)("the operator's pages", () => {
  let folder: string;
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let ben: TestPerson;
  let code: () => string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "perch-e2e-operator-"));
    const lease = { beatMs: 200, leaseMs: 15_000, marginMs: 3_000 };
    const kept = { folder, driver: new FakeDriver(), clock: new ManualClock(), lease };
    server = await startTestServer({ OPERATORS: ADA.email, BILLING: "sandbox" }, kept);
    ben = await signIn(server);
    const launched = await call(
      server,
      "mutation",
      "phones.launch",
      { idempotencyKey: "first-phone", name: "Shop, tall" },
      ben.token,
    );
    expect(launched.ok).toBe(true);
    await server.accounts.accounts.create({ email: ADA.email, password: ADA.password, fullName: "Ada" }, "operator");
    browser = await chromium.launch({
      executablePath: executable ?? "",
      headless: true,
      args: ["--disable-background-networking", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    });
    // Axe needs scripts to run; the pages have none, which their policy makes sure of.
    page = await browser.newPage({ bypassCSP: true });
    page.setDefaultTimeout(10_000);
    await page.goto(`${server.url}/sign-in`);
    await page.getByLabel("E-mail address").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await press("Sign in");
    await page.waitForURL((url) => url.pathname !== "/sign-in");
    const cookie = (await page.context().cookies()).find(({ name }) => name === "perch");
    const actor = await server.accounts.sessions.find(cookie?.value ?? "", requestInfo());
    if (actor === undefined || actor === "ended") throw new Error("no session");
    const { secret } = await server.accounts.factors.beginTotp(actor);
    code = () => {
      server.clock.advance(30_000);
      return totpCodeAt(secret, server.clock.now());
    };
    await server.accounts.factors.confirmTotp(actor, code());
    await plant();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const open = (section: string) => page.goto(`${server.url}/operator${section === "" ? "" : `/${section}`}`);
  const look = (name: string) => check(page, name, WIDTHS);

  /** What an operator has to do with. */
  async function plant(): Promise<void> {
    const { db, clock } = server;
    const at = (hours: number) => new Date(clock.now() + hours * HOUR_MS);
    const leaving = await signIn(server);
    await db.tx(async (tx) => {
      const { jobs, dataRequests, erasures, erasureSteps, faults } = db.t;
      await tx.insert(jobs).values({
        ...{
          id: newId("job"),
          kind: "webhooks.deliver",
          input: {},
          state: "dead",
          runAt: at(-1),
          attempt: 8,
          maxAttempts: 8,
        },
        ...{ createdAt: at(-30), finishedAt: at(-1), error: "The other side answered 503 eight times." },
      });
      await tx.insert(dataRequests).values({
        ...{ id: newId("dataRequest"), kind: "access", channel: "mail", state: "open", number: "DR-2026-0001" },
        ...{ receivedAt: at(-28 * 24), enteredAt: at(-27 * 24), dueAt: at(60), email: "eve@x.example" },
        ...{ emailIndex: "eve@x.example", text: "My name is Eve." },
      });
      const id = newId("erasure");
      await tx
        .insert(erasures)
        .values({ id, userId: leaving.userId, state: "purging", askedAt: at(-216), purgeAt: at(-48) });
      await tx.insert(erasureSteps).values({ erasureId: id, store: "mail", position: 1, state: "late" });
      await tx.insert(faults).values({
        ...{ hour: at(0), place: "phones.launch", code: "internal", count: 1, reference: "K7P2M-9XQ4D", lastAt: at(0) },
      });
    });
  }

  /** Opens what is folded away in its row, says why, and does it. */
  const act = async (row: string, name: string, reason: string) => {
    const details = page.locator("li, section").filter({ hasText: row }).locator("details", { hasText: name }).last();
    await details.locator("summary").press("Enter");
    await details.getByLabel("Why").fill(reason);
    await details.getByRole("button", { name }).click();
    await page.getByText("Done. It stands in the log").waitFor();
  };
  const find = async (email: string, reason: string) => {
    await open("people");
    await page.getByLabel("Address of the account").fill(email);
    await page.getByLabel("Why you look").first().fill(reason);
    await press("Look");
  };
  const launch = () =>
    call(server, "mutation", "phones.launch", { idempotencyKey: `phone-${newId("job")}` }, ben.token);
  const address = () => `${ben.userId.toLowerCase()}@x.example`;
  const nodeState = (words: string) =>
    until(`the node to be ${words}`, async () => {
      await open("machines");
      return (await page.locator("#nodes .tag").textContent()) === words;
    });

  it("show how things stand, with nothing axe or a narrow window minds", async () => {
    await open("");
    await page.getByRole("heading", { name: "What needs you" }).waitFor();
    for (const need of ["1 job failed", "1 error", "1 erasure", "1 request about data"])
      await page.getByRole("link", { name: need }).waitFor();
    await look("operator");
    for (const section of ["people", "machines", "work", "announcements", "billing", "log", "settings"]) {
      await open(section);
      await look(`operator-${section}`);
    }
  });

  it("go from page to page by keyboard, and say what is not there", async () => {
    await open("");
    await page.keyboard.press("Tab");
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    for (let tabs = 0; (await focused()) !== "People" && tabs < 20; tabs += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${server.url}/operator/people`);
    await page.goto(`${server.url}/operator/nothing`);
    await page.getByText("There is no such page.").waitFor();
  });

  it("ask for a proof before they name somebody, then suspend the account and the team, and lift it", async () => {
    await find(address(), "They flood a neighbour");
    await page.getByRole("heading", { level: 1, name: "Confirm that it is you" }).waitFor();
    await page.getByLabel("Password").fill(ADA.password);
    await page.getByLabel("Code").fill(code());
    await press("Confirm");
    await page.waitForURL(`${server.url}/operator/people`);
    await find("nobody@x.example", "A mistake");
    await page.getByText("No account has this address.").waitFor();
    await look("operator-nobody");
    await find(address(), "They flood a neighbour");
    await look("operator-person");
    await act("Account", "Suspend the account", "Floods a neighbour");
    expect(await launch()).toMatchObject({ ok: false, error: { code: "held_for_review" } });
    await find(address(), "They answered");
    await page.getByText("suspended", { exact: true }).first().waitFor();
    await look("operator-suspended");
    await act("Account", "Lift the suspension of the account", "It was a mistake");
    expect(await launch()).toMatchObject({ ok: true });
    await find(address(), "The team");
    await act("They are owner here", "Suspend the team", "Floods a neighbour");
    expect(await launch()).toMatchObject({ ok: false, error: { code: "held_for_review" } });
    await find(address(), "The team");
    await act("They are owner here", "Lift the suspension of the team", "It was a mistake");
    await launch();
    await find(address(), "One phone");
    await act("running", "Stop", "Too loud");
    await find(address(), "A lost laptop");
    await act("Account", "Sign out everywhere", "A lost laptop");
    await page.getByLabel("Why you look").last().fill("The week's look");
    await press("Show them");
    await page.getByText("None.").waitFor();
  });

  it("drain a node and take it back, run work again, and fetch what Stripe told", async () => {
    await open("machines");
    await act("Nodes", "Drain", "A new disk");
    await nodeState("draining");
    await look("operator-drained");
    await act("Nodes", "Take the drain back", "The disk is in");
    await nodeState("open");
    await open("work");
    await act("Webhooks: deliver", "Try again", "The other side is back");
    await open("work");
    await act("What Stripe told", "Fetch what was missed", "It was away");
    await open("billing");
    await page.getByLabel("Why you look").fill("The month's end");
    await press("Show the findings");
    await page.getByText("Everything fits.").waitFor();
  });

  it("announce something, say what is wrong with it first, and end it; all of it stands in the log", async () => {
    await open("announcements");
    const text = "Phones restart tonight at ten, for half a minute.";
    await page.getByLabel("Text").fill(text);
    await page.getByLabel("Why").fill("Maintenance");
    await press("Announce it");
    await page.getByText("Choose a day and a time.").waitFor();
    await look("operator-announce-wrong");
    const until = new Date(server.clock.now() + 24 * HOUR_MS).toISOString().slice(0, 16);
    await page.getByLabel("Until").fill(until);
    await press("Announce it");
    await page.getByText("shown now").waitFor();
    await look("operator-announced");
    await act(text, "End it", "It is over");
    await page.getByText("over", { exact: true }).waitFor();
    await open("log");
    await page.getByLabel("Why you look").fill("The week's look");
    await press("Read the log");
    for (const reason of [
      "Floods a neighbour",
      "It was a mistake",
      "A new disk",
      "The other side is back",
      "Maintenance",
    ])
      await page.getByText(reason).first().waitFor();
    await look("operator-log-read");
  });
});
