/** A real headless Chromium with one page, for the DevTools socket of a simulated phone. Loads nothing from anywhere. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { findBrowser } from "../../web/browser.ts";

/** Starts in a moment; the bundled one has to be unpacked first. */
const SYSTEM = "/usr/lib/chromium/chromium";

export interface TestChromium {
  readonly port: number;
  /** Shows this in so many CSS pixels. */
  show(html: string, size: { readonly width: number; readonly height: number }): Promise<void>;
  /** What an expression comes to in its page. */
  ask(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

export async function openChromium(): Promise<TestChromium> {
  const folder = mkdtempSync(join(tmpdir(), "perch-chromium-"));
  const { path, env } = await findBrowser(folder, existsSync(SYSTEM) ? SYSTEM : undefined, undefined);
  const flags = [
    ...["--headless", "--remote-debugging-port=0", `--user-data-dir=${join(folder, "profile")}`, "--no-sandbox"],
    ...["--no-first-run", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage", "--disable-extensions"],
    ...["--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND"],
  ];
  const child = spawn(path, [...flags, "about:blank"], {
    env: { ...env, HOME: folder, PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let said = "";
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr.on("data", (text: Buffer) => {
      said += text.toString("utf8");
      const match = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said);
      if (match !== null) resolve(Number(match[1]));
    });
    void ended.then(() => reject(new Error(`Chromium did not start: ${said.slice(-2_000)}`)));
  });
  const listed: unknown = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
  const page = (listed as { type: string; webSocketDebuggerUrl: string }[]).find(({ type }) => type === "page");
  const socket = new WebSocket(page?.webSocketDebuggerUrl ?? "");
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  let calls = 0;
  const send = (method: string, params: object) =>
    new Promise<{ result?: { value?: unknown }; frameTree?: { frame: { id: string } } }>((resolve) => {
      calls += 1;
      const id = calls;
      const listen = (data: unknown) => {
        const answer = JSON.parse(String(data));
        if (answer.id !== id) return;
        socket.off("message", listen);
        resolve(answer.result ?? {});
      };
      socket.on("message", listen);
      socket.send(JSON.stringify({ id, method, params }));
    });
  return {
    port,
    async show(html, size) {
      await send("Emulation.setDeviceMetricsOverride", { ...size, deviceScaleFactor: 1, mobile: true });
      const { frameTree } = await send("Page.getFrameTree", {});
      await send("Page.setDocumentContent", { frameId: frameTree?.frame.id, html });
    },
    ask: async (expression) => (await send("Runtime.evaluate", { expression, returnByValue: true })).result?.value,
    async close() {
      socket.terminate();
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
