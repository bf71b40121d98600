/** Pages in front on the simulated phone, read over ADB from a real Chromium behind its DevTools socket. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { findElements } from "../../../../../shared/flows/match.ts";
import type { UiElement } from "../../../../../shared/ui-tree.ts";
import { systemClock } from "../../../../clock.ts";
import { silentLog } from "../../../../log.ts";
import { BrowserApp } from "../simulator/apps/system.ts";
import type { DevtoolsOf } from "../simulator/devtools.ts";
import { openChromium, type TestChromium } from "../testing/chromium.fixture.ts";
import { openAndroidBench, openSimulatedAndroid, type SimulatedAndroid } from "./android-bench.fixture.ts";
import { createAndroidAutomation } from "./automation.ts";

const CHROME = "com.android.chrome";
const APP = "com.example.web";
/** Below the status bar and the address, on a screen of 360 × 640. */
const VIEW = { x: 0, y: 80, width: 360, height: 560 };
const PAGE = `<!doctype html><meta name="viewport" content="width=device-width"><style>body{margin:0}</style>
  <button id="buy" class="main" style="position:absolute;left:40px;top:300px;width:120px;height:40px">Buy <b>now</b></button>
  <input placeholder="E-mail" value="ada@mail.example"><input type="password" value="hunter2">
  <iframe style="position:absolute;left:20px;top:400px;width:200px;height:100px;border:0" srcdoc="<a href='#' class='main'>In a frame</a>"></iframe>
  <p style="position:absolute;top:2000px">Far below</p>`;

let android: SimulatedAndroid;
let chromium: TestChromium;
let stop: (() => void) | undefined;
const asked: string[] = [];

beforeAll(async () => {
  [android, chromium] = await Promise.all([openSimulatedAndroid({ scrcpy: false }), openChromium()]);
  android.simulator.phone.packages.add(new BrowserApp(APP));
});
afterAll(async () => {
  await android.close();
  await chromium.close();
});
beforeEach(async () => {
  stop?.();
  asked.length = 0;
  android.simulator.phone.restart();
  await chromium.show(PAGE, VIEW);
});

const serve = (socket: string, more: Partial<DevtoolsOf> = {}) => {
  const browser = { port: chromium.port, package: CHROME, asked: (url: string) => void asked.push(url), ...more };
  stop = android.simulator.devtools(socket, browser);
};
const find = async (selector: Parameters<typeof findElements>[1]): Promise<UiElement | undefined> =>
  findElements(await android.automation.elements(), selector)[0];

