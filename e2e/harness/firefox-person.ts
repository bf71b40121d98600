/** What a person does in Firefox, through the real pages; the counterpart of `person.ts`, `panel.ts` and `picture.ts`. */
import type { FirefoxBrowser } from "./firefox.ts";
import type { FirefoxPage } from "./firefox-page.ts";
import { type Account, confirmLink } from "./person.ts";
import { type Colour, near } from "./picture.ts";
import type { PerchServer } from "./server.ts";
import { until } from "./until.ts";

/** Enters the server's address on the welcome page; the page then offers to sign in. */
export async function chooseServer(welcome: FirefoxPage, address: string): Promise<void> {
  await welcome.click("button", "Agree and begin");
  const change = await until("the welcome page to have looked around", async () => {
    if ((await welcome.count("button", "Change")) > 0) return "change";
    return (await welcome.count("textbox", "Server address")) > 0 && "field";
  });
  // A server at the usual place is found by itself; these tests have their own.
  if (change === "change") await welcome.click("button", "Change");
  await welcome.fill("Server address", address);
  await welcome.click("button", "Connect");
  await welcome.waitFor("button", "Sign in or sign up");
}

/** Starts signing in and gives the window that Firefox opens for it. */
export async function openSignInWindow(
  browser: FirefoxBrowser,
  welcome: FirefoxPage,
  server: PerchServer,
): Promise<FirefoxPage> {
  await welcome.click("button", "Sign in or sign up");
  return browser.page(server.url);
}

/** In the sign-in window: a new account, confirmed by mail, then the consent, after which the window closes. */
export async function signUp(
  browser: FirefoxBrowser,
  window: FirefoxPage,
  server: PerchServer,
  { email, password }: Account,
): Promise<void> {
  await window.click("link", "Create an account");
  await window.fill("E-mail address", email);
  await window.fill("Password", password);
  await window.click("button", "Create account");
  await window.waitFor("heading", "Check your mail");
  await window.goto(confirmLink(await server.mail(email)));
  await window.fill("Password", password);
  await window.click("button", "Confirm and sign in");
  await window.click("button", "Connect");
  await until("the sign-in window to close", async () =>
    (await browser.pages()).every(({ context }) => context !== window.context),
  );
}

/** ⋯ of the hardware bar → "Open an address…". */
export async function openAddress(panel: FirefoxPage, url: string): Promise<void> {
  await panel.click("button", "More");
  await panel.click("menuitem", "Open an address…");
  await panel.fill("Address to open on the phone", url);
  await panel.press("Enter");
  await until("the address field to go", async () =>
    panel.evaluate(() => document.querySelector(".address-bar") === null),
  );
}

/** Waits until the live picture shows `colour`; the left edge shows a fixture page's background. */
export async function showsColour(panel: FirefoxPage, colour: Colour, timeout = 30_000): Promise<void> {
  let last: Colour | undefined;
  await until(
    `the picture to show ${colour.join(",")}`,
    async () => {
      last = (await pixel(panel)) ?? undefined;
      return last !== undefined && near(last, colour);
    },
    { timeout, everyMs: 100 },
  ).catch(async (error: unknown) => {
    const said = (await panel.text()).replaceAll("\n", " | ");
    throw new Error(`It shows ${last?.join(",") ?? "nothing"}; the panel says: ${said}`, { cause: error });
  });
}

/** Red, green and blue at the left edge of the live picture; null before the first frame. */
function pixel(panel: FirefoxPage): Promise<Colour | null> {
  return panel.evaluate(async () => {
    const canvas = document.querySelector<HTMLCanvasElement>(".picture canvas");
    if (canvas === null || canvas.width === 0) return null;
    const bitmap = await createImageBitmap(canvas);
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context?.drawImage(bitmap, 0, 0);
    const at = [Math.floor(0.02 * (bitmap.width - 1)), Math.floor(0.5 * (bitmap.height - 1))] as const;
    const { data } = context?.getImageData(at[0], at[1], 1, 1) ?? {};
    return data === undefined ? null : ([data[0] ?? 0, data[1] ?? 0, data[2] ?? 0] as const);
  });
}

/** Whether the live picture is wider than high; null before the first frame. */
export function pictureIsWide(panel: FirefoxPage): Promise<boolean | null> {
  return panel.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(".picture canvas");
    return canvas === null || canvas.width === 0 ? null : canvas.width > canvas.height;
  });
}

/** Taps the phone at fractions of its picture, with a real mouse over the real picture. */
export async function tap(panel: FirefoxPage, x: number, y: number): Promise<void> {
  const box = await panel.evaluate(() => {
    const rect = document.querySelector(".picture")?.getBoundingClientRect();
    return rect === undefined ? null : { x: rect.x, y: rect.y, width: rect.width, height: rect.height };
  });
  if (box === null) throw new Error("There is no picture.");
  await panel.clickAt(box.x + x * box.width, box.y + y * box.height);
}
