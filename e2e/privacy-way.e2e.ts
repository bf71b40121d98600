/**
 * A person's rights on the real stack, from the popup to the certificate, and what leaves the browser and the server
 * meanwhile. Each step stands on the one before it.
 */
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decrypter } from "age-encryption";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readArchive } from "../server/privacy/export/testing.ts";
import { CHROME_EXTENSION_ID } from "../shared/accounts.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { extensionBuild } from "./harness/builds.ts";
import { check } from "./harness/check-screen.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { untilNothingIsKept } from "./harness/kept.ts";
import { readNetLog } from "./harness/net-log.ts";
import { firstPhone, showTab } from "./harness/panel.ts";
import { ADA, approve, installAndSignUp, linkIn } from "./harness/person.ts";
import { PerchServer } from "./harness/server.ts";
import { until, untilEqual } from "./harness/until.ts";
import { badgeOf, keptOffers } from "./rules/rule-browser.ts";

const executable = inject("chromium");
const PASSPHRASE = "seven grey herons wait";
/** Of pages that are visited: the address of the first is shown to the person and sent, the rest never is. */
const MARKS = { previewed: "mark-3fa1-shown", url: "mark-3fa1-url", title: "mark-3fa1-title", body: "mark-3fa1-body" };
/** Where the extension looks for a server before it is told of one. */
const USUAL_ORIGIN = "http://localhost:8787";

