/** An invitation as a person gets it: from the mail, in a real browser, to a place in the team. Light and dark, with axe. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../server/testing.ts";
import { problems } from "./panel/looks.ts";

const executable = inject("chromium");
const PASSWORD = "blaue gurken tanzen";

describe.skipIf(executable === undefined)("an invitation in a real browser", () => {
  let browser: Browser;
  let server: TestServer;
  /** Another site that shows the mail, as web mail does. */
  let webMail: Server;
  let owner: TestPerson;
  let context: BrowserContext;
  let page: Page;
  let shown = "";
  beforeAll(async () => {
    const { chromium } = await import("playwright-core");
    const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    browser = await chromium.launch({ executablePath: executable ?? "", headless: true, args });
    server = await startTestServer();
    owner = await signIn(server);
    webMail = createServer((_request, response) => response.setHeader("content-type", "text/html").end(shown));
    await new Promise<void>((resolve) => webMail.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    webMail?.close();
    await server?.dispose();
    await browser?.close();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
  });
  afterEach(() => context.close());

  const invite = async (email: string) => {
    const answer = await call(server, "mutation", "teams.invite", { email, role: "operator", days: 7 }, owner.token);
    expect(answer).toMatchObject({ ok: true });
    const mail = (await server.accounts.mail.preview()).find(({ recipient }) => recipient === email);
    return /https?:\/\/\S+\/invite\S+/.exec(mail?.text ?? "")?.[0] ?? "";
  };
  const looks = async (name: string) => {
    for (const [colorScheme, width] of [
      ["light", 360],
      ["dark", 360],
    ] as const) {
      await page.setViewportSize({ width, height: 740 });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.screenshot({
        path: `e2e/out/invite-${name}-${colorScheme}.png`,
        fullPage: true,
        animations: "disabled",
      });
      expect.soft(await problems(page), `${name}, ${colorScheme}`).toEqual([]);
    }
  };

  it("makes an account and joins, in one form", async () => {
    await page.goto(await invite("new@x.example"));
    await looks("new");
    await page.getByLabel("Password").fill("short");
    await page.getByRole("button", { name: "Create account and join" }).click();
    await page.getByText("Use at least 12 characters").waitFor();
    await looks("new-wrong");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create account and join" }).click();
    await page.getByRole("heading", { name: "You are in “Team”" }).waitFor();
    await looks("done");
  });

  it("is answered by who is signed in, also when web mail led there; not by somebody else", async () => {
    for (const email of ["old@x.example", "other@x.example"]) {
      await server.accounts.accounts.create({ email, password: PASSWORD }, "operator");
    }
    const link = await invite("old@x.example");
    await page.goto(link);
    await looks("sign-in");
    await page.getByRole("link", { name: "Other ways to sign in" }).click();
    await page.getByLabel("E-mail address").fill("other@x.example");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("You are signed in as other@x.example").waitFor();
    await looks("other-person");
    await page.getByRole("button", { name: "Use another account" }).click();
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: "Accept" }).waitFor();
    await looks("answer");
    shown = `<!doctype html><title>Mail</title><a href="${link}">See the invitation</a>`;
    await page.goto(`http://127.0.0.1:${(webMail.address() as AddressInfo).port}/`);
    await page.getByRole("link").click();
    await page.getByRole("button", { name: "Accept" }).click();
    await page.getByRole("heading", { name: "You are in “Team”" }).waitFor();
    await page.goto(link);
    await page.getByRole("heading", { name: "This invitation no longer works" }).waitFor();
    await looks("dead");
  });
});
