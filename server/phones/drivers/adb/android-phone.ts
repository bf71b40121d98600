/** One running Android: its connection, its screen and its hands, and how it is found again after it was lost. */
import { setTimeout as delay } from "node:timers/promises";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { PhoneReason } from "../../../../shared/phones.ts";
import type { Clock } from "../../../clock.ts";
import { PerchError } from "../../../errors.ts";
import { errorFields, type Log } from "../../../log.ts";
import type { DriverEvent, DriverState, PhoneSpec, ScreenSource } from "../../driver.ts";
import { within } from "./connect/bounded.ts";
import { AdbUnavailable } from "./connect/unavailable.ts";
import { openAndroidDevice, type Probe } from "./device.ts";
import { configureDevice } from "./device-settings.ts";
import { LastingScreen } from "./lasting-screen.ts";
import { openUrl } from "./open-url.ts";
import type {
  AdbEndpoint,
  AdbReason,
  AndroidAutomation,
  AndroidDevice,
  AndroidScreen,
  AndroidScreenEvents,
} from "./ports.ts";
import { takeScreenshot } from "./screenshot.ts";

/** Parts made of one connection, by other folders. */
export interface AndroidMakers {
  openScreen(device: AndroidDevice, events: AndroidScreenEvents): Promise<AndroidScreen>;
  createAutomation(
    device: AndroidDevice,
    of: {
      readonly size: () => { readonly width: number; readonly height: number };
      readonly screenshot: () => Promise<Uint8Array>;
    },
  ): AndroidAutomation;
}

/** How a lost phone is looked for. */
export interface Retry {
  readonly firstMs: number;
  readonly mostMs: number;
  /** Lost for so long, it has ended. */
  readonly giveUpMs: number;
  /** Of the wait, drawn anew each time, so that many phones of one lost host do not come at once. */
  readonly jitter: () => number;
}
export const RETRY: Retry = { firstMs: 500, mostMs: 15_000, giveUpMs: 10 * 60_000, jitter: Math.random };

export interface AndroidPhoneOptions {
  readonly spec: PhoneSpec;
  readonly endpoint: AdbEndpoint;
  readonly makers: AndroidMakers;
  readonly clock: Clock;
  readonly log: Log;
  readonly retry: Retry;
  readonly probe: Probe;
  emit(event: DriverEvent): void;
  /** Where it runs, as its source knows. */
  whereItRuns(): Promise<DriverState>;
  /** It will not be found again. */
  ended(reason: PhoneReason): void;
}

interface Connection {
  readonly device: AndroidDevice;
  readonly screen: AndroidScreen;
  readonly automation: AndroidAutomation;
}

const BOOT_MS = 120_000;
const BOOT_POLL_MS = 500;
const CONNECT_AGAIN_MS = 500;
const CLIPBOARD_MS = 5_000;
/** A device whose source says it runs is given this long until ADB answers. */
const FIRST_ANSWER_MS = 60_000;

export class AndroidPhone {
  readonly id: PhoneId;
  readonly #options: AndroidPhoneOptions;
  readonly #closing = new AbortController();
  #spec: PhoneSpec;
  #now: Connection | undefined;
  #screen: LastingScreen | undefined;
  #lostFor: PhoneReason | undefined;
  #hint = Promise.withResolvers<void>();

  constructor(options: AndroidPhoneOptions) {
    this.id = options.spec.id;
    this.#options = options;
    this.#spec = options.spec;
  }