describe.skipIf(executable === undefined)("a person's rights, the whole way", () => {
  const netLog = join(tmpdir(), `perch-net-log-${process.pid}.json`);
  const framesSent: string[] = [];
  let site: Site;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let panel: Page;
  let page: Page;

  keepEvidence(() => ({ server, browser }));
  beforeAll(async () => {
    site = await startSite({ title: MARKS.title, body: MARKS.body });
    const preloads = ["watch-requests", "later"].flatMap((name) => ["--import", `./e2e/harness/${name}.ts`]);
    server = await PerchServer.start({
      env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` },
      program: [process.execPath, ...preloads, "server/main.ts"],
    });
    browser = await ExtensionBrowser.launch({
      executable: executable ?? "",
      extension: extensionBuild("chrome"),
      netLog,
    });
    browser.context.setDefaultTimeout(10_000);
    browser.context.on("page", (opened) =>
      opened.on("websocket", (socket) =>
        socket.on("framesent", ({ payload }) => framesSent.push(payload.toString("utf8"))),
      ),
    );
    await installAndSignUp(browser, server, ADA);
    panel = await browser.openExtensionPage("sidepanel.html?full=1");
    await firstPhone(panel);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await site?.close();
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
  const dialog = () => page.getByRole("dialog").last();
  const press = (name: string) => dialog().getByRole("button", { name, exact: true }).click();
  const says = (words: string | RegExp) => page.getByText(words).filter({ visible: true }).first().waitFor();
  const noDialog = () => until("the dialog to close", async () => (await page.getByRole("dialog").count()) === 0);
  const typeAddress = () => dialog().getByLabel(`Type ${ADA.email} to confirm`).fill(ADA.email);

  it("begins with a page that is visited, of which only the shown address is sent", async () => {
    await showTab(panel, "Automations");
    await panel.getByRole("button", { name: /^Rules/ }).click();
    await panel.getByRole("button", { name: /^Product page → open in the app/ }).click();
    await panel.getByLabel("Sites on which it may act by itself").fill("http://127.0.0.1/product/*");
    await panel.getByRole("button", { name: "Save", exact: true }).click();
    await panel.getByText("is saved.").waitFor();
    const passedBy = await browser.openTab(`${site.origin}/marked?${MARKS.url}`);
    const looked = await browser.openPopup(passedBy);
    await looked
      .getByRole("button", { name: /^Open on / })
      .first()
      .waitFor();
    await looked.close();
    const address = `${site.origin}/product/marked?${MARKS.previewed}`;
    const tab = await browser.openTab(address);
    await untilEqual("the badge", () => badgeOf(panel, address), "1?");
    expect(await keptOffers(panel)).toMatchObject([{ values: [{ value: address }] }]);
    const popup = await browser.openPopup(tab);
    await popup.getByText(address).waitFor();
    const before = site.requests("/product/marked");
    await popup.getByRole("button", { name: "Run", exact: true }).click();
    await popup.getByText(/^Running on /).waitFor();
    await until("the phone to open it", () => site.requests("/product/marked") > before, { timeout: 30_000 });

    await popup.getByRole("button", { name: /^Privacy/ }).click();
    page = await browser.extensionPage("sidepanel.html?full=1&tab=privacy");
    await says("All clear");
  });

  it("shows what is held, as it is", async () => {
    const held = await page.getByRole("list", { name: "What we hold" }).getByRole("listitem").allTextContents();
    for (const words of [/^E-mail address1 item/, /^Account number1 item/, /^What you did in the product\d\d items/]) {
      expect(held).toContainEqual(expect.stringMatching(words));
    }
    await check(page, "way-privacy", [360, 320]);
  });

  it("gives a copy of it under a passphrase, after a fresh proof, that opens and holds the person's things", async () => {
    await button("Download").click();
    await says(/^About .* entries/);
    await press("Make my copy");
    await dialog().getByLabel("Passphrase (optional)").fill(PASSPHRASE);
    await check(page, "way-copy-ready");
    process.kill(server.pid, "SIGUSR2");
    await until("the server's clock to go on", () => /^later \d+$/m.test(server.output));
    await press("Save the file");
    await dialog().getByRole("heading", { name: "Confirm that it is you" }).waitFor();
    const proving = browser.context.waitForEvent("page");
    await press("Confirm");
    const window = await proving;
    await window.getByLabel("Password").fill(ADA.password);
    await check(window, "way-prove");
    const downloading = page.waitForEvent("download");
    await window.getByRole("button", { name: "Confirm", exact: true }).click();
    await approve(window);
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/^perch-data-\d{4}-\d\d-\d\d\.zip\.age$/);
    const sealed = await readFile(await download.path());
    const opener = new Decrypter();
    opener.addPassphrase(PASSPHRASE);
    const { manifest, files, lines } = await readArchive(Buffer.from(await opener.decrypt(sealed)));
    expect(manifest.person.email).toBe(ADA.email);
    expect(lines("users")).toMatchObject([{ email: ADA.email }]);
    expect(lines("phones")).toHaveLength(1);
    expect(files.get("README.html")?.toString("utf8")).toContain(ADA.email);
    expect(sealed.includes("PK\x03\x04")).toBe(false);
    await page.keyboard.press("Escape");
    await noDialog();
  });

  it("puts the name right, and keeps a statement beside a fact that is disputed", async () => {
    await button("Correct").click();
    await press("Correct the name");
    await dialog().getByLabel("Name").fill("Ada Lovelace");
    await press("Correct");
    await says("Your name is corrected.");
    await press("Dispute a fact");
    await dialog().getByLabel("Your statement").fill("I was never in that network.");
    await press("Attach");
    await dialog().getByText("I was never in that network.").waitFor();
    await check(page, "way-correct");
    await page.keyboard.press("Escape");
    await noDialog();
  });

  it("leaves the numbers, rests the use of everything, and takes that back", async () => {
    await page.locator(".fold > summary", { hasText: "Your choices" }).click();
    await page.getByRole("switch", { name: "Leave me out of the anonymised numbers" }).click();
    await says("You are left out from now on.");
    await page.getByRole("switch", { name: "Restrict the use of my data" }).click();
    await press("Restrict");
    await says("Use of your data is restricted.");
    await showTab(page, "Phone");
    await page.getByRole("heading", { name: "Use of your data is restricted" }).waitFor();
    await check(page, "way-restricted");
    await button("Allow again").click();
    await page.getByRole("heading", { name: "Parked" }).waitFor();
    await showTab(page, "Privacy");
  });

  it("deletes in seven days, which one click takes back", async () => {
    await button("Delete").click();
    await says(/^This goes: \d+ items/);
    await check(page, "way-delete");
    await typeAddress();
    await press("Delete in 7 days");
    await noDialog();
    // The copy goes before the account does, so it stands first.
    await page.getByRole("region", { name: "Status" }).getByText("Deletion in 7 d").waitFor();
    await check(page, "way-closing");
    await button("Undo").click();
    await says("Your account stays. Nothing was deleted.");
    await page.getByText("Deletion in 7 d").waitFor({ state: "detached" });
  });

  it("deletes now: nothing is left to sign in with or in the browser, and the certificate says so", async () => {
    await button("Delete").click();
    // The server's clock is ahead of the browser's here: what is deleted now is deleted by the server's word.
    await dialog().getByRole("radio", { name: /^Now/ }).check();
    await typeAddress();
    await press("Delete now");
    await page.getByRole("heading", { name: "Your account is deleted" }).waitFor({ timeout: 30_000 });
    const certificate = await until("the last mail, which is nobody's", async () =>
      linkIn(await (await fetch(`${server.url}/mail`)).text(), "/erasure"),
    );
    await untilNothingIsKept(page);
    const web = await browser.context.newPage();
    await until("the certificate", async () => {
      await web.goto(certificate);
      return (await web.getByRole("heading", { name: "The account is deleted" }).count()) > 0;
    });
    await web.getByText("The signed certificate").click();
    expect(await web.locator("pre").textContent()).toContain('"left": 0');
    expect(await web.content()).not.toContain(ADA.email);
    await check(web, "way-certificate");
    await web.goto(`${server.url}/sign-in`);
    await web.getByLabel("E-mail address").fill(ADA.email);
    await web.getByLabel("Password").fill(ADA.password);
    await web.getByRole("button", { name: "Sign in", exact: true }).click();
    await web
      .getByText(/do not match|not right|wrong/i)
      .first()
      .waitFor();
    await web.close();
  });

  it("touched no host but the server, and told it of visited pages what the person had seen and nothing else", async () => {
    await browser.close();
    const log = readNetLog(netLog);
    const own = `chrome-extension://${CHROME_EXTENSION_ID}`;
    const asked = log.requests.flatMap(({ initiator, url }) =>
      initiator === own && !url.startsWith(own) ? [new URL(url.replace(/^ws/, "http")).origin] : [],
    );
    expect(asked).toContain(server.url);
    expect(asked.filter((origin) => origin !== server.url && origin !== USUAL_ORIGIN)).toEqual([]);
    const toServer = log.sentTo(new URL(server.url).host) + framesSent.join("\n");
    // The instrument sees what is there.
    expect(toServer).toContain(MARKS.previewed);
    expect(log.sentTo(new URL(site.origin).host)).toContain(MARKS.url);
    for (const mark of [MARKS.url, MARKS.title, MARKS.body]) expect(toServer).not.toContain(mark);
    const dialled = [...server.output.matchAll(/^left (\S+) (\d+)$/gm)].map(
      ([, address, port]) => `${address}:${port}`,
    );
    expect([...new Set(dialled)]).toEqual([`127.0.0.1:${site.port}`]);
    expect(server.output).not.toContain("outside the processor register");
  });
});
