/** One browser process: its flags, its pipe, its end. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { PerchError } from "../../../errors.ts";
import type { Browser } from "./browser.ts";
import { CdpConnection } from "./cdp.ts";
import { egressFlags } from "./egress/flags.ts";
import { commandLine, parents, tree } from "./proc.ts";
import type { WebPhoneStorage } from "./storage.ts";

const START_TIMEOUT_MS = 20_000;
const CLOSE_TIMEOUT_MS = 5_000;
const DISK_CACHE_BYTES = 48 * 1024 * 1024;
/** Chromium keeps pictures of pages in shared memory; containers often give it only 64 MB. */
const ENOUGH_SHARED_MEMORY_BYTES = 512 * 1024 * 1024;
/** Full Chrome makes a socket 48 bytes further down, and a socket's path has at most 107. */
const MAX_TEMPORARY_PATH = 59;

export interface ProcessOptions {
  readonly browser: Browser;
  readonly storage: WebPhoneStorage;
  /** Folder name of the profile. */
  readonly profile: string;
  readonly proxyPort: number;
  readonly sandbox: boolean;
  readonly userAgent: string;
}

export class BrowserProcess {
  readonly pid: number;
  readonly cdp: CdpConnection;
  readonly profile: string;
  /** Settles when the process is gone, however it went. */
  readonly exited: Promise<void>;
  readonly #storage: WebPhoneStorage;
  #gone = false;

  private constructor(child: ChildProcess, pid: number, cdp: CdpConnection, options: ProcessOptions) {
    this.#storage = options.storage;
    this.pid = pid;
    this.cdp = cdp;
    this.profile = options.profile;
    this.exited = new Promise((resolve) => {
      child.once("exit", () => {
        this.#gone = true;
        cdp.close();
        resolve();
      });
    });
  }

  get gone(): boolean {
    return this.#gone;
  }

  /**
   * Starts the browser on its profile and waits until it answers.
   * @throws PerchError `phone_unavailable` when it does not start.
   */
  static async start(options: ProcessOptions): Promise<BrowserProcess> {
    const { storage } = options;
    const home = storage.profileFolder(options.profile);
    const temporary = join(home, "tmp");
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { mode: 0o700 });
    if (storage.user !== undefined) await chown(temporary, storage.user.uid, storage.user.gid);
    const child = spawn(options.browser.path, await flags(options, home), {
      cwd: home,
      // Nothing of the server's own environment: it holds secrets.
      env: {
        ...options.browser.env,
        HOME: home,
        XDG_CONFIG_HOME: home,
        XDG_CACHE_HOME: join(home, "cache"),
        TMPDIR: Buffer.byteLength(temporary) <= MAX_TEMPORARY_PATH ? temporary : tmpdir(),
        LANG: "C.UTF-8",
        PATH: "/usr/bin:/bin",
      },
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      // A process group of its own: a Ctrl-C meant for the server must not cut the browser off unsaved.
      detached: true,
      ...(storage.user === undefined ? {} : { uid: storage.user.uid, gid: storage.user.gid }),
    });
    const failed = new Promise<never>((_, reject) => {
      child.once("error", (cause) => reject(notStarted(cause)));
    });
    // Chromium logs pages' messages here; only the words for a failed start are kept, and only in memory.
    let said = "";
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => {
      said = (said + text).slice(-4_000);
    });
    const [, , , write, read] = child.stdio;
    if (!(write instanceof Writable) || !(read instanceof Readable) || child.pid === undefined) return failed;
    const process = new BrowserProcess(child, child.pid, new CdpConnection(read, write), options);
    await writeFile(storage.pidFile(options.profile), String(process.pid), { mode: 0o600 });
    try {
      await Promise.race([
        process.cdp.browser.send("Browser.getVersion", {}, START_TIMEOUT_MS),
        failed,
        process.exited.then(() => {
          throw notStarted(new Error(said), said);
        }),
      ]);
      return process;
    } catch (error) {
      await process.kill();
      // What it said last comes after its pipe has closed.
      if (child.stderr?.readableEnded === false) await once(child, "close");
      throw error instanceof PerchError && said === "" ? error : notStarted(new Error(said, { cause: error }), said);
    }
  }

  /** Closes the browser so that everything it holds is written, and ends it when that takes longer than 5 s. */
  async close(): Promise<void> {
    if (!this.#gone) {
      this.cdp.browser.tell("Browser.close", {}, CLOSE_TIMEOUT_MS);
      const done = new AbortController();
      await Promise.race([
        this.exited,
        delay(CLOSE_TIMEOUT_MS, undefined, { signal: done.signal }).catch(() => undefined),
      ]);
      done.abort();
    }
    await this.kill();
  }

  /** Ends the whole process tree now. Idempotent. */
  async kill(): Promise<void> {
    if (!this.#gone) {
      const members = tree(this.pid, await parents());
      signalGroup(this.pid);
      for (const pid of members) signal(pid);
      await this.exited;
    }
    await rm(this.#storage.pidFile(this.profile), { force: true });
  }
}