  get closing(): boolean {
    return this.#closing.signal.aborted;
  }
  get lost(): boolean {
    return this.#now === undefined;
  }
  get moving(): boolean {
    return this.#now?.screen.moving === true;
  }
  get device(): AndroidDevice {
    return this.#connection().device;
  }
  get hands(): AndroidScreen {
    return this.#connection().screen;
  }
  get automation(): AndroidAutomation {
    return this.#connection().automation;
  }
  get screen(): ScreenSource {
    if (this.#screen === undefined) throw notRunning();
    return this.#screen;
  }

  async start(url: string | undefined, signal: AbortSignal): Promise<void> {
    const timed = AbortSignal.any([signal, this.#closing.signal]);
    const connection = await this.#connectPatiently(timed);
    try {
      await configureDevice(connection.device, this.#spec.settings);
      await wake(connection.device);
      await turnAsLeft(connection, this.#spec.rotated);
      if (url !== undefined) await openUrl(connection.device, url);
      if (this.closing) throw notRunning();
    } catch (error) {
      await release(connection);
      throw error;
    }
    this.#take(connection);
  }

  async openUrl(url: string): Promise<void> {
    await openUrl(this.device, url);
  }
  screenshot(): Promise<{ png: Uint8Array; width: number; height: number }> {
    return takeScreenshot(this.device);
  }
  async configure(spec: PhoneSpec): Promise<void> {
    this.#spec = spec;
    // One that is lost gets it when it is found.
    if (this.#now !== undefined) await configureDevice(this.#now.device, spec.settings);
  }

  /** Worth another look now. */
  hint(): void {
    this.#hint.resolve();
  }

  /** Lets go of the phone; nothing is told of it afterwards. */
  async close(): Promise<void> {
    const device = await this.closeForWipe(false);
    await device?.close();
  }

  /** The same, but the connection stays for what is left to do, and is the caller's to close. */
  async closeForWipe(emptyClipboard = true): Promise<AndroidDevice | undefined> {
    this.#closing.abort(notRunning());
    const connection = this.#now;
    this.#now = undefined;
    if (connection === undefined) return undefined;
    const { screen, automation, device } = connection;
    // Only the screen's own means reach the clipboard; the shell has none on most Androids.
    if (emptyClipboard) await within(CLIPBOARD_MS, device.words, screen.clipboard.write("")).catch(() => undefined);
    await Promise.allSettled([screen.close(), automation.close()]);
    return device;
  }

  #connection(): Connection {
    if (this.#now !== undefined) return this.#now;
    if (this.closing || this.#lostFor === undefined) throw notRunning();
    throw new PerchError("phone_unavailable", "This phone cannot be reached now. It is being looked for.");
  }

  #take(connection: Connection): void {
    this.#now = connection;
    if (this.#screen === undefined) this.#screen = new LastingScreen(connection.screen.source);
    else this.#screen.follow(connection.screen.source);
    void connection.device.gone.then(() => this.#gone(connection));
  }

  async #gone(connection: Connection): Promise<void> {
    if (this.closing || this.#now !== connection) return;
    this.#now = undefined;
    this.#tellLost("device_gone");
    await Promise.allSettled([connection.screen.close(), connection.automation.close()]);
    await this.#lookForIt().catch((error: unknown) => {
      if (this.closing) return;
      this.#options.log.error("Looking for a lost phone failed", { phoneId: this.id, ...errorFields(error) });
      this.#options.ended(this.#lostFor ?? "device_gone");
    });
  }

  #tellLost(reason: PhoneReason): void {
    if (this.#lostFor === reason) return;
    this.#lostFor = reason;
    this.#options.log.warn("An Android phone is out of reach", { phoneId: this.id, reason });
    this.#options.emit({ type: "lost", phoneId: this.id, reason });
  }

  async #lookForIt(): Promise<void> {
    const { clock, retry, emit, ended, log } = this.#options;
    const { signal } = this.#closing;
    const lostAt = clock.now();
    for (let pause = retry.firstMs; ; pause = Math.min(pause * 2, retry.mostMs)) {
      await this.#pause(pause * (0.5 + retry.jitter() / 2));
      if (signal.aborted) return;
      try {
        const connection = await this.#connect(signal);
        if (signal.aborted) return await release(connection);
        await configureDevice(connection.device, this.#spec.settings).catch(() => undefined);
        this.#lostFor = undefined;
        this.#take(connection);
        log.info("An Android phone was found again", { phoneId: this.id });
        emit({ type: "found", phoneId: this.id });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof AdbUnavailable) this.#tellLost(error.reason);
      }
      const state = await this.#options.whereItRuns().catch((): DriverState => "unknown");
      const isOver = state === "parked" || state === "absent" || clock.now() - lostAt >= retry.giveUpMs;
      if (signal.aborted) return;
      if (isOver) return ended(this.#lostFor ?? "device_gone");
    }
  }

  /** Ends early with a hint, or when the phone is let go. */
  async #pause(ms: number): Promise<void> {
    const over = new AbortController();
    const { signal } = this.#closing;
    const wait = delay(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => undefined);
    await Promise.race([wait, this.#hint.promise]);
    over.abort();
    this.#hint = Promise.withResolvers();
  }

  /** One that was turned on a moment ago needs some time until ADB answers. */
  async #connectPatiently(signal: AbortSignal): Promise<Connection> {
    const until = this.#options.clock.now() + FIRST_ANSWER_MS;
    for (;;) {
      try {
        return await this.#connect(signal);
      } catch (error) {
        const maySoon = error instanceof AdbUnavailable && error.reason === "device_gone";
        if (signal.aborted || !maySoon || this.#options.clock.now() >= until) throw error;
        if ((await this.#options.whereItRuns()) !== "running") throw error;
        await delay(CONNECT_AGAIN_MS, undefined, { signal });
      }
    }
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    const { endpoint, clock, probe, makers, emit } = this.#options;
    const device = await openAndroidDevice(endpoint, { clock, signal, probe });
    try {
      await booted(device, clock, signal);
      const phoneId = this.id;
      const screen = await makers.openScreen(device, {
        resized: ({ width, height }) => emit({ type: "resized", phoneId, width, height }),
        clipboard: (value) => emit({ type: "clipboard", phoneId, value }),
        keyboard: (open) => emit({ type: "keyboard", phoneId, open }),
      });
      const screenshot = async () => (await takeScreenshot(device)).png;
      return { device, screen, automation: makers.createAutomation(device, { size: () => screen.size(), screenshot }) };
    } catch (error) {
      await device.close();
      throw error;
    }
  }
}

/** `adb` answers before Android is there. */
async function booted(device: AndroidDevice, clock: Clock, signal: AbortSignal): Promise<void> {
  const until = clock.now() + BOOT_MS;
  while ((await device.text(["getprop", "sys.boot_completed"], { signal })).trim() !== "1") {
    if (clock.now() >= until) {
      throw new AdbUnavailable("device_gone" satisfies AdbReason, `Android did not start on ${device.words} in time.`);
    }
    await delay(BOOT_POLL_MS, undefined, { signal });
  }
}

/** `KEYCODE_WAKEUP` does nothing to a screen that is on; a lock screen without a secret goes away (WindowManager, Android 8). */
async function wake(device: AndroidDevice): Promise<void> {
  await device.run(["input", "keyevent", "KEYCODE_WAKEUP"]);
  await device.run(["wm", "dismiss-keyguard"]);
}

/** A device that was wiped, or is another one, stands upright. One that holds its way up is shown as it lies. */
async function turnAsLeft({ screen, device: { facts } }: Connection, rotated: boolean): Promise<void> {
  const { width, height } = screen.size();
  const turned = width > height !== facts.width > facts.height;
  if (turned !== rotated) await screen.rotate().catch(() => undefined);
}

async function release({ screen, automation, device }: Connection): Promise<void> {
  await Promise.allSettled([screen.close(), automation.close()]);
  await device.close();
}

function notRunning(): PerchError {
  return new PerchError("phone_not_running", "This phone is not running. Start it first.");
}
