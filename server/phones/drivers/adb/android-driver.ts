/**
 * The driver of real Androids, for the kinds `adb` and `geelark`. Its sources say which Androids there are and turn them on
 * and off; everything else, from the connection to the apps, is the same for all of them and stands here.
 */
import type { PhoneId } from "../../../../shared/ids.ts";
import { ANDROID_PHONE } from "../../../../shared/phone-model.ts";
import type {
  PhoneApp,
  PhoneCapabilities,
  PhoneFile,
  PhoneModel,
  PhoneReason,
  WipeReceipt,
} from "../../../../shared/phones.ts";
import { MAX_CLIPBOARD_LENGTH } from "../../../../shared/screen-protocol.ts";
import type { Clock } from "../../../clock.ts";
import { PerchError } from "../../../errors.ts";
import { errorFields, type Log } from "../../../log.ts";
import type { PhoneAutomation } from "../../automation-port.ts";
import type {
  DriverEvent,
  DriverState,
  FileToPut,
  PhoneDriver,
  PhoneInput,
  PhoneSpec,
  ScreenSource,
  UiNode,
} from "../../driver.ts";
import { createTurns } from "../../phone-moves.ts";
import { installApp, listApps, uninstallApp } from "./android-apps.ts";
import { listFiles, readFile, removeFile, writeFile } from "./android-files.ts";
import { type AndroidMakers, AndroidPhone, RETRY, type Retry } from "./android-phone.ts";
import { treeOf } from "./android-tree.ts";
import { clear, launch, stop } from "./automation/apps.ts";
import { PROBE, type Probe } from "./device.ts";
import type { AndroidAutomation, AndroidDevice, AndroidSource } from "./ports.ts";

export interface AndroidDriverOptions {
  readonly kind: "adb" | "geelark";
  readonly sources: readonly AndroidSource[];
  readonly makers: AndroidMakers;
  /** The automation port of all phones over that of each. */
  readonly automations: (of: (id: PhoneId) => AndroidAutomation) => PhoneAutomation;
  readonly audio: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly retry?: Partial<Retry>;
  readonly probe?: Probe;
  /** Makes videos of recordings; absent where this server cannot. */
  readonly encodeVideo?: NonNullable<PhoneDriver["encodeVideo"]>;
  /** Of its own video, where phones can send it. */
  readonly packVideo?: NonNullable<PhoneDriver["packVideo"]>;
}

export class AndroidDriver implements PhoneDriver {
  readonly kind: "adb" | "geelark";
  readonly capabilities: PhoneCapabilities;
  readonly automation: PhoneAutomation;
  readonly encodeVideo?: NonNullable<PhoneDriver["encodeVideo"]>;
  readonly packVideo?: NonNullable<PhoneDriver["packVideo"]>;
  readonly #options: AndroidDriverOptions;
  readonly #phones = new Map<PhoneId, AndroidPhone>();
  /** Starts under way, which a park or the end of the server cuts short. */
  readonly #starting = new Map<PhoneId, AbortController>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #turns = createTurns();
  readonly #leaving: (() => void)[];
  #closed = false;

  constructor(options: AndroidDriverOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.capabilities = { ...ANDROID_PHONE, audio: options.audio };
    this.automation = options.automations((id) => this.#phone(id).automation);
    if (options.encodeVideo !== undefined) this.encodeVideo = options.encodeVideo;
    if (options.packVideo !== undefined) this.packVideo = options.packVideo;
    this.#leaving = options.sources.map((source) =>
      source.onEvent(({ type, phoneId, ...rest }) => {
        const phone = this.#phones.get(phoneId);
        if (phone === undefined || phone.closing) return;
        if (type === "hint") phone.hint();
        else if ("reason" in rest) this.#end(phone, rest.reason);
      }),
    );
  }

  /** Of all sources; one that cannot be asked hides no other. */
  async models(): Promise<readonly PhoneModel[]> {
    const asked = await Promise.allSettled(this.#options.sources.map((source) => source.models()));
    return asked.flatMap((answer) => {
      if (answer.status === "fulfilled") return answer.value;
      this.#options.log.warn("A source of Android phones does not say what it has", errorFields(answer.reason));
      return [];
    });
  }

  async create(spec: PhoneSpec): Promise<void> {
    await this.#turns.take(spec.id, () => this.#sourceOf(spec).create(spec));
  }

  async start(spec: PhoneSpec, url?: string): Promise<void> {
    await this.#turns.take(spec.id, async () => {
      if (this.#closed) throw new PerchError("unavailable", "The server is stopping. Try again in a moment.");
      const running = this.#phones.get(spec.id);
      if (running !== undefined) {
        if (url !== undefined) await running.openUrl(url);
        return;
      }
      const starting = new AbortController();
      this.#starting.set(spec.id, starting);
      try {
        await this.#startNow(spec, url, starting.signal);
      } finally {
        this.#starting.delete(spec.id);
      }
    });
  }

