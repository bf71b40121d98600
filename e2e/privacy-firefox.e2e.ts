/** A copy of one's data in a real Firefox from the real server: asked for, made, saved by the browser, opened. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readArchive } from "../server/privacy/export/testing.ts";
import { extensionBuild } from "./harness/builds.ts";
import { FIREFOX_BASE, FirefoxBrowser } from "./harness/firefox.ts";
import { chooseServer, openSignInWindow, signUp } from "./harness/firefox-person.ts";
import { ADA } from "./harness/person.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const executable = inject("firefox");

describe.skipIf(executable === undefined)("a copy of one's data in Firefox", () => {
  let server: PerchServer;
  let browser: FirefoxBrowser;

  beforeAll(async () => {
    const program = [process.execPath, "--import", "./e2e/harness/watch-requests.ts", "server/main.ts"];
    server = await PerchServer.start({ program });
    browser = await FirefoxBrowser.launch({ executable: executable ?? "", extension: extensionBuild("firefox") });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  it("is saved by the browser, whole, from a form that names the extension as its origin", async () => {
    const welcome = await browser.extensionPage("welcome.html");
    await chooseServer(welcome, server.url);
    await signUp(browser, await openSignInWindow(browser, welcome, server), server, ADA);
    const panel = await browser.openExtensionPage("sidepanel.html?full=1&tab=privacy");
    await panel.click("button", "Download");
    await panel.click("button", "Make my copy");
    await panel.click("button", "Save the file");
    const path = await until("the file", () => {
      const names = readdirSync(browser.downloads);
      const name = names.find((one) => one.endsWith(".zip"));
      return name !== undefined && !names.some((one) => one.endsWith(".part")) && join(browser.downloads, name);
    }).catch(async (cause: unknown) => {
      throw new Error(`${await panel.text()}\n${server.output.slice(-3_000)}`, { cause });
    });
    // A form of an extension's page: were its origin `null`, the server would have refused it.
    expect(server.output).toMatch(new RegExp(`POST /exports/\\S+ from ${FIREFOX_BASE.slice(0, -1)}`));
    const { manifest, lines } = await readArchive(readFileSync(path));
    expect(manifest.person.email).toBe(ADA.email);
    expect(lines("users")).toMatchObject([{ email: ADA.email }]);
    expect(await panel.text()).not.toContain("The server gave no file.");
    expect(browser.problems).toEqual([]);
  });
});
