/** A phone's video and sound in the panel, in a real Firefox; the clips are what the simulated phone's encoders make. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { hasAndroidTools } from "../harness/adb-server.ts";
import { extensionBuild } from "../harness/builds.ts";
import { FirefoxBrowser } from "../harness/firefox.ts";
import type { FirefoxPage } from "../harness/firefox-page.ts";
import { showsColour } from "../harness/firefox-person.ts";
import { until } from "../harness/until.ts";
import { storeFirefoxSignIn } from "./firefox-sign-in.ts";
import { phoneTone, phoneVideo } from "./phone-clips.ts";
import type { StubVideo } from "./stub-screen.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("firefox");
const RED = [220, 30, 40] as const;
const GREEN = [30, 170, 60] as const;
const BLUE = [40, 60, 210] as const;
const INSTEAD = "so it shows pictures instead";

describe.skipIf(executable === undefined || !hasAndroidTools)("video and sound of a phone in Firefox", () => {
  let browser: FirefoxBrowser;
  let server: StubServer;
  let clip: StubVideo;
  let page: FirefoxPage;

  beforeAll(async () => {
    server = await startStubServer();
    [clip, browser] = await Promise.all([
      phoneVideo(412, 914, [RED, GREEN, BLUE]),
      FirefoxBrowser.launch({ executable: executable ?? "", extension: extensionBuild("firefox") }),
    ]);
    server.screens.video = clip;
    server.screens.audible = true;
    server.team.addAndroid();
    await browser.extensionPage("welcome.html");
    page = await browser.openExtensionPage("sidepanel.html?full=1");
    await storeFirefoxSignIn(page, server.origin);
    await page.reload();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  function unit(index: number): void {
    const one = clip.units[index];
    if (one === undefined) throw new Error(`There is no picture ${index}.`);
    server.screens.unit(one);
  }

  it("decodes each picture as it comes", async () => {
    await showsColour(page, RED);
    unit(1);
    await showsColour(page, GREEN);
    unit(2);
    await showsColour(page, BLUE);
    expect(await page.evaluate(pictureSize)).toEqual([412, 914]);
    expect(server.screens.received.filter(({ type }) => type === "refresh" || type === "pictures")).toEqual([]);
  });

  it("plays the phone's sound, once it is asked for", async () => {
    const [head, ...tone] = await phoneTone(4);
    await page.evaluate(listen);
    await page.click("button", "Sound");
    await until("the wish to hear", () => server.screens.received.some(({ type }) => type === "audio"));
    if (head !== undefined) server.screens.sound("audioConfig", head);
    await until("something heard", async () => {
      for (const packet of tone) server.screens.sound("audio", packet);
      return (await page.evaluate(loudest)) > 0.05;
    });
  });

  it("shows pictures, and says why, where this Firefox has no decoder", async () => {
    const [window] = await browser.windows();
    await window?.evaluate(async () => {
      const { Services } = globalThis as unknown as {
        Services: { prefs: { setBoolPref(name: string, value: boolean): void } };
      };
      Services.prefs.setBoolPref("dom.media.webcodecs.enabled", false);
    });
    await page.reload();
    await page.says(INSTEAD);
    expect(server.screens.received).toContainEqual({ type: "pictures" });
  });
});

/** Run in the page. */
function pictureSize(): readonly number[] {
  const canvas = document.querySelector<HTMLCanvasElement>(".picture canvas");
  return canvas === null ? [] : [canvas.width, canvas.height];
}

/** Run in the page: keeps how loud what is played was. */
function listen(): void {
  const heard: number[] = [];
  Object.assign(globalThis, { heard });
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (when = 0) {
    heard.push(Math.max(...(this.buffer?.getChannelData(1) ?? [])));
    start.call(this, when);
  };
}

/** Run in the page. */
function loudest(): number {
  return Math.max(0, ...(globalThis as unknown as { heard: number[] }).heard);
}
