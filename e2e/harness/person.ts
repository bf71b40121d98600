/** What a person does, through the real pages: install, sign up, confirm, connect, launch. */
import type { Locator, Page } from "playwright-core";
import type { ExtensionBrowser } from "./chromium.ts";
import type { PerchServer } from "./server.ts";
import { until } from "./until.ts";

export interface Account {
  readonly email: string;
  readonly password: string;
}
export const ADA: Account = { email: "ada@example.org", password: "four harbour lanterns glow" };
export const BEN: Account = { email: "ben@example.org", password: "nine quiet mountains rest" };

/** Agrees to what the extension handles: before that it sends nothing. */
export async function agree(welcome: Page): Promise<void> {
  const button = welcome.getByRole("button", { name: "Agree and begin" });
  await button.or(welcome.getByText("You agreed")).first().waitFor({ timeout: 15_000 });
  if (await button.isVisible()) await button.click();
}

/** Enters the server's address on the welcome page; the page then offers to sign in. */
export async function chooseServer(welcome: Page, address: string): Promise<void> {
  await agree(welcome);
  const field = welcome.getByLabel("Server address");
  const change = welcome.getByRole("button", { name: "Change" });
  await field.or(change).first().waitFor({ timeout: 15_000 });
  // A server at the usual place is found by itself; these tests have their own.
  if (await change.isVisible()) await change.click();
  await field.fill(address);
  await welcome.getByRole("button", { name: /Connect|Try again/ }).click();
  await welcome.getByRole("button", { name: "Sign in or sign up" }).waitFor();
}

/** Starts signing in and gives the browser's sign-in window. */
export async function openSignInWindow(browser: ExtensionBrowser, welcome: Page, server: string): Promise<Page> {
  await welcome
    .getByRole("button", { name: /Sign in/ })
    .first()
    .click();
  const page = await until("the sign-in window", () =>
    browser.context.pages().find((each) => each.url().startsWith(server) && !each.isClosed()),
  );
  await page.waitForLoadState();
  return page;
}

/** In the sign-in window: a new account, confirmed by mail, then the consent. `onStep` may take pictures. */
export async function signUp(
  window: Page,
  server: PerchServer,
  account: Account,
  onStep: (step: "sign-up" | "check-mail" | "confirm" | "consent") => Promise<void> = async () => {},
): Promise<void> {
  await window.getByRole("link", { name: "Create an account" }).click();
  await window.getByLabel("E-mail address").fill(account.email);
  await window.getByLabel("Password").fill(account.password);
  await onStep("sign-up");
  await window.getByRole("button", { name: "Create account" }).click();
  await window.getByRole("heading", { name: "Check your mail" }).waitFor();
  await onStep("check-mail");
  await window.goto(confirmLink(await server.mail(account.email)));
  await window.getByLabel("Password").fill(account.password);
  await onStep("confirm");
  await window.getByRole("button", { name: "Confirm and sign in" }).click();
  await approve(window, onStep);
}

/** In the sign-in window: an account that exists, then the consent. */
export async function signIn(window: Page, account: Account): Promise<void> {
  await window.getByLabel("E-mail address").fill(account.email);
  await window.getByLabel("Password").fill(account.password);
  await window.getByRole("button", { name: "Sign in", exact: true }).click();
  await approve(window);
}

export async function approve(
  window: Page,
  onStep: (step: "consent") => Promise<void> = async () => {},
): Promise<void> {
  const connect = window.getByRole("button", { name: "Connect", exact: true });
  await connect.waitFor();
  await onStep("consent");
  await clickAndClose(connect);
}

/** The confirmation link in a mail. */
export function confirmLink(mail: string): string {
  return linkIn(mail, "/confirm");
}

/** The link in a mail that leads to a page, with `&amp;` and such undone. */
export function linkIn(mail: string, path: string): string {
  const link = [...mail.matchAll(/href="([^"]+)"/g)].find(([, href = ""]) => href.includes(`${path}?`))?.[1];
  if (link === undefined) throw new Error(`There is no link in: ${mail}`);
  return link.replaceAll("&amp;", "&").replaceAll("&#x3D;", "=").replaceAll("&#61;", "=");
}

/**
 * From a fresh installation to being signed in, on the welcome page. Gives the welcome page back. `address` is where
 * this browser reaches the server.
 */
export async function installAndSignUp(
  browser: ExtensionBrowser,
  server: PerchServer,
  account: Account,
  address: string = server.url,
): Promise<Page> {
  const welcome = await browser.extensionPage("welcome.html");
  await chooseServer(welcome, address);
  await signUp(await openSignInWindow(browser, welcome, address), server, account);
  await welcome.getByText("Signed in").waitFor();
  return welcome;
}

/** Toolbar button → "Open on phone" → the side panel, with the popup gone. */
export async function openOnPhone(browser: ExtensionBrowser, tab: Page): Promise<Page> {
  const popup = await browser.openPopup(tab);
  await clickAndClose(popup.getByRole("button", { name: /^Open on / }).first());
  return browser.extensionPage("sidepanel.html");
}

/** Clicks a button whose page closes itself in answer, perhaps before the click has settled. */
export async function clickAndClose(button: Locator): Promise<void> {
  const page = button.page();
  const closed = page.isClosed() ? Promise.resolve() : page.waitForEvent("close");
  await button.click().catch((error: unknown) => {
    if (!/closed/.test(String(error))) throw error;
  });
  await closed;
}
