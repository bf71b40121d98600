/**
 * Reads what is on an Android screen: by the helper on the device where the operator supplied one, else with
 * `uiautomator dump`. That waits until nothing on the screen changed for a while
 * and gives up after ten seconds (AOSP uiautomator `DumpCommand`), so it gets three; a screen that never rests is left
 * alone for a while after it was refused, and has no elements meanwhile.
 */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../../../clock.ts";
import { PerchError } from "../../../../errors.ts";
import type { AndroidDevice } from "../ports.ts";
import type { DevicePage } from "./device-page.ts";
import type { ScreenHelper } from "./screen-helper.ts";
import { type AndroidTree, treeOf, unreadTree } from "./ui-tree.ts";
import { NoDump, parseDump, type ScreenDump, XML_LIMITS } from "./ui-xml.ts";

const FILE = "/data/local/tmp/perch-screen.xml";
const DUMP_MS = 3_000;
const BUSY_MS = 20_000;
const AGAIN_MS = 250;
const NEVER_RESTS =
  "The screen never came to rest, so its elements could not be read. Touching by place and comparing pictures still work.";
const NO_ANSWER = "Android gave no list of what is on the screen. Touching by place and comparing pictures still work.";
const IN_USE =
  "Another testing tool reads this phone's screen, and Android lets only one. Stop that tool, then try again.";

export interface ScreenReaderOptions {
  readonly device: AndroidDevice;
  readonly size: () => { readonly width: number; readonly height: number };
  /** PNG. */
  readonly screenshot: () => Promise<Uint8Array>;
  readonly helper: ScreenHelper | undefined;
  readonly page: DevicePage;
  readonly clock: Clock;
}

export class ScreenReader {
  readonly #options: ScreenReaderOptions;
  #reading: Promise<AndroidTree> | undefined;
  #next: Promise<AndroidTree> | undefined;
  #busy: { readonly until: number; readonly picture: string | undefined } | undefined;
  #cleared: Promise<unknown> = Promise.resolve();
  #gone = false;

  constructor(options: ScreenReaderOptions) {
    this.#options = options;
    void options.device.gone.then(() => {
      this.#gone = true;
    });
  }

  /** What is on the screen after this was asked. Android reads one at a time; who waits shares the next. */
  read(): Promise<AndroidTree> {
    if (this.#reading === undefined) return this.#start();
    this.#next ??= this.#reading.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<AndroidTree> {
    this.#next = undefined;
    const reading = this.#look().finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
    return reading;
  }

  async #look(): Promise<AndroidTree> {
    const { size, helper, page, device } = this.#options;
    const helped = await helper?.read((xml) => parseDump(xml, device.facts));
    if (helped !== undefined) {
      this.#busy = undefined;
      return page.into(treeOf(helped));
    }
    if (await this.#isBusy()) return unreadTree(size(), NEVER_RESTS);
    const first = await this.#dump();
    // A window that is on its way is none for a moment.
    const read = first === "nothing" ? await delay(AGAIN_MS).then(() => this.#dump()) : first;
    if (typeof read !== "string") {
      this.#busy = undefined;
      return page.into(treeOf(read));
    }
    if (read !== "busy") return unreadTree(size(), read === "in_use" ? IN_USE : NO_ANSWER);
    this.#busy = { until: this.#options.clock.now() + BUSY_MS, picture: await this.#picture() };
    return unreadTree(size(), NEVER_RESTS);
  }

  /** A screen that was refused gets another try early when its picture, a new one, stands still. */
  async #isBusy(): Promise<boolean> {
    const busy = this.#busy;
    if (busy === undefined || this.#options.clock.now() >= busy.until) return false;
    const before = await this.#picture();
    if (before === undefined || before === busy.picture) return true;
    await delay(AGAIN_MS);
    return (await this.#picture()) !== before;
  }

  async #picture(): Promise<string | undefined> {
    const png = await this.#options.screenshot().catch(this.#unlessGone);
    return png && createHash("sha1").update(png).digest("base64");
  }

  async #dump(): Promise<ScreenDump | "busy" | "nothing" | "in_use"> {
    const { device } = this.#options;
    await this.#cleared;
    const dumped = await device
      .run(["uiautomator", "dump", "--compressed", FILE], { timeoutMs: DUMP_MS, maxBytes: 64 * 1024 })
      .catch(this.#unlessGone);
    if (dumped === undefined) return "busy";
    const said = `${Buffer.from(dumped.stdout).toString("utf8")}\n${dumped.stderr}`;
    if (/idle state/i.test(said)) return "busy";
    if (/already registered/i.test(said)) return "in_use";
    if (!/dumped to/i.test(said)) return "nothing";
    try {
      return parseDump(await readAll(await device.pull(FILE)), device.facts);
    } catch (error) {
      if (!(error instanceof NoDump)) this.#unlessGone(error);
      return "nothing";
    } finally {
      // It holds what stood on the screen. Files cost less than programs.
      this.#cleared = device.push(FILE, new Blob([]).stream()).catch(() => undefined);
    }
  }

  /** A call that ran out of its time on a device that is still there. */
  readonly #unlessGone = (error: unknown): undefined => {
    if (this.#gone || !(error instanceof PerchError)) throw error;
    return undefined;
  };
}

/** @throws NoDump for more than a dump has */
async function readAll(file: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of file) {
    bytes += part.byteLength;
    if (bytes > XML_LIMITS.bytes) throw new NoDump("The dump is larger than any screen's.");
    parts.push(part);
  }
  return Buffer.concat(parts);
}
