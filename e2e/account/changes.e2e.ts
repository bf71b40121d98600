/**
 * A change of address and a recovery in a real browser, without JavaScript, on the server's real pages with a clock
 * that can be walked. What the pages do is tried in `server/http/pages/change-pages.test.ts`; this is how they look.
 */
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type TestDatabase, testSqlite } from "../../server/db/testing.ts";
import { QUICK_PASSWORDS, requestInfo, startPages, type TestPages } from "../../server/http/pages/testing.ts";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { newId } from "../../shared/ids.ts";
import { check } from "../harness/check-screen.ts";
import { ADA } from "../harness/person.ts";

const executable = inject("chromium");
const DAY_MS = 24 * 3_600_000;
const NEW_EMAIL = "ada.new@x.example";

/** Each step stands on the one before it. */
describe.skipIf(executable === undefined)("changes of an account", () => {
  let test: TestDatabase;
  let http: Server;
  let server: TestPages;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    test = await testSqlite.open();
    http = createServer((request, response) => void getRequestListener(server.app.fetch)(request, response));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const { port } = http.address() as AddressInfo;
    server = startPages(test.db, { publicUrl: `http://localhost:${port}`, passwords: QUICK_PASSWORDS });
    await server.accounts.create({ email: ADA.email, password: ADA.password, fullName: "Ada" }, "operator");
    browser = await chromium.launch({
      executablePath: executable ?? "",
      headless: true,
      args: ["--disable-background-networking", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    });
    // Axe needs scripts to run; the pages have none, which their policy makes sure of.
    page = await browser.newPage({ bypassCSP: true });
  });
  afterAll(async () => {
    await browser?.close();
    http?.closeAllConnections();
    http?.close();
    await test?.dispose();
  });

  const actor = async () => {
    const { token } = await server.signedIn(ADA.email, ADA.password);
    const found = await server.sessions.find(token, requestInfo());
    if (found === undefined || found === "ended") throw new Error("no session");
    return found;
  };
  const linkTo = async (recipient: string, path: string) => {
    const mails = (await server.mail.preview()).filter((mail) => mail.recipient === recipient);
    const links = mails.flatMap(({ text }) => [...text.matchAll(/https?:\/\/\S+/g)].map(([link]) => link));
    return links.find((link) => link.includes(path)) ?? "";
  };
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const heading = (name: string) => page.getByRole("heading", { level: 1, name }).waitFor();

  it("confirms a new address with the password", async () => {
    await server.credentials.changeEmail(await actor(), { email: NEW_EMAIL });
    await page.goto(await linkTo(NEW_EMAIL, "/email/confirm"));
    await check(page, "email-confirm");
    await page.getByLabel("Password").fill("wrong cucumbers dance");
    await press("Confirm the address");
    await page.getByText("This is not the password of the account.").waitFor();
    await check(page, "email-confirm-wrong");
    await page.getByLabel("Password").fill(ADA.password);
    await press("Confirm the address");
    await heading("Your address is changed");
    await check(page, "email-confirmed");
  });

  it("takes the change back from the earlier address", async () => {
    await page.goto(await linkTo(ADA.email, "/email/undo"));
    await check(page, "email-undo");
    await press("Take it back");
    await heading("The account is yours again");
    await check(page, "email-undone");
    await page.goto(await linkTo(ADA.email, "/reset/new"));
    await page.getByLabel("New password").fill(ADA.password);
    await press("Set password");
    await heading("Your password is changed");
  });

  it("gets back in without the second factor, after a day", async () => {
    const { userId } = await actor();
    const at = new Date(server.clock.now());
    await test.db.tx((tx) =>
      tx.insert(test.db.t.totpFactors).values({ userId, sealedSecret: "s", createdAt: at, confirmedAt: at }),
    );
    server.clock.advance(DAY_MS);
    await page.goto(`${server.publicUrl.origin}/sign-in`);
    await page.getByLabel("E-mail address").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await press("Sign in");
    await page.getByRole("link", { name: "I have neither" }).click();
    await check(page, "recover");
    await page.getByLabel("E-mail address").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await press("Send the link");
    await heading("Check your mail");
    await check(page, "recover-sent");
    await page.goto(await linkTo(ADA.email, "/recover/cancel"));
    await check(page, "recover-cancel");
    const finish = await linkTo(ADA.email, "/recover/finish");
    await page.goto(finish);
    await heading("Not yet");
    await check(page, "recover-wait");
    server.clock.advance(DAY_MS);
    await page.reload();
    await check(page, "recover-finish");
    await press("Remove them");
    await heading("You can sign in again");
    await check(page, "recovered");
    await page.goto(finish);
    await heading("This link no longer works");
  });

  it("asks which team the extension works in", async () => {
    const { userId } = await actor();
    const { teams, teamMembers } = test.db.t;
    const id = newId("team");
    const at = new Date(server.clock.now());
    await test.db.tx(async (tx) => {
      await tx.insert(teams).values({ id, name: "Nordlicht-Werkstatt und Söhne", createdAt: at });
      await tx.insert(teamMembers).values({ teamId: id, userId, role: "operator", joinedAt: at });
    });
    const query = new URLSearchParams({
      ...{ response_type: "code", client_id: "perch-extension", state: "s".repeat(22), code_challenge_method: "S256" },
      redirect_uri: `https://${CHROME_EXTENSION_ID}.chromiumapp.org/connected`,
      code_challenge: createHash("sha256").update("v".repeat(43)).digest("base64url"),
    });
    await page.goto(`${server.publicUrl.origin}/connect?${query}`);
    await page.getByLabel("E-mail address").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await press("Sign in");
    await page.getByRole("radio", { name: "Nordlicht-Werkstatt" }).check();
    await check(page, "connect-teams");
    expect(await page.getByRole("radio", { checked: true }).getAttribute("value")).toBe(id);
  });
});
