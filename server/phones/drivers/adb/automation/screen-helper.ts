/**
 * Reads a screen through `appium-uiautomator2-server` on the device, which need not wait until the screen rests. It is there
 * only when the operator supplied it, runs only while screens are read, and when it fails Android's own `uiautomator` reads.
 * While it runs it holds Android's one place for that, so the other is used only when it was ended.
 * Endpoints: its `server/AppiumServlet.java`; starting it: uiautomator2-driver `lib/uiautomator2-server/core.ts`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Clock } from "../../../../clock.ts";
import { PerchError } from "../../../../errors.ts";
import { errorFields, type Log } from "../../../../log.ts";
import { installApp, uninstallApp } from "../android-apps.ts";
import { askDevice, type DeviceRequest } from "../device-http.ts";
import { HELPER_PACKAGES, type HelperApk, type HelperApks } from "../helper-apks.ts";
import type { AndroidDevice } from "../ports.ts";
import { XML_LIMITS } from "./ui-xml.ts";

/** `server/ServerConfig.java`. */
const AT = "tcp:6790";
const RUNNER = `${HELPER_PACKAGES[1]}/androidx.test.runner.AndroidJUnitRunner`;
/** Of both APKs. */
const MIN_SDK = 26;
const START_MS = 15_000;
const START_POLL_MS = 100;
const ANSWER_MS = 3_000;
const SOURCE_MS = 5_000;
const STOP_MS = 3_000;
/** After a failure. */
const AGAIN_MS = 60_000;
/** It listens on all of the device's addresses, so it does not stay. */
const IDLE_MS = 60_000;
const MAX_ANSWER = 64 * 1024;

/** `model/settings/Settings.java`. The wake lock would keep the screen on for a day. */
const SETTINGS = {
  waitForIdleTimeout: 0,
  waitForSelectorTimeout: 0,
  ignoreUnimportantViews: true,
  enableNotificationListener: false,
  wakeLockTimeout: 0,
};

const session = z.object({ sessionId: z.string().regex(/^[\w-]{1,100}$/) });
const source = z.object({ value: z.string() });

export interface ScreenHelperOptions {
  readonly device: AndroidDevice;
  readonly apks: () => Promise<HelperApks>;
  readonly clock: Clock;
  readonly log: Log;
  /** Replaced in tests that do not wait as long. */
  readonly idleMs?: number;
}

interface Run {
  readonly id: string;
  readonly abort: AbortController;
}