  async park(id: PhoneId): Promise<void> {
    this.#cutShort(id);
    await this.#turns.take(id, async () => {
      const phone = this.#phones.get(id);
      this.#phones.delete(id);
      await phone?.close();
      for (const source of await this.#havers(id)) await source.park(id);
    });
  }

  async letGo(id: PhoneId): Promise<void> {
    this.#cutShort(id);
    await this.#turns.take(id, async () => {
      const phone = this.#phones.get(id);
      this.#phones.delete(id);
      await phone?.close();
    });
  }

  async remove(id: PhoneId): Promise<WipeReceipt> {
    this.#cutShort(id);
    return this.#turns.take(id, async () => {
      const phone = this.#phones.get(id);
      this.#phones.delete(id);
      const device = await phone?.closeForWipe();
      try {
        return await this.#wipe(id, device);
      } finally {
        await device?.close();
      }
    });
  }

  async state(id: PhoneId): Promise<DriverState> {
    const phone = this.#phones.get(id);
    if (phone !== undefined && !phone.closing) return phone.lost ? "unknown" : "running";
    const states = await Promise.all(this.#options.sources.map((source) => source.state(id)));
    const there = states.find((state) => state !== "absent");
    // Whatever runs there, this driver does not drive it.
    return there === "running" ? "parked" : (there ?? "absent");
  }

  async openUrl(id: PhoneId, url: string): Promise<void> {
    return this.#phone(id).openUrl(url);
  }
  async input(id: PhoneId, input: PhoneInput): Promise<void> {
    await this.#phone(id).hands.input(input);
  }
  async rotate(id: PhoneId): Promise<{ rotated: boolean; width: number; height: number }> {
    return this.#phone(id).hands.rotate();
  }
  async configure(spec: PhoneSpec): Promise<void> {
    await this.#phones.get(spec.id)?.configure(spec);
  }
  screen(id: PhoneId): ScreenSource {
    return this.#phone(id).screen;
  }
  async screenshot(id: PhoneId): Promise<{ png: Uint8Array; width: number; height: number }> {
    return this.#phone(id).screenshot();
  }
  async tree(id: PhoneId): Promise<UiNode> {
    return treeOf(await this.#phone(id).automation.elements());
  }
  async installWebApp(): Promise<never> {
    throw new PerchError(
      "capability_missing",
      "Android phones take apps, not web apps from here. Open the page instead.",
    );
  }

  readonly apps = {
    list: async (id: PhoneId): Promise<readonly PhoneApp[]> => {
      const { device, hands } = this.#phone(id);
      return listApps(device, hands.appNames);
    },
    launch: async (id: PhoneId, app: string): Promise<void> => launch(this.#device(id), app),
    stop: async (id: PhoneId, app: string): Promise<void> => stop(this.#device(id), app),
    clear: async (id: PhoneId, app: string): Promise<void> => clear(this.#device(id), app),
    uninstall: async (id: PhoneId, app: string): Promise<void> => uninstallApp(this.#device(id), app),
    install: async (id: PhoneId, apk: FileToPut, done: (bytes: number) => void): Promise<void> =>
      installApp(this.#device(id), apk, done),
  };

  readonly files = {
    write: async (id: PhoneId, file: FileToPut, done: (bytes: number) => void): Promise<string> =>
      writeFile(this.#device(id), file, done),
    list: async (id: PhoneId): Promise<readonly PhoneFile[]> => listFiles(this.#device(id)),
    read: async (id: PhoneId, name: string): Promise<ReadableStream<Uint8Array>> => readFile(this.#device(id), name),
    remove: async (id: PhoneId, name: string): Promise<void> => removeFile(this.#device(id), name),
  };

  readonly clipboard = {
    write: async (id: PhoneId, value: string): Promise<void> =>
      this.#phone(id).hands.clipboard.write(value.slice(0, MAX_CLIPBOARD_LENGTH)),
    read: async (id: PhoneId): Promise<string> =>
      (await this.#phone(id).hands.clipboard.read()).slice(0, MAX_CLIPBOARD_LENGTH),
  };

  onEvent(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What an earlier process left running is turned off; whoever wants it on starts it again. */
  async recover(): Promise<readonly { id: PhoneId; state: DriverState }[]> {
    const there = await Promise.all(
      this.#options.sources.map(async (source) => {
        const found = await source.recover().catch((error: unknown) => {
          this.#options.log.error("A source of Android phones did not recover", errorFields(error));
          return [];
        });
        for (const { id, state } of found) {
          if (state !== "running" || this.#phones.has(id) || this.#starting.has(id)) continue;
          await this.#turns
            .take(id, async () => {
              if (!this.#phones.has(id)) await source.park(id);
            })
            .catch((error: unknown) => {
              this.#options.log.warn("A phone of an earlier run was not turned off", {
                phoneId: id,
                ...errorFields(error),
              });
            });
        }
        return found;
      }),
    );
    return Promise.all(
      there.flat().map(async ({ id }) => ({ id, state: await this.state(id).catch(() => "unknown" as const) })),
    );
  }

  runningPhones(): ReadonlySet<PhoneId> {
    return new Set([...this.#phones.values()].filter((phone) => !phone.closing && !phone.lost).map(({ id }) => id));
  }
  movingPhones(): number {
    return [...this.#phones.values()].filter((phone) => phone.moving).length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const ids = new Set([...this.#phones.keys(), ...this.#starting.keys()]);
    const parked = await Promise.allSettled([...ids].map((id) => this.park(id)));
    for (const one of parked) {
      if (one.status === "rejected")
        this.#options.log.warn("A phone was not parked at the end", errorFields(one.reason));
    }
    for (const leave of this.#leaving) leave();
    await Promise.allSettled(this.#options.sources.map((source) => source.close()));
    this.#listeners.clear();
  }

  async #startNow(spec: PhoneSpec, url: string | undefined, signal: AbortSignal): Promise<void> {
    const source = this.#sourceOf(spec);
    const endpoint = await source.start(spec, signal);
    const { makers, clock, log, retry, probe = PROBE } = this.#options;
    const phone: AndroidPhone = new AndroidPhone({
      ...{ spec, endpoint, makers, clock, log, probe },
      retry: { ...RETRY, ...retry },
      emit: (event) => this.#emit(event),
      whereItRuns: () => source.state(spec.id),
      ended: (reason) => this.#end(phone, reason),
    });
    try {
      await phone.start(url, signal);
    } catch (error) {
      await phone.close();
      await source.park(spec.id).catch((failure: unknown) => {
        log.warn("A phone that did not start was not turned off", { phoneId: spec.id, ...errorFields(failure) });
      });
      throw error instanceof PerchError ? error : stopped(signal, error);
    }
    this.#phones.set(spec.id, phone);
  }

  async #wipe(id: PhoneId, device: AndroidDevice | undefined): Promise<WipeReceipt> {
    const receipts: WipeReceipt[] = [];
    for (const source of await this.#havers(id)) receipts.push(await source.remove(id, device));
    const sum = (of: (receipt: WipeReceipt) => number) => receipts.reduce((total, receipt) => total + of(receipt), 0);
    return {
      phoneId: id,
      files: sum(({ files }) => files),
      bytes: sum(({ bytes }) => bytes),
      verifiedAbsent: receipts.every(({ verifiedAbsent }) => verifiedAbsent),
      wipedAt: new Date(this.#options.clock.now()).toISOString(),
    };
  }

  /** Sources that have something of the phone's. What cannot be asked may have. */
  async #havers(id: PhoneId): Promise<readonly AndroidSource[]> {
    const states = await Promise.all(
      this.#options.sources.map((source) => source.state(id).catch((): DriverState => "unknown")),
    );
    return this.#options.sources.filter((_, index) => states[index] !== "absent");
  }

  #sourceOf({ model }: PhoneSpec): AndroidSource {
    const name = model?.slice(0, model.indexOf(":"));
    const source = this.#options.sources.find((one) => one.name === name);
    if (source !== undefined) return source;
    throw new PerchError("bad_input", "There are no phones of this model here any more. Choose another one.");
  }

  #cutShort(id: PhoneId): void {
    this.#starting.get(id)?.abort(new PerchError("phone_not_running", "The phone was parked before it had started."));
  }

  /** Over by itself: nothing is left to park but what the source still has. */
  #end(phone: AndroidPhone, reason: PhoneReason): void {
    if (this.#phones.get(phone.id) !== phone || phone.closing) return;
    this.#phones.delete(phone.id);
    this.#options.log.warn("An Android phone ended by itself", { phoneId: phone.id, reason });
    phone.close().catch((error: unknown) => {
      this.#options.log.warn("A phone that ended was not let go", { phoneId: phone.id, ...errorFields(error) });
    });
    this.#emit({ type: "ended", phoneId: phone.id, reason });
  }

  #device(id: PhoneId): AndroidDevice {
    return this.#phone(id).device;
  }
  #phone(id: PhoneId): AndroidPhone {
    const phone = this.#phones.get(id);
    if (phone !== undefined && !phone.closing) return phone;
    throw new PerchError("phone_not_running", "This phone is not running. Start it first.");
  }
  #emit(event: DriverEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

function stopped(signal: AbortSignal, cause: unknown): PerchError {
  if (signal.reason instanceof PerchError) return signal.reason;
  return new PerchError("phone_unavailable", "The phone did not start. Try again.", { cause });
}