async function flags(options: ProcessOptions, home: string): Promise<string[]> {
  const shared = await statfs("/dev/shm").catch(() => undefined);
  const sharedBytes = shared === undefined ? 0 : shared.bavail * shared.bsize;
  return [
    "--headless",
    "--remote-debugging-pipe",
    `--user-data-dir=${home}`,
    ...egressFlags(options.proxyPort),
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-component-extensions-with-background-pages",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-client-side-phishing-detection",
    "--disable-print-preview",
    "--disable-backgrounding-occluded-windows",
    "--password-store=basic",
    "--use-mock-keychain",
    "--mute-audio",
    "--metrics-recording-only",
    "--disable-gpu",
    "--font-render-hinting=none",
    "--hide-scrollbars",
    `--disk-cache-size=${DISK_CACHE_BYTES}`,
    "--disable-features=Translate,MediaRouter,OptimizationHints,InterestFeedContentSuggestions,Prerender2,AutofillServerCommunication,CertificateTransparencyComponentUpdater,DialMediaRouteProvider,GlobalMediaControls,WebBluetooth,WebUSB,DirectSockets",
    "--window-size=412,915",
    `--user-agent=${options.userAgent}`,
    ...(sharedBytes < ENOUGH_SHARED_MEMORY_BYTES ? ["--disable-dev-shm-usage"] : []),
    ...(options.sandbox ? [] : ["--no-sandbox"]),
    // The driver opens every window itself.
    "--no-startup-window",
  ];
}

function notStarted(cause: unknown, said = ""): PerchError {
  const message = /no usable sandbox|setuid sandbox|Failed to move to new namespace|Operation not permitted/i.test(said)
    ? "The phone's browser may not make its sandbox on this server. Allow unprivileged user namespaces for it."
    : "The phone's browser did not start. Try again; if it fails again, ask who runs the server.";
  return new PerchError("phone_unavailable", message, { cause });
}

/**
 * Ends a browser an earlier server left on this profile, if one is there: the process in the pid file is touched only
 * when its command line names this profile.
 */
export async function endOrphan(storage: WebPhoneStorage, profile: string): Promise<boolean> {
  const text = await readFile(storage.pidFile(profile), "utf8").catch(() => "");
  const pid = Number(text);
  let ended = false;
  if (Number.isSafeInteger(pid) && pid > 1) {
    const own = `--user-data-dir=${storage.profileFolder(profile)}`;
    if ((await commandLine(pid)).includes(own)) {
      for (const member of tree(pid, await parents())) signal(member);
      ended = true;
      while ((await commandLine(pid)).includes(own)) await delay(10);
    }
  }
  await rm(storage.pidFile(profile), { force: true });
  return ended;
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

function signalGroup(pid: number): void {
  if (process.platform !== "win32") signal(-pid);
}