export class ScreenHelper {
  readonly #options: ScreenHelperOptions;
  #installed: "no" | "soon" | "yes" = "no";
  #notBefore = 0;
  #run: Run | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #ending: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ScreenHelperOptions) {
    this.#options = options;
    if (options.device.facts.sdk < MIN_SDK) this.#closed = true;
  }

  /** The screen's XML as `parse` reads it; undefined when it has to be read another way, which then can be. One at a time. */
  read<T>(parse: (xml: Uint8Array) => T): Promise<T | undefined> {
    const reading = this.#read(parse);
    this.#reading = reading;
    return reading;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reading;
    clearTimeout(this.#idle);
    await this.#end();
  }

  async #read<T>(parse: (xml: Uint8Array) => T): Promise<T | undefined> {
    clearTimeout(this.#idle);
    await this.#ending;
    if (this.#closed || this.#options.clock.now() < this.#notBefore) return undefined;
    if (this.#installed !== "yes") {
      if (this.#installed === "no") this.#install();
      return undefined;
    }
    try {
      this.#run ??= await this.#start();
      const path = `/session/${this.#run.id}/source`;
      const answer = await this.#ask({ method: "GET", path }, SOURCE_MS, 2 * XML_LIMITS.bytes);
      this.#idle = setTimeout(() => void this.#end(), this.#options.idleMs ?? IDLE_MS).unref();
      return understood(() => parse(Buffer.from(source.parse(JSON.parse(answer)).value)));
    } catch (error) {
      clearTimeout(this.#idle);
      this.#failed("The helper on an Android did not read its screen", error);
      await this.#end();
      // Somebody may have removed it.
      this.#installed = "no";
      return undefined;
    }
  }

  #failed(words: string, error: unknown): void {
    this.#notBefore = this.#options.clock.now() + AGAIN_MS;
    if (!this.#closed) this.#options.log.warn(words, errorFields(error));
  }

  /** Takes as long as sending 18 MB does; screens are read without it meanwhile. */
  #install(): void {
    this.#installed = "soon";
    this.#installNow().then(
      () => {
        this.#installed = "yes";
      },
      (error: unknown) => {
        this.#installed = "no";
        this.#failed("The helper could not be installed on an Android", error);
      },
    );
  }

  async #installNow(): Promise<void> {
    const { device, apks: read } = this.#options;
    const helper = await read();
    if (!helper.usable) throw new PerchError("unavailable", helper.words);
    const there = await Promise.all(helper.apks.map((apk) => isInstalled(device, apk)));
    if (there.every(Boolean)) return;
    // Another one, which may be signed by somebody else.
    for (const { package: name } of helper.apks) await uninstallApp(device, name).catch(() => undefined);
    for (const { package: name, bytes } of helper.apks) {
      const content = new Blob([Buffer.from(bytes)]).stream();
      await installApp(device, { name, size: bytes.byteLength, content }, () => undefined);
    }
  }

  async #start(): Promise<Run> {
    const { device } = this.#options;
    await this.#stopAll();
    const abort = new AbortController();
    try {
      const argv = ["am", "instrument", "-w", "-e", "disableAnalytics", "true", RUNNER] as const;
      const output = await device.stream(argv, abort.signal);
      const over = drain(output).then(() => {
        if (this.#run?.abort === abort) this.#run = undefined;
        return "over" as const;
      });
      const until = performance.now() + START_MS;
      for (;;) {
        const state = await Promise.race([over, this.#answers()]);
        if (state === true) break;
        if (state === "over" || this.#closed || performance.now() >= until)
          throw new Error("The helper did not start.");
        await delay(START_POLL_MS);
      }
      const capabilities = { firstMatch: [{}], alwaysMatch: {} };
      const made = await this.#ask({ method: "POST", path: "/session", body: { capabilities } });
      const { sessionId: id } = understood(() => session.parse(JSON.parse(made)));
      await this.#ask({ method: "POST", path: `/session/${id}/appium/settings`, body: { settings: SETTINGS } });
      return { id, abort };
    } catch (error) {
      abort.abort();
      throw error;
    }
  }

  #answers(): Promise<boolean> {
    return this.#ask({ method: "GET", path: "/status" }, 1_000).then(
      () => true,
      () => false,
    );
  }

  async #ask(
    call: Pick<DeviceRequest, "method" | "path" | "body">,
    timeoutMs = ANSWER_MS,
    maxBytes = MAX_ANSWER,
  ): Promise<string> {
    const answer = await askDevice(this.#options.device, AT, { ...call, timeoutMs, maxBytes });
    return answer.toString("utf8");
  }

  /** It goes on without the shell that started it, so its app is stopped. */
  #end(): Promise<unknown> {
    this.#run?.abort.abort();
    this.#run = undefined;
    if (this.#installed === "yes") this.#ending = this.#stopAll().catch(() => undefined);
    return this.#ending;
  }

  async #stopAll(): Promise<void> {
    const { device } = this.#options;
    await Promise.all(HELPER_PACKAGES.map((name) => device.run(["am", "force-stop", name], { timeoutMs: STOP_MS })));
  }
}

/** The very file: what its APK on the device comes to. */
async function isInstalled(device: AndroidDevice, { package: name, sha256 }: HelperApk): Promise<boolean> {
  const said = await device.run(["pm", "path", name], { maxBytes: MAX_ANSWER });
  const path = /^package:(\/\S+\.apk)\s*$/.exec(Buffer.from(said.stdout).toString("utf8"))?.[1];
  if (path === undefined) return false;
  const sum = await device.run(["sha256sum", path], { maxBytes: MAX_ANSWER });
  return Buffer.from(sum.stdout).toString("utf8").startsWith(sha256);
}

/** Errors of parsers quote what they read, which stood on a screen. */
function understood<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw new Error("The helper's answer cannot be read.");
  }
}

/** What it writes is read by nobody, and must not stand in its way. */
async function drain(output: ReadableStream<Uint8Array>): Promise<void> {
  const reader = output.getReader();
  try {
    while (!(await reader.read()).done);
  } catch {
    // The connection is over.
  }
}