describe("a page in front on an Android", () => {
  it("has its own elements, where they are on the screen, and is found in by CSS", async () => {
    serve("chrome_devtools_remote");
    await android.automation.launchApp?.(CHROME, {});
    const buy = await find({ id: "buy" });
    expect(buy).toMatchObject({ role: "button", text: "Buy", accessibilityText: "Buy now", clickable: true });
    const target = await android.automation.target(buy?.ref ?? "", 500);
    const at = { x: (target?.point.x ?? 0) * 360 - VIEW.x, y: (target?.point.y ?? 0) * 640 - VIEW.y };
    expect(await chromium.ask(`document.elementFromPoint(${at.x},${at.y}).closest("button").id`)).toBe("buy");
    expect(at.x).toBeCloseTo(100);
    expect(at.y).toBeCloseTo(320);
    const tree = await android.automation.elements();
    expect(findElements(tree, { id: "url_bar" })).toHaveLength(1);
    expect(findElements(tree, { text: "ada@mail.example" })).toHaveLength(1);
    expect(findElements(tree, { id: "page_url" })).toEqual([]);
    expect(findElements(tree, { text: "Far below" })).toEqual([]);
    expect(JSON.stringify(tree)).not.toContain("hunter2");
    const framed = findElements(tree, { text: "In a frame" })[0];
    expect(framed?.bounds.y).toBeGreaterThan((VIEW.y + 400) / 640);
    const refs = await android.automation.findByCss(".main");
    expect(refs).toEqual([buy?.ref, framed?.ref]);
    await expect(android.automation.findByCss("a[")).rejects.toMatchObject({ code: "bad_input" });
    // One connection for all of it.
    expect(asked.filter((url) => url.startsWith("/devtools/page/"))).toHaveLength(1);
  });

  it("of an app is asked of that app alone, by its process", async () => {
    const where = { attached: true, visible: true, width: 360, height: 560 };
    await android.automation.launchApp?.(APP, {});
    const pid = (await android.device.text(["pidof", APP])).trim();
    serve(`webview_devtools_remote_${pid}`, { package: APP, description: JSON.stringify(where) });
    expect(await find({ id: "buy" })).toBeDefined();
    await android.automation.launchApp?.("com.example.form", {});
    asked.length = 0;
    expect(await find({ id: "name" })).toBeDefined();
    expect(await android.automation.findByCss("input")).toEqual([]);
    expect(asked).toEqual([]);
  });

  it.each([
    ["belongs to another app", { package: "com.other.app" }, VIEW],
    ["is told to be hidden", { description: '{"attached":true,"visible":false,"width":9,"height":9}' }, VIEW],
    ["has another shape than its place", {}, { width: 360, height: 200 }],
  ])("that %s leaves what Android tells of it", async (_what, more, size) => {
    await chromium.show(PAGE, size);
    serve("chrome_devtools_remote", more);
    await staysPlain();
  });

  it.each([
    ["no JSON", "no JSON"],
    ["nothing", '{"id":1}'],
    ["numbers for names", '{"id":1,"result":{"frameTree":{"frame":{"id":7}},"result":{"value":7}}}'],
    ["for another session", '{"id":1,"result":{},"sessionId":"another"}'],
    ["what nobody asked", '{"method":"Page.frameNavigated","params":{}}'],
    ["far too much", `{"id":1,"result":"${"x".repeat(9 * 1024 * 1024)}"}`],
  ])("whose browser answers %s does no harm", async (_what, answer) => {
    const server = createServer((request, response) => {
      const page = { id: "1", type: "page" };
      response.end(JSON.stringify(request.url === "/json/list" ? [page] : {}));
    });
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (socket) =>
      socket.on("message", (text) => socket.send(answer.replace('"id":1', `"id":${JSON.parse(String(text)).id}`))),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    serve("chrome_devtools_remote", { port: (server.address() as AddressInfo).port });
    await staysPlain();
    expect(asked).toContain("/devtools/page/1");
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
});

it("is touched by a flow as a page of a web phone is", async () => {
  const bench = await openAndroidBench();
  const close = bench.simulator.devtools("chrome_devtools_remote", { port: chromium.port, package: CHROME });
  try {
    const steps = ["launchApp", "tapOn: {css: '#buy'}", "assertVisible: In a frame", "copyTextFrom: {id: buy}"];
    const { state, error } = await bench.run(`appId: ${CHROME}\n---\n${steps.map((step) => `- ${step}\n`).join("")}`);
    expect(error?.message ?? state).toBe("passed");
    expect(bench.simulator.phone.touches.at(-1)).toMatchObject({ x: 100, y: VIEW.y + 320 });
  } finally {
    close();
    await bench.close();
  }
});

it("is gone with its phone, and nothing but the call fails", async () => {
  serve("chrome_devtools_remote");
  await android.automation.launchApp?.(CHROME, {});
  expect(await find({ id: "buy" })).toBeDefined();
  await android.simulator.unplug();
  await expect(android.automation.elements()).rejects.toMatchObject({ code: "phone_unavailable" });
});

/** With nothing open from before. */
async function staysPlain(): Promise<void> {
  const { device, screen } = android;
  const screenshot = async () => new Uint8Array();
  const automation = createAndroidAutomation(device, {
    ...{ size: () => screen.size(), screenshot, recording: false, clock: systemClock, log: silentLog },
  });
  await automation.launchApp?.(CHROME, {});
  const tree = await automation.elements();
  expect(findElements(tree, { id: "page_url" })[0]).toMatchObject({ text: "about:blank" });
  await expect(automation.findByCss("a")).rejects.toMatchObject({ code: "capability_missing" });
  await automation.close();
}
