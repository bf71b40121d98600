/** A live panel on bad links: the network cut and back, a slow link, and a browser that ends the worker (issue 2 §6.3). */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { freePort } from "../shared/testing/free-port.ts";
import { COLOURS } from "./fixtures/pages.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { extensionBuild } from "./harness/builds.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { openAddress } from "./harness/panel.ts";
import { ADA, clickAndClose, installAndSignUp, openOnPhone } from "./harness/person.ts";
import { pixel, showsColour, tap } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { startThrottle, type ThrottleProxy } from "./harness/throttle.ts";
import { until, untilEqual } from "./harness/until.ts";

const SLOW_BYTES_PER_SECOND = 120_000;

const executable = inject("chromium");
describe.skipIf(executable === undefined)("a live panel", () => {
  let site: Site;
  let link: ThrottleProxy;
  let server: PerchServer;
  let browser: ExtensionBrowser;
  let panel: Page;

  keepEvidence(() => ({ server, browser }));
  beforeAll(async () => {
    site = await startSite();
    const port = await freePort();
    link = await startThrottle(port);
    const address = `http://localhost:${link.port}`;
    server = await PerchServer.start({
      port,
      env: { PUBLIC_URL: address, EGRESS_ALLOW: `127.0.0.1:${site.port}` },
    });
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    await installAndSignUp(browser, server, ADA, address);
    panel = await openOnPhone(browser, await browser.openTab(`${site.origin}/counter`));
    await showsColour(panel, COLOURS.counter);
    await until("the page to be ready", () => site.told("size").includes("360x800"));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await link?.close();
    await site?.close();
  });

  it("keeps the last picture dimmed while the network is away, and goes on by itself with the phone as it was", async () => {
    await tap(panel, 0.5, 0.5);
    await untilEqual("a tap before", () => site.last("count"), "1");
    const visits = site.requests("/counter");
    link.cut();
    await panel.getByText("Reconnecting", { exact: true }).waitFor();
    await panel.locator(".picture-dimmed").waitFor();
    await showsColour(panel, COLOURS.counter);

    link.restore();
    await panel.getByText("Reconnecting", { exact: true }).waitFor({ state: "hidden", timeout: 20_000 });
    await panel.locator(".picture-dimmed").waitFor({ state: "detached" });
    await until("control to be back", () => panel.getByRole("button", { name: "Rotate" }).isEnabled());
    await tap(panel, 0.5, 0.5);
    await untilEqual("a tap after", () => site.last("count"), "2");
    expect(site.requests("/counter")).toBe(visits);
  });

  it("makes the picture smaller on a slow link instead of late, and large again after it", async () => {
    await openAddress(panel, `${site.origin}/noise`);
    await showPictureNumbers(panel);
    await untilEqual("the best level", () => readLevel(panel), 4);

    link.limit(SLOW_BYTES_PER_SECOND);
    await until("a lower level", async () => ((await readLevel(panel)) ?? 4) <= 1, { timeout: 30_000 });
    // Moving on: a picture that stood still would be the same one each time.
    for (let picture = 0; picture < 3; picture += 1) {
      const before = String(await pixel(panel, 0.5, 0.5));
      await until("the picture to move", async () => String(await pixel(panel, 0.5, 0.5)) !== before);
    }
    await openAddress(panel, `${site.origin}/counter`);
    await showsColour(panel, COLOURS.counter);
    await tap(panel, 0.5, 0.5);
    await untilEqual("a tap on the slow link", () => site.last("count"), "1");

    link.limit(undefined);
    await openAddress(panel, `${site.origin}/noise`);
    await untilEqual("the best level again", () => readLevel(panel), 4, 60_000);
  });

  it("does not notice that the browser ended the worker, and a page opens from any tab all the same", async () => {
    await openAddress(panel, `${site.origin}/counter`);
    await showsColour(panel, COLOURS.counter);
    const counted = site.told("count").length;
    await browser.killWorker(panel);
    await tap(panel, 0.5, 0.5);
    await until("the tap", () => site.told("count").length > counted);

    const popup = await browser.openPopup(await browser.openTab(`${site.origin}/scroll`));
    await clickAndClose(popup.getByRole("button", { name: /^Open on / }).first());
    await showsColour(panel, COLOURS.scroll);
  });
});

/** ⋯ of the hardware bar → "Show the picture's numbers". */
async function showPictureNumbers(panel: Page): Promise<void> {
  await panel.getByRole("button", { name: "More", exact: true }).click();
  await panel.getByRole("menuitem", { name: "Show the picture's numbers" }).click();
}

/** The picture's level, 0 (smallest) to 4, as the panel shows it. */
async function readLevel(panel: Page): Promise<number | undefined> {
  const level = /level (\d)/.exec((await panel.locator(".readout").textContent()) ?? "")?.[1];
  return level === undefined ? undefined : Number(level);
}
