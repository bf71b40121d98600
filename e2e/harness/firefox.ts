/** A real Firefox with the real extension in it, headless, driven over WebDriver BiDi. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FIREFOX_EXTENSION_ID } from "../../shared/accounts.ts";
import { BidiSession, record } from "./bidi.ts";
import { FirefoxPage, type PageOptions } from "./firefox-page.ts";
import { until } from "./until.ts";

/** Fixed, so that the addresses of the extension's pages are known before it is installed. */
const UUID = "7e57ab1e-0000-4000-8000-0000000000f1";
/** Where the pages of our extension are in Firefox. */
export const FIREFOX_BASE = `moz-extension://${UUID}/`;
const START_TIMEOUT_MS = 40_000;
const DOWNLOADS = "downloads";

/** No traffic of the browser's own, no first-run pages, and no question that nobody can answer. */
const PREFS: Readonly<Record<string, string | number | boolean>> = {
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.aboutwelcome.enabled": false,
  // 2: the folder that `browser.download.dir` names.
  "browser.download.folderList": 2,
  "browser.newtabpage.enabled": false,
  "browser.safebrowsing.downloads.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "browser.startup.page": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.push.connection.enabled": false,
  "extensions.blocklist.enabled": false,
  "extensions.systemAddon.update.enabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.dns.disablePrefetch": true,
  "network.prefetch-next": false,
  "services.settings.server": "data:,",
  "signon.rememberSignons": false,
  "toolkit.telemetry.enabled": false,
};

export interface FirefoxOptions {
  /** Path of the browser's program. */
  readonly executable: string;
  /** Folder of the built extension. */
  readonly extension: string;
  /** Another extension this person has. */
  readonly other?: { readonly folder: string; readonly id: string; readonly uuid: string };
}

/** One person's browser. */
export class FirefoxBrowser {
  readonly #child: ChildProcess;
  readonly #session: BidiSession;
  readonly #profile: string;
  readonly #problems: string[];

  private constructor(child: ChildProcess, session: BidiSession, profile: string, problems: string[]) {
    this.#child = child;
    this.#session = session;
    this.#profile = profile;
    this.#problems = problems;
  }

  static async launch({ executable, extension, other }: FirefoxOptions): Promise<FirefoxBrowser> {
    const profile = mkdtempSync(join(tmpdir(), "perch-firefox-"));
    const downloads = join(profile, DOWNLOADS);
    mkdirSync(downloads);
    const uuids = { [FIREFOX_EXTENSION_ID]: UUID, ...(other !== undefined && { [other.id]: other.uuid }) };
    const own = { "browser.download.dir": downloads, "extensions.webextensions.uuids": JSON.stringify(uuids) };
    const prefs = Object.entries({ ...PREFS, ...own }).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
    );
    writeFileSync(join(profile, "user.js"), prefs.join(""));
    const child = spawn(
      executable,
      [
        "--headless",
        "--no-remote",
        "--profile",
        profile,
        // Port 0: the browser takes a free one and says which.
        "--remote-debugging-port=0",
        // Without it the pages of extensions are closed to tests.
        "--remote-allow-system-access",
        "--width=1280",
        "--height=1000",
        "about:blank",
      ],
      { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: profile, MOZ_DISABLE_AUTO_SAFE_MODE: "1" } },
    );
    let output = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    const address = await until(
      "Firefox to listen",
      () => {
        if (child.exitCode !== null) throw new Error(output);
        return /WebDriver BiDi listening on (ws:\S+)/.exec(output)?.[1];
      },
      { timeout: START_TIMEOUT_MS },
    ).catch(async (error: unknown) => {
      await end(child, profile);
      throw error;
    });
    const problems: string[] = [];
    const session = await BidiSession.open(`${address}/session`, ["log.entryAdded"], ({ params }) => {
      if (params["level"] !== "error") return;
      const stack = record(params["stackTrace"])["callFrames"];
      const place = Array.isArray(stack) ? String(record(stack[0])["url"] ?? "") : "";
      problems.push(`${String(params["text"])} (${place})`);
    });
    const browser = new FirefoxBrowser(child, session, profile, problems);
    const folders = [[extension, FIREFOX_EXTENSION_ID], ...(other === undefined ? [] : [[other.folder, other.id]])];
    for (const [path, id] of folders) {
      const installed = await session.send("webExtension.install", { extensionData: { type: "path", path } });
      if (installed["extension"] !== id) throw new Error(`Installed ${String(installed["extension"])}.`);
    }
    return browser;
  }

  /** Errors that pages and scripts reported to the console so far. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** The folder that it saves files in. */
  get downloads(): string {
    return join(this.#profile, DOWNLOADS);
  }

  async close(): Promise<void> {
    this.#session.close();
    await end(this.#child, this.#profile);
  }

  /** Every open page, those of the extension included; the sidebar and the popup are not among them. */
  async pages(): Promise<readonly FirefoxPage[]> {
    return this.#contexts({});
  }

  /** The browser's own windows: what a script does there it does as the browser itself. */
  async windows(): Promise<readonly FirefoxPage[]> {
    return this.#contexts({ "moz:scope": "chrome" });
  }

  /** The first open page whose address starts with `address`, waiting for it. */
  async page(address: string): Promise<FirefoxPage> {
    return until(`${address} to open`, async () =>
      (await this.pages()).find((page) => page.address.startsWith(address)),
    );
  }

  /** The first open page of the extension whose path starts with `path`, waiting for it. */
  async extensionPage(path: string): Promise<FirefoxPage> {
    return this.page(FIREFOX_BASE + path);
  }

  async openTab(url: string): Promise<FirefoxPage> {
    const { context } = await this.#session.send("browsingContext.create", { type: "tab" });
    const page = this.#page({ context: String(context), address: url });
    await page.goto(url);
    return page;
  }

  async openExtensionPage(path: string): Promise<FirefoxPage> {
    return this.openTab(FIREFOX_BASE + path);
  }

  async #contexts(params: object): Promise<readonly FirefoxPage[]> {
    const { contexts } = await this.#session.send("browsingContext.getTree", { maxDepth: 0, ...params });
    return (Array.isArray(contexts) ? contexts : []).map((each: unknown) => {
      const { context, url } = record(each) as { context?: unknown; url?: unknown };
      return this.#page({ context: String(context), address: String(url) });
    });
  }

  #page(options: Omit<PageOptions, "session">): FirefoxPage {
    return new FirefoxPage({ session: this.#session, ...options });
  }
}

async function end(child: ChildProcess, profile: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
  rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
}
