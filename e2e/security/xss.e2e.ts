/** Markup and scripts in every text a server or a phone can send to the panel: shown as text, run as nothing. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until } from "../harness/until.ts";
import { SIGNED_IN, storeSignIn } from "../panel/panel-page.ts";
import { phonePictures } from "../panel/phone-pictures.ts";
import { type StubServer, startStubServer } from "../panel/stub-server.ts";

const executable = inject("chromium");
const CORPUS = [
  "<script>document.title='owned'</script>",
  "<img src=x onerror=\"document.title='owned'\">",
  "<svg onload=document.title='owned'>",
  "<iframe srcdoc='<script>parent.document.title=1</script>'></iframe>",
  "\"'><a href=javascript:document.title='owned'>press</a>",
  "</textarea></style></title><b>bold</b>",
  "{{constructor.constructor('document.title=1')()}}",
  "\u202Eevil\u0000",
].join(" ");
/** What the corpus would be, if it were taken for markup. */
const PLANTED = "body script, [onerror], [onload], iframe[srcdoc], a[href^='javascript:'], img[src='x'], b";
/** What answers carry for people to read. */
const TEXTS =
  /^(name|fullName|title|label|message|words|text|email|browser|system|timeZone|ip|purpose|leaves|place|note|detail|about|log|line|error|by|who)$|Name$|Words$/;

/** Puts the corpus into every text of an answer; ids, states and dates stay, so that the panel goes on. */
function poisoned(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((one) => poisoned(one, key));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, poisoned(one, name)]));
  }
  return typeof value === "string" && (TEXTS.test(key) || key === "tags") ? `${CORPUS} ${value}` : value;
}

describe.skipIf(executable === undefined)("hostile text in the panel", () => {
  let browser: ExtensionBrowser;
  let server: StubServer;
  let page: Page;
  const dialogs: string[] = [];

  beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    const pictures = await phonePictures(browser.context);
    server = await startStubServer();
    server.screens.frames = pictures.frames;
    server.state.png = pictures.png;
    const call = (path: string, input: object) =>
      fetch(`${server.origin}/trpc/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${SIGNED_IN}` },
        body: JSON.stringify(input),
      });
    await call("flows.save", { name: CORPUS.slice(0, 100), source: "url: https://a.example/\n---\n- back\n" });
    server.team.add({
      name: CORPUS,
      tags: [CORPUS.slice(0, 40)],
      state: "running",
      startedAt: new Date().toISOString(),
    });
    server.team.add({ name: CORPUS });
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
    page = await browser.context.newPage();
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await page.route(`${server.origin}/trpc/**`, async (route) => {
      // A stream of events has no end to wait for; its phones are poisoned at their source.
      if (route.request().headers()["accept"] === "text/event-stream") return route.continue();
      const answer = await route.fetch();
      return route.fulfill({ response: answer, body: JSON.stringify(poisoned(await answer.json())) });
    });
    await page.addInitScript(() => {
      const kept: string[] = [];
      Object.assign(globalThis, { violations: kept });
      addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
        kept.push(`${violatedDirective} ${blockedURI}`);
      });
    });
  });
  afterAll(async () => {
    await page?.unrouteAll({ behavior: "ignoreErrors" });
    await browser?.close();
    await server?.stop();
  });

  it("ABUSE-17 is text in every tab: no element, no script, no violation of the policy", async () => {
    await page.goto(`chrome-extension://${CHROME_EXTENSION_ID}/sidepanel.html`);
    for (const tab of ["Phone", "Automations", "Activity", "Privacy", "Account"]) {
      await page.getByRole("tab", { name: tab }).click();
      await until(`${tab} to show what was sent`, async () =>
        (await page.locator("body").textContent())?.includes("<script>"),
      );
      expect(await page.title(), tab).not.toBe("owned");
      const planted = await page.evaluate((css) => document.querySelectorAll(css).length, PLANTED);
      expect([tab, planted]).toEqual([tab, 0]);
    }
    expect(await page.evaluate(() => Reflect.get(globalThis, "violations"))).toEqual([]);
    expect(dialogs).toEqual([]);
    // As markup the same text would be seen.
    const asMarkup = ([text, css]: readonly [string, string]) =>
      new DOMParser().parseFromString(text, "text/html").querySelectorAll(css).length;
    expect(await page.evaluate(asMarkup, [CORPUS, PLANTED] as const)).toBeGreaterThan(4);
  });
});
