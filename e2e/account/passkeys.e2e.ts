/** Passkeys and second factors in a real Chromium with a virtual authenticator, on the server's own pages. */
import { createHash, randomBytes } from "node:crypto";
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { totpCodeAt } from "../../server/accounts/testing/app-code.ts";
import { CHROME_EXTENSION_ID, type Exchanged, type TotpEnrolment } from "../../shared/accounts.ts";
import { check } from "../harness/check-screen.ts";
import { ADA } from "../harness/person.ts";
import { PerchServer } from "../harness/server.ts";

const executable = inject("chromium");
const REDIRECT = `https://${CHROME_EXTENSION_ID}.chromiumapp.org/connected`;

/** Each step stands on the one before it. */
describe.skipIf(executable === undefined)("passkeys in Chromium", () => {
  let server: PerchServer;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let devtools: CDPSession;
  let authenticatorId: string;
  let backupCodes: readonly string[];

  beforeAll(async () => {
    server = await PerchServer.start();
    browser = await chromium.launch({
      executablePath: executable ?? "",
      headless: true,
      args: ["--disable-background-networking", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    });
    context = await browser.newContext();
    // Where the extension would catch the answer of its sign-in window.
    await context.route("https://*.chromiumapp.org/**", (route) => route.fulfill({ body: "caught" }));
    page = await context.newPage();
    devtools = await context.newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    ({ authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    }));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const go = (path: string) => page.goto(server.url + path);
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const signOut = async () => {
    await button("Sign out").click();
    await page.getByRole("link", { name: "Sign in", exact: true }).first().waitFor();
  };
  const signedIn = () => page.getByText(`You are signed in as ${ADA.email}`).waitFor();

  it("adds one, after the account was set up", async () => {
    await page.goto(server.setupUrl);
    await page.getByLabel("E-mail address").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await button("Create account").click();
    await signedIn();
    await go("/account/passkeys");
    await check(page, "passkeys-none");
    expect(await page.getByLabel("Name").inputValue()).toMatch(/Chrome.* on Linux$/);
    await page.getByLabel("Name").fill("Laptop");
    await button("Add a passkey").click();
    await page.getByText("The passkey was added.").waitFor();
    await page.getByRole("heading", { name: "Laptop" }).waitFor();
    const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
    expect(credentials).toMatchObject([{ rpId: "localhost", isResidentCredential: true }]);
  });

  it("does not add a second one on the same device, and says so", async () => {
    await button("Add a passkey").click();
    await page.getByText("This device holds a passkey of this account already.").waitFor();
    expect(await page.getByRole("heading", { level: 2 }).allTextContents()).toEqual(["Laptop", "Add a passkey"]);
  });

  it("signs in with it, without an address or a password", async () => {
    await signOut();
    await go("/sign-in");
    await check(page, "sign-in");
    await button("Sign in with a passkey").click();
    await signedIn();
  });

  it("refuses it when the device cannot make sure who holds it", async () => {
    await signOut();
    await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await go("/sign-in");
    await button("Sign in with a passkey").click();
    await page.getByText("could not make sure that it is you").waitFor();
    await go("/");
    expect(await page.getByText("You are signed in as").count()).toBe(0);
    await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
    await go("/sign-in");
    await button("Sign in with a passkey").click();
    await signedIn();
  });

  it("renames it", async () => {
    await go("/account/passkeys");
    await page.getByText("Rename", { exact: true }).click();
    await page.getByLabel("New name").fill("Desk");
    await page.getByText("Remove", { exact: true }).click();
    await check(page, "passkeys-one");
    await button("Save the name").click();
    await page.getByText("The passkey has its new name.").waitFor();
    await page.getByRole("heading", { name: "Desk" }).waitFor();
    expect(await server.mail(ADA.email)).toContain("Laptop is now Desk");
  });

  it("asks for an app's code as well once one is set up, when the extension wants a proof", async () => {
    const connect = async (prompt: "login" | undefined, token: string | undefined, onProve?: () => Promise<void>) => {
      const verifier = randomBytes(32).toString("base64url");
      await go(
        `/connect?${new URLSearchParams({
          response_type: "code",
          client_id: "perch-extension",
          redirect_uri: REDIRECT,
          state: randomBytes(16).toString("base64url"),
          code_challenge: createHash("sha256").update(verifier).digest("base64url"),
          code_challenge_method: "S256",
          ...(prompt && { prompt }),
        })}`,
      );
      await onProve?.();
      if (prompt !== undefined) await check(page, "connect-proof");
      await button("Connect").click();
      await page.waitForURL(({ hostname }) => hostname.endsWith(".chromiumapp.org"));
      const code = new URL(page.url()).searchParams.get("code");
      return call<Exchanged>("account.exchange", { code, verifier, redirectUri: REDIRECT }, token);
    };
    const call = async <T>(path: string, input: unknown, token: string | undefined): Promise<T> => {
      const answer = await fetch(`${server.url}/trpc/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify(input),
      });
      if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
      return ((await answer.json()) as { result: { data: T } }).result.data;
    };

    // Signed in by password here: a passkey would be proof enough.
    await signOut();
    await go("/sign-in");
    await page.getByLabel("E-mail address").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await button("Sign in").click();
    await signedIn();
    const { token } = await connect(undefined, undefined);
    const { secret } = await call<TotpEnrolment>("account.beginTotp", {}, token);
    const code = totpCodeAt(secret, Date.now());
    backupCodes = (await call<{ codes: string[] }>("account.confirmTotp", { code }, token)).codes;
    expect(backupCodes).toHaveLength(10);

    const stepped = await connect("login", token, async () => {
      await page.getByRole("heading", { name: "Confirm that it is you" }).waitFor();
      await check(page, "prove");
      await page.getByLabel("Password").fill(ADA.password);
      await page.getByLabel("Code").fill(backupCodes[0] ?? "");
      await button("Confirm").click();
      await page.getByRole("heading", { name: "Connect again, with your proof?" }).waitFor();
    });
    expect(stepped.token).not.toBe(token);
    expect(Date.parse(stepped.me.session.provenUntil)).toBeGreaterThan(Date.now());

    await go("/prove?next=/account/passkeys");
    await button("Use a passkey").click();
    await page.getByRole("heading", { name: "Passkeys" }).waitFor();
  });

  it("asks for the code at sign-in, on a page of its own, without any script", async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false });
    const bare = await plain.newPage();
    await bare.goto(`${server.url}/sign-in`);
    expect(await bare.content()).toContain("Passkeys need JavaScript");
    expect(await bare.getByRole("button").allTextContents()).toEqual(["Sign in"]);
    await bare.getByLabel("E-mail address").fill(ADA.email);
    await bare.getByLabel("Password").fill(ADA.password);
    await bare.getByRole("button", { name: "Sign in" }).click();
    await bare.getByRole("heading", { name: "Type your code" }).waitFor();
    await bare.getByLabel("Code").fill("123 456 7");
    await bare.getByRole("button", { name: "Sign in" }).click();
    await bare.getByText("This code is not right").waitFor();
    await bare.getByLabel("Code").fill((backupCodes[1] ?? "").toLowerCase());
    await bare.getByRole("button", { name: "Sign in" }).click();
    await bare.getByText(`You are signed in as ${ADA.email}`).waitFor();
    await plain.close();

    await signOut();
    await go("/sign-in");
    await page.getByLabel("E-mail address").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await button("Sign in").click();
    await page.getByRole("heading", { name: "Type your code" }).waitFor();
    await check(page, "sign-in-code");
    await go("/sign-in");
    await button("Sign in with a passkey").click();
    await signedIn();
  });

  it("removes it, after which the device's copy opens nothing", async () => {
    await go("/account/passkeys");
    await page.getByText("Remove", { exact: true }).click();
    await button("Remove this passkey").click();
    await page.getByText("The passkey was removed.").waitFor();
    expect(await server.mail(ADA.email)).toContain("A passkey was removed: Desk.");
    await signOut();
    await go("/sign-in");
    await button("Sign in with a passkey").click();
    await page.getByText("This passkey was not accepted here.").waitFor();
  });

  it("says at another name of this machine where passkeys work", async () => {
    await page.goto(`http://127.0.0.1:${server.port}/sign-in`);
    await page.getByRole("link", { name: `localhost:${server.port}` }).click();
    await button("Sign in with a passkey").waitFor();
    expect(new URL(page.url()).hostname).toBe("localhost");
  });
});
