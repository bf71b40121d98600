/** A hostile page and another extension beside a person who is signed in and watches a phone, in real browsers. */
import { rmSync } from "node:fs";
import { request } from "node:http";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { CHROME_EXTENSION_ID, FIREFOX_EXTENSION_ID } from "../../shared/accounts.ts";
import { attack, type HostileExtension, harm, hostileExtension } from "../fixtures/hostile-extension.ts";
import { COLOURS } from "../fixtures/pages.ts";
import { type Site, startSite } from "../fixtures/site.ts";
import { ApiClient, admin } from "../harness/api.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { FIREFOX_BASE, FirefoxBrowser } from "../harness/firefox.ts";
import { listenersOf } from "../harness/listeners.ts";
import { firstPhone, openAddress } from "../harness/panel.ts";
import { ADA, installAndSignUp } from "../harness/person.ts";
import { showsColour } from "../harness/picture.ts";
import { PerchServer } from "../harness/server.ts";
import { until } from "../harness/until.ts";

const [chromium, firefox] = [inject("chromium"), inject("firefox")];
const CHROME_BASE = `chrome-extension://${CHROME_EXTENSION_ID}/`;
/** Words only pages of a signed-in person have. */
const SECRETS = [ADA.email, "Sign out", "data-person"];

describe.skipIf(chromium === undefined)("beside a person in Chromium", () => {
  let site: Site;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let hostile: HostileExtension;
  let panel: Page;
  /** What came over the panel's sockets, and when, by this machine's clock. */
  const frames: number[] = [];
  const closed: number[] = [];

  beforeAll(async () => {
    site = await startSite();
    hostile = hostileExtension();
    server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` } });
    const extension = `${extensionBuild("chrome")},${hostile.folder}`;
    browser = await ExtensionBrowser.launch({ executable: chromium ?? "", extension });
    browser.context.on("page", (page) =>
      page.on("websocket", (socket) => {
        socket.on("framereceived", ({ payload }) => typeof payload !== "string" && frames.push(Date.now()));
        socket.on("close", () => closed.push(Date.now()));
      }),
    );
    await installAndSignUp(browser, server, ADA);
    panel = await browser.openExtensionPage("sidepanel.html");
    await firstPhone(panel);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await site?.close();
    rmSync(hostile.folder, { recursive: true, force: true });
  });

  /** The web session lives: its pages name the person. */
  const stillSignedIn = async () => {
    const home = await browser.openTab(server.url);
    expect(await home.locator("main").textContent()).toContain(ADA.email);
    await home.close();
    expect(await panel.locator(".picture:not(.picture-dimmed)").count()).toBe(1);
  };

  const target = () => ({ server: server.url, ownPages: CHROME_BASE, ownId: CHROME_EXTENSION_ID });

  it.each([
    ["another extension with access to every site", () => `chrome-extension://${hostile.chromeId}/page.html`],
    ["a web page", () => `${site.origin}/counter`],
  ])("ABUSE-14 %s reads nothing and changes nothing", async (_who, address) => {
    await stillSignedIn();
    const page = await browser.openTab(address());
    const learnt = await page.evaluate(attack, target());
    expect(harm(learnt, SECRETS)).toEqual([]);
    expect(Object.keys(learnt).length).toBeGreaterThan(15);
    await page.close();
    await stillSignedIn();
  });

  it("ABUSE-18 pages of the server and of the extension stay blank in a frame, and other windows cannot be held", async () => {
    const page = await browser.openTab(`${site.origin}/counter`);
    const addresses = [
      `${server.url}/`,
      `${server.url}/sign-in`,
      `${CHROME_BASE}sidepanel.html`,
      `${CHROME_BASE}popup.html`,
    ];
    await page.evaluate((all) => {
      for (const address of all) {
        const frame = document.createElement("iframe");
        frame.src = address;
        document.body.append(frame);
      }
    }, addresses);
    await until("every frame to have come to something", () => page.frames().length === addresses.length + 1);
    for (const frame of page.frames().slice(1)) {
      await until("the frame to be refused", () => /^chrome-error:/.test(frame.url()));
      expect(await frame.locator("body").textContent()).not.toMatch(/Perch|Sign in|Phone/);
    }
    const held = await page.evaluate(async (address) => {
      const opened = open(address);
      if (opened === null) return "blocked";
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return opened.closed ? "let go" : "held";
    }, server.url);
    expect(held).not.toBe("held");
    await page.close();
  });

  it("ABUSE-21 the server and its phones listen where they say, on this machine only, and answer to no other name", async () => {
    const listeners = listenersOf(server.pid);
    expect(listeners.filter(({ loopback }) => !loopback)).toEqual([]);
    // The server itself, and one way out for each browser it runs; no browser listens for anything.
    expect(listeners.map(({ program }) => program).filter((name) => !/^(node|MainThread)/.test(name))).toEqual([]);
    expect(listeners.length).toBeLessThanOrEqual(1 + server.phonePids().length);
    expect(listeners.map(({ port }) => port)).toContain(server.port);
    for (const { port } of listeners) {
      for (const host of ["evil.test", `evil.test:${port}`, "localhost.evil.test"]) {
        const { status, text } = await get(port, host);
        expect([port === server.port, status]).toEqual([port === server.port, port === server.port ? 421 : 400]);
        expect(text).not.toContain(ADA.email);
      }
    }
  });

  it("ABUSE-07 a revoked session's stream ends within a second, and nothing comes after", async () => {
    await openAddress(panel, `${site.origin}/moving`);
    await showsColour(panel, COLOURS.moving);
    const ofAda = await admin(server, ["token", "create", "--email", ADA.email, "--name", "revoker"]);
    const api = new ApiClient(server, ofAda);
    const sessions = await api.query<{ id: string; kind: string }[]>("sessions.list");
    const own = sessions.find(({ kind }) => kind === "extension");
    const [sofar, ends] = [frames.length, closed.length];
    await until("the picture to move", () => frames.length > sofar + 5);
    await api.mutate("sessions.revoke", { sessionId: own?.id });
    const revoked = Date.now();
    await until("the stream to end", () => closed.length > ends, { timeout: 2_000, everyMs: 5 });
    expect((closed[ends] ?? 0) - revoked).toBeLessThan(1_000);
    await panel
      .getByText(/signed out/i)
      .first()
      .waitFor();
    expect(frames.filter((at) => at > revoked + 1_000)).toEqual([]);
    expect(frames.filter((at) => at > (closed[ends] ?? 0))).toEqual([]);
  });
});

