/** A phone's video and sound in the panel, in a real Chromium with its own decoders; the clips are made by its encoders. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { pictureSize, showsColour } from "../harness/picture.ts";
import { until } from "../harness/until.ts";
import { OPUS_HEAD, toneClip, videoClip } from "./clips.ts";
import { checkLooks } from "./looks.ts";
import { openPanelPage, SIGNED_IN, storeSignIn } from "./panel-page.ts";
import { type PhonePictures, phonePictures } from "./phone-pictures.ts";
import type { StubVideo } from "./stub-screen.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");
const LIVE = ".picture:not(.picture-dimmed)";
const RED = [220, 30, 40] as const;
const GREEN = [30, 170, 60] as const;
const BLUE = [40, 60, 210] as const;
const PLACE = { x: 0.5, y: 0.5, timeout: 5_000 };

describe.skipIf(executable === undefined)("video and sound of a phone", () => {
  let browser: ExtensionBrowser;
  let pictures: PhonePictures;
  let clip: StubVideo;
  let turned: StubVideo;
  let tone: readonly Uint8Array[];
  let server: StubServer;
  let page: Page;

  beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
    pictures = await phonePictures(browser.context);
    const studio = await openPanelPage(browser.context);
    clip = await videoClip(studio, 412, 914, [RED, GREEN, BLUE]);
    turned = await videoClip(studio, 914, 412, [BLUE, GREEN]);
    tone = await toneClip(studio, 25);
    await studio.close();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    server = await startStubServer();
    server.screens.frames = pictures.frames;
    server.screens.video = clip;
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
    server.team.addAndroid();
  });
  afterEach(async () => {
    await page?.close();
    await server.stop();
  });

  const asked = () => server.screens.received.filter(({ type }) => type === "refresh").length;
  function unit(index: number): void {
    const one = (server.screens.video ?? clip).units[index];
    if (one === undefined) throw new Error(`There is no picture ${index}.`);
    server.screens.unit(one);
  }

  it("shows each picture as it comes, and turns with the phone", async () => {
    page = await openPanelPage(browser.context);
    await page.locator(LIVE).waitFor();
    await showsColour(page, RED, PLACE);
    expect(await pictureSize(page)).toEqual({ width: 412, height: 914 });
    unit(1);
    await showsColour(page, GREEN, PLACE);
    unit(2);
    await showsColour(page, BLUE, PLACE);
    server.screens.video = turned;
    server.screens.broadcast({ type: "resize", width: 915, height: 412 });
    server.screens.keys();
    await until("the turned picture", async () => (await pictureSize(page))?.width === 914);
    unit(1);
    await showsColour(page, GREEN, PLACE);
    expect(server.screens.acknowledged).toBe(server.screens.sent);
    expect(asked()).toBe(0);
  });

  it("joined in the middle, it asks for a whole picture and goes on from there", async () => {
    server.screens.joins = "middle";
    page = await openPanelPage(browser.context);
    await page.locator(LIVE).waitFor();
    await showsColour(page, RED, PLACE);
    expect(asked()).toBe(1);
    unit(1);
    await showsColour(page, GREEN, PLACE);
    expect(asked()).toBe(1);
  });

  it("begins anew after a damaged picture, and shows the next whole one", async () => {
    page = await openPanelPage(browser.context);
    await showsColour(page, RED, PLACE);
    unit(1);
    await showsColour(page, GREEN, PLACE);
    server.screens.unit({ key: false, bytes: Uint8Array.from({ length: 400 }, (_, at) => (at * 97) % 251) });
    await until("the question for a whole picture", () => asked() === 1);
    await showsColour(page, RED, PLACE);
    unit(1);
    unit(2);
    await showsColour(page, BLUE, PLACE);
    expect(asked()).toBe(1);
    expect(await page.getByText("shows pictures instead").count()).toBe(0);
  });

  it("keeps what was last seen of a phone that is looked at again when it rests", async () => {
    const [phone] = server.team.phones.values();
    server.team.add({ name: "Other" });
    page = await openPanelPage(browser.context);
    await showsColour(page, RED, PLACE);
    await page.getByRole("button", { name: "Pixel 7" }).click();
    await page.getByRole("menuitemradio", { name: "Other" }).click();
    await page.getByRole("heading", { name: "Parked" }).waitFor();
    if (phone !== undefined) server.team.change(phone.id, { state: "parked", reason: "device_gone" });
    await page.getByRole("button", { name: "Other" }).click();
    await page.getByRole("menuitemradio", { name: "Pixel 7" }).click();
    const kept = page.locator(".picture-last");
    await kept.waitFor();
    expect(await kept.evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth))).toBe(412);
    await page.locator(".stage-message", { hasText: "The device went away" }).waitFor();
  });

  it("shows pictures, and says so once, where the browser has no decoder for video", async () => {
    page = await openPanelPage(browser.context);
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, "VideoDecoder"));
    await page.reload();
    await page.locator(LIVE).waitFor();
    expect(server.screens.received).toContainEqual({ type: "pictures" });
    expect(await pictureSize(page)).toEqual({ width: 360, height: 800 });
    await page.getByText("so it shows pictures instead").waitFor();
    await checkLooks(page, "android-no-video");
    await page.getByRole("button", { name: "Dismiss" }).click();
    expect(await page.getByText("so it shows pictures instead").count()).toBe(0);
  });

  it("plays the phone's sound when asked to, and not before", async () => {
    server.screens.audible = true;
    page = await openPanelPage(browser.context);
    await page.addInitScript(() => {
      const heard: { at: number; peak: number }[] = [];
      Object.assign(globalThis, { heard });
      const start = AudioBufferSourceNode.prototype.start;
      AudioBufferSourceNode.prototype.start = function (when = 0) {
        heard.push({ at: when, peak: Math.max(...(this.buffer?.getChannelData(1) ?? [])) });
        start.call(this, when);
      };
    });
    await page.reload();
    const sound = page.getByRole("button", { name: "Sound" });
    await page.locator(LIVE).waitFor();
    expect(await sound.getAttribute("aria-pressed")).toBe("false");
    await sound.click();
    await until("the wish to hear", () => server.screens.received.some(({ type }) => type === "audio"));
    expect(server.screens.received).toContainEqual({ type: "audio", on: true });
    expect(await sound.getAttribute("aria-pressed")).toBe("true");
    server.screens.sound("audioConfig", OPUS_HEAD);
    await until("something heard", async () => {
      for (const packet of tone.slice(0, 3)) server.screens.sound("audio", packet);
      return (await page.evaluate(heardSoFar)).some(({ peak }) => peak > 0.2);
    });
    const heard = await page.evaluate(heardSoFar);
    const times = heard.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await checkLooks(page, "android-sound");
    await sound.click();
    await until("silence", () => server.screens.received.some((one) => one.type === "audio" && !one.on));
  });
});

/** Run in the page. */
function heardSoFar(): { at: number; peak: number }[] {
  return (globalThis as unknown as { heard: { at: number; peak: number }[] }).heard;
}
