/** For tests of the web driver: a site on loopback, an egress that lets loopback through, fingers and eyes. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { inflateSync } from "node:zlib";
import { newId, type PhoneId } from "../../../../shared/ids.ts";
import { deviceProfile, type PhoneSettings } from "../../../../shared/phones.ts";
import type { PhoneKey } from "../../../../shared/screen-protocol.ts";
import { systemClock } from "../../../clock.ts";
import { PerchError } from "../../../errors.ts";
import type { DriverEvent, PhoneDriver, PhoneSpec, ScreenFrame, UiNode } from "../../driver.ts";
import { createWebDriver } from "./driver.ts";
import type { WebDriverOptions } from "./driver-options.ts";
import type { Egress } from "./warm.ts";

const WAIT_MS = 10_000;

/** Waits for a condition; the error says what was waited for. */
export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await delay(20);
  }
}

/** Passes everything on to loopback, whatever host was asked for. */
export async function passThroughEgress(): Promise<Egress> {
  const server = createServer((asked, answer) => {
    const url = URL.canParse(asked.url ?? "") ? new URL(asked.url ?? "") : undefined;
    const options = {
      host: "127.0.0.1",
      port: url?.port ?? "80",
      path: `${url?.pathname}${url?.search}`,
      method: asked.method,
      headers: asked.headers,
    };
    const onward = request(options, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
  });
  let cut = false;
  server.on("connection", (socket) => (cut ? socket.destroy() : undefined));
  const port = await listening(server);
  const cutOff = (on: boolean) => {
    cut = on;
    if (on) server.closeAllConnections();
  };
  return { port, cutOff, close: () => closing(server) };
}

export interface Site {
  readonly base: string;
  /** Bodies of everything pages reported with `report("…")`. */
  readonly reports: string[];
  close(): Promise<void>;
}

/** Serves pages by path; every page can call `report(text)`. */
export async function serveSite(
  pages: Readonly<Record<string, string | ((asked: IncomingMessage, answer: ServerResponse) => void)>>,
): Promise<Site> {
  const reports: string[] = [];
  const server = createServer((asked, answer) => {
    const path = (asked.url ?? "/").split("?")[0] ?? "/";
    if (path === "/report") {
      let body = "";
      asked.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      asked.on("end", () => {
        reports.push(body);
        answer.end();
      });
      return;
    }
    const page = pages[path];
    if (typeof page === "function") return page(asked, answer);
    if (page === undefined) return void answer.writeHead(404).end("nothing here");
    answer.setHeader("content-type", "text/html; charset=utf-8");
    answer.end(
      `<!doctype html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><style>body{margin:0;font:16px sans-serif}button,input,select,a,textarea{display:block;width:100%;height:60px}</style><script>const report=(text)=>navigator.sendBeacon("/report",String(text))</script>${page}`,
    );
  });
  const port = await listening(server);
  return { base: `http://127.0.0.1:${port}`, reports, close: () => closing(server) };
}

export interface Bench {
  readonly driver: PhoneDriver;
  readonly events: DriverEvent[];
  readonly dataDir: string;
  readonly options: WebDriverOptions;
  close(): Promise<void>;
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A driver on a data folder of its own; the unpacked browser is shared by the tests of a run. */
export async function openBench(more: Partial<WebDriverOptions> = {}): Promise<Bench> {
  const dataDir = more.dataDir ?? (await mkdtemp(join(tmpdir(), "perch-web-test-")));
  await mkdir(dataDir, { recursive: true });
  // As the server makes it: browsers run as another user and must get through.
  await chmod(dataDir, 0o711);
  const options: WebDriverOptions = {
    key: randomBytes(32),
    clock: systemClock,
    log: quiet,
    egress: passThroughEgress,
    limits: { memoryBytes: 2e9, diskBytes: 1e9 },
    ...more,
    dataDir,
  };
  const driver = await createWebDriver(options);
  const events: DriverEvent[] = [];
  driver.onEvent((event) => events.push(event));
  return {
    driver,
    events,
    dataDir,
    options,
    close: async () => {
      await driver.close();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** One phone as a person handles it. */
export class Hand {
  readonly driver: PhoneDriver;
  readonly spec: PhoneSpec;
  readonly frames: ScreenFrame[] = [];

  constructor(driver: PhoneDriver, settings: PhoneSettings = {}) {
    this.driver = driver;
    this.spec = { id: newId("phone"), model: undefined, profile: deviceProfile("tall"), settings, rotated: false };
  }

  get id(): PhoneId {
    return this.spec.id;
  }

  watch(): () => void {
    return this.driver.screen(this.id).listen((frame) => this.frames.push(frame));
  }

  /** Resolves with the first frame after the call. */
  async nextFrame(): Promise<ScreenFrame> {
    const seen = this.frames.length;
    return until("a frame", () => this.frames[seen]);
  }

  /** Does something, and resolves with the first frame that follows. */
  async nextFrameAfter(work: () => void): Promise<ScreenFrame> {
    const next = this.nextFrame();
    work();
    return next;
  }

  async touch(x: number, y: number): Promise<void> {
    const start = this.driver.input(this.id, { type: "touch", phase: "start", id: 0, x, y });
    const end = this.driver.input(this.id, { type: "touch", phase: "end", id: 0, x, y });
    await Promise.all([start, end]);
  }

  /** What carries this name on the screen, waited for. */
  async see(name: string | RegExp): Promise<UiNode> {
    let tree: UiNode | undefined;
    try {
      return await until(`${name} on the screen`, async () => {
        // A page that is on its way to another may not answer; who looks looks again.
        const now = await this.driver.tree(this.id).catch((error: unknown) => {
          if (error instanceof PerchError && error.code === "phone_unavailable") return undefined;
          throw error;
        });
        tree = now ?? tree;
        return now && find(now, name);
      });
    } catch (cause) {
      throw new Error(
        `No ${name} on the screen: ${JSON.stringify(tree, (key, value) => (key === "bounds" ? undefined : value))}`,
        { cause },
      );
    }
  }

  async seesNo(name: string | RegExp): Promise<void> {
    await until(`no ${name} on the screen`, async () =>
      find(await this.driver.tree(this.id), name) === undefined ? true : undefined,
    );
  }

  async tap(name: string | RegExp): Promise<void> {
    const { bounds } = await this.see(name);
    await this.touch(bounds.x + bounds.width / 2, bounds.y + bounds.height / 2);
  }

  type(value: string): Promise<void> {
    return this.driver.input(this.id, { type: "text", value });
  }

  press(name: PhoneKey): Promise<void> {
    return this.driver.input(this.id, { type: "key", name });
  }

  /** Titles of the open pages, most recently used first, read from the screen that lists them; it stays open. */
  async recents(): Promise<string[]> {
    await this.press("AppSwitch");
    await this.see("Open pages");
    return labels(await this.driver.tree(this.id)).flatMap((label) => /^Close (.*)$/.exec(label)?.[1] ?? []);
  }

  /** Brings a page to the foreground from the screen that lists them. */
  async choose(title: string): Promise<void> {
    await this.press("AppSwitch");
    await this.tap(new RegExp(`^${title}`));
    await this.seesNo("Open pages");
  }

  /** Colour of the pixel at a fraction of the screen. */
  async pixel(x: number, y: number): Promise<readonly number[]> {
    const { png, width, height } = await this.driver.screenshot(this.id);
    return pngPixel(png, Math.floor(x * width), Math.floor(y * height));
  }
}

function labels(node: UiNode): string[] {
  return [node.name, ...node.children.flatMap(labels)];
}

function find(node: UiNode, name: string | RegExp): UiNode | undefined {
  // The innermost one: a name is also part of its parents' text.
  for (const child of node.children) {
    const found = find(child, name);
    if (found !== undefined) return found;
  }
  const fits = typeof name === "string" ? node.name === name : name.test(node.name);
  return fits && node.role !== "screen" ? node : undefined;
}

/** Reads one pixel of an 8-bit RGB(A) PNG (RFC 2083). */
export function pngPixel(png: Uint8Array, x: number, y: number): readonly number[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const width = view.getUint32(16);
  const channels = view.getUint8(25) === 6 ? 4 : 3;
  const parts: Uint8Array[] = [];
  for (let at = 8; at < png.length; at += 12 + view.getUint32(at)) {
    if (Buffer.from(png.subarray(at + 4, at + 8)).toString("latin1") === "IDAT") {
      parts.push(png.subarray(at + 8, at + 8 + view.getUint32(at)));
    }
  }
  const data = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  let above = Buffer.alloc(stride);
  for (let row = 0; ; row += 1) {
    const filter = data[row * (stride + 1)] ?? 0;
    const line = Buffer.from(data.subarray(row * (stride + 1) + 1, (row + 1) * (stride + 1)));
    for (let i = 0; i < stride; i += 1) {
      const left = i < channels ? 0 : (line[i - channels] ?? 0);
      const up = above[i] ?? 0;
      const corner = i < channels ? 0 : (above[i - channels] ?? 0);
      line[i] = ((line[i] ?? 0) + ([0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0)) & 255;
    }
    if (row === y) return [...line.subarray(x * channels, x * channels + 3)];
    above = line;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Not listening on a port");
  return address.port;
}

async function closing(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