describe.skipIf(firefox === undefined)("beside a person in Firefox", () => {
  it("ABUSE-14 another extension with access to every site, and a web page, read nothing and change nothing", async () => {
    const site = await startSite();
    const hostile = hostileExtension();
    const server = await PerchServer.start();
    const extension = extensionBuild("firefox");
    const browser = await FirefoxBrowser.launch({ executable: firefox ?? "", extension, other: hostile });
    try {
      await admin(server, ["user", "create", "--email", ADA.email, "--password-stdin"], ADA.password);
      const home = await browser.openTab(`${server.url}/sign-in`);
      await home.fill("E-mail address", ADA.email);
      await home.fill("Password", ADA.password);
      await home.press("Enter");
      await home.says(`signed in as ${ADA.email}`);
      for (const address of [`moz-extension://${hostile.uuid}/page.html`, `${site.origin}/counter`]) {
        const page = await browser.openTab(address);
        const learnt = await page.evaluate(attack, {
          server: server.url,
          ownPages: FIREFOX_BASE,
          ownId: FIREFOX_EXTENSION_ID,
        });
        expect(harm(learnt, SECRETS)).toEqual([]);
        expect(Object.keys(learnt).length).toBeGreaterThan(15);
        await page.close();
        await home.goto(server.url);
        await home.says(`signed in as ${ADA.email}`);
      }
    } finally {
      await browser.close();
      await server.stop();
      await site.close();
      rmSync(hostile.folder, { recursive: true, force: true });
    }
  });
});

/** A bare request to this machine under any name. */
function get(port: number, host: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path: "/", headers: { host }, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.on("error", reject).end();
  });
}
