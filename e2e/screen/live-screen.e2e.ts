/** The panel's live screen in a real browser: real sockets, real pictures, real fingers, mouse and keys. */
import { type Browser, type CDPSession, chromium, type Page } from "playwright-core";
import { rolldown } from "rolldown";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { systemClock } from "../../server/clock.ts";
import type { PhoneInput } from "../../server/phones/driver.ts";
import { until } from "../../server/screen/testing/client.ts";
import { FakeSource, ticketRequest } from "../../server/screen/testing/fakes.ts";
import { type Harness, startHarness } from "../../server/screen/testing/harness.ts";
import type {} from "./live-page.ts";

const executablePath = inject("chromium");

describe.skipIf(executablePath === undefined)("live screen in a browser", () => {
  let browser: Browser;
  let html: string;
  let red: Buffer;
  let blue: Buffer;
  let moving: Buffer[];
  beforeAll(async () => {
    const bundle = await rolldown({ input: new URL("./live-page.ts", import.meta.url).pathname, platform: "browser" });
    const { output } = await bundle.generate({ format: "iife" });
    html = `<!doctype html><style>canvas{width:180px;height:500px;object-fit:contain;display:block}</style>
      <canvas></canvas><textarea></textarea><script>${output[0].code}</script>`;
    browser = await chromium.launch({
      executablePath: executablePath ?? "",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
    });
    const painter = await browser.newPage({ viewport: { width: 360, height: 800 } });
    const paint = async (css: string) => {
      await painter.setContent(`<body style="margin:0;height:800px;background:${css}">`);
      return painter.screenshot({ type: "jpeg", quality: 60 });
    };
    red = await paint("#f00");
    blue = await paint("#00f");
    moving = [];
    for (let i = 0; i < 12; i += 1) {
      moving.push(await paint(`repeating-linear-gradient(${i * 15}deg, #123 0 3px, #fda 3px 9px, #2a7 9px 11px)`));
    }
    await painter.close();
  });
  afterAll(() => browser.close());

  let source: FakeSource;
  let harness: Harness;
  let page: Page;
  let cdp: CDPSession;
  beforeEach(async () => {
    source = new FakeSource(systemClock);
    harness = await startHarness(source, systemClock, html);
    page = await browser.newPage({ viewport: { width: 360, height: 700 } });
    const request = ticketRequest(harness.phoneId);
    await page.exposeFunction("getTicket", () => harness.screen.ticket(request));
    await page.goto(`http://127.0.0.1:${harness.port}/`);
    cdp = await page.context().newCDPSession(page);
    await page.evaluate(() => window.live.start());
    await page.waitForFunction(() => window.live.statuses.at(-1) === "live");
  });
  afterEach(async () => {
    await page.close();
    await harness.close();
  });

  const inputs = (): readonly PhoneInput[] => harness.phones.inputs;
  const lastInput = () => inputs().at(-1);

  it("shows the phone's picture and skips one that is damaged", async () => {
    source.image(red);
    await page.waitForFunction(async () => (await window.live.pixel(0.5, 0.5)).join() === "254,0,0");
    source.image("not a picture");
    source.image(blue);
    await page.waitForFunction(async () => (await window.live.pixel(0.5, 0.5)).join() === "0,0,254");
  });

  it("turns a mouse drag into one finger, where the picture is", async () => {
    // 180×500 holds a 180×400 picture with bars of 50 above and below; the page has an 8 px margin.
    const at = (x: number, y: number) => [8 + x * 180, 8 + 50 + y * 400] as const;
    await page.mouse.click(8 + 90, 8 + 25);
    await page.mouse.move(...at(0.5, 0.25));
    await page.mouse.down();
    await page.mouse.move(...at(0.5, 0.5), { steps: 4 });
    await page.mouse.up();
    await until(() => {
      const last = lastInput();
      return last?.type === "touch" && last.phase === "end";
    }, "the drag's end");
    const phases = inputs().map((input) => (input.type === "touch" ? input.phase : input.type));
    expect(phases[0]).toBe("start");
    expect(phases.at(-1)).toBe("end");
    expect(phases.filter((phase) => phase === "start")).toHaveLength(1);
    expect(inputs()[0]).toEqual({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.25 });
    expect(lastInput()).toEqual({ type: "touch", phase: "end", id: 0, x: 0.5, y: 0.5 });
    await page.mouse.move(...at(0.1, 0.1));
    await page.mouse.wheel(0, 100);
    await until(() => lastInput()?.type === "wheel", "the wheel");
    expect(lastInput()).toMatchObject({ dx: 0, dy: 0.2 });
  });

  it("passes two fingers and a long press on", async () => {
    const touchPoints = [
      { x: 50, y: 200, id: 11 },
      { x: 150, y: 300, id: 12 },
    ];
    await cdp.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 5 });
    await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
    await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await until(() => inputs().length === 4, "two fingers");
    const ids = inputs().map((input) => (input.type === "touch" ? `${input.phase} ${input.id}` : input.type));
    expect(ids.sort()).toEqual(["end 0", "end 1", "start 0", "start 1"]);
    await cdp.send("Emulation.setTouchEmulationEnabled", { enabled: false });
    await page.mouse.click(90, 250, { button: "right" });
    await until(() => inputs().length === 6, "the long press");
    expect(lastInput()).toMatchObject({ phase: "end" });
  });

  it("types text, keys, pastes and what an input method composes", async () => {
    await page.focus("textarea");
    await page.keyboard.type("hé");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText("👋🏽");
    await cdp.send("Input.imeSetComposition", { text: "ni", selectionStart: 2, selectionEnd: 2 });
    await cdp.send("Input.insertText", { text: "你" });
    await page.evaluate(() => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "pasted");
      document.querySelector("textarea")?.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
    });
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await until(() => lastInput()?.type === "key" && inputs().length >= 8, "the typing");
    expect(inputs()).toEqual([
      { type: "text", value: "h" },
      { type: "text", value: "é" },
      { type: "key", name: "Enter" },
      { type: "key", name: "SelectAll" },
      { type: "text", value: "👋🏽" },
      { type: "compose", value: "ni" },
      { type: "compose", value: "你" },
      { type: "text", value: "你" },
      { type: "text", value: "pasted" },
      { type: "key", name: "Escape" },
    ]);
    expect(await page.evaluate(() => window.live.left)).toBe(1);
    expect(await page.inputValue("textarea")).toBe("");
  });

  it("comes back by itself when the connection breaks, with the picture and control", async () => {
    source.image(red);
    harness.screen.closeAll("server_stopping");
    await page.waitForFunction(() => window.live.statuses.join() === "connecting,live,reconnecting,live");
    source.image(blue);
    await page.waitForFunction(async () => (await window.live.pixel(0.5, 0.5)).join() === "0,0,254");
    expect(await page.evaluate(() => window.live.messages.findLast((one) => one.type === "state"))).toMatchObject({
      controller: true,
    });
  });

  it("keeps up with 60 frames a second", async () => {
    let next = 0;
    const timer = setInterval(() => {
      next += 1;
      source.image(moving[next % moving.length] ?? red);
    }, 1_000 / 60);
    const bytes = moving.reduce((sum, frame) => sum + frame.length, 0) / moving.length;
    await until(() => next >= 240, "four seconds of frames", 15_000);
    const stats = await page.evaluate(() => window.live.stats());
    clearInterval(timer);
    console.log(`60 fps × ${Math.round(bytes / 1_000)} kB:`, JSON.stringify(stats));
    expect(stats.fps).toBeGreaterThan(10);
    expect(stats.ageMs).toBeLessThan(1_000);
  });
});
