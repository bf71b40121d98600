/**
 * A small faithful phone driver in memory: it keeps storage apart from running phones, takes time, refuses what a real
 * one refuses, and can be told to fail.
 */
import { setImmediate as later } from "node:timers/promises";
import type { PhoneId } from "../../../shared/ids.ts";
import { ANDROID_PHONE, WEB_PHONE } from "../../../shared/phone-model.ts";
import type { DriverKind, PhoneCapabilities, PhoneModel, PhoneReason, WipeReceipt } from "../../../shared/phones.ts";
import type { UiElement } from "../../../shared/ui-tree.ts";
import { PerchError } from "../../errors.ts";
import type { PhoneAutomation } from "../automation-port.ts";
import type {
  DriverEvent,
  DriverState,
  FileToPut,
  PhoneDriver,
  PhoneInput,
  PhoneSpec,
  ScreenFrame,
  ScreenSource,
  TimedPicture,
  UiNode,
} from "../driver.ts";

interface StoredPhone {
  spec: PhoneSpec;
  url: string;
  clipboard: string;
  readonly files: Map<string, Uint8Array>;
  readonly apps: string[];
}

type Step = "create" | "start" | "park" | "remove" | "configure" | "recover";

const EMPTY_SCREEN: UiElement = {
  ref: "root",
  role: "screen",
  text: "",
  hint: "",
  accessibilityText: "",
  id: "",
  bounds: { x: 0, y: 0, width: 1, height: 1 },
  enabled: true,
  selected: false,
  checked: false,
  focused: false,
  clickable: false,
  password: false,
  children: [],
};

/** A black pixel as a PNG. */
const ONE_PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=",
  "base64",
);

export class FakeDriver implements PhoneDriver {
  readonly kind: DriverKind;
  readonly capabilities: PhoneCapabilities;
  readonly apps?: NonNullable<PhoneDriver["apps"]>;
  /** What is on the disk; outlives the driver when handed to another one, as after a crash of the server. */
  readonly stored: Map<PhoneId, StoredPhone>;
  readonly running: Set<PhoneId>;
  /** Running phones that cannot be reached. */
  readonly out = new Set<PhoneId>();
  /** What phones can be made of, of kinds that have models. */
  offers: PhoneModel[] = [];
  readonly inputs: { id: PhoneId; input: PhoneInput }[] = [];
  /** Steps that fail, each with its error, until taken away. */
  readonly failing = new Map<Step, Error>();
  /** Wipes leave something behind while true. */
  leavesTraces = false;
  moving = 0;
  /** While a phone takes a file: before each part of it. */
  onPut?: (id: PhoneId) => Promise<void>;
  /** Phones started so far. */
  starts = 0;
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  #held: Promise<void> | undefined;

  /**
   * `kind`: an Android's has apps, and its phones go on when the server stops: `running` is handed to the
   * next one then.
   */
  constructor(
    stored: Map<PhoneId, StoredPhone> = new Map(),
    { kind = "web", running = new Set() }: { kind?: DriverKind; running?: Set<PhoneId> } = {},
  ) {
    this.stored = stored;
    this.kind = kind;
    this.running = running;
    this.capabilities = kind === "web" ? WEB_PHONE : ANDROID_PHONE;
    if (kind !== "web") this.apps = this.#apps();
  }

  /** The phone goes on, out of reach. */
  lose(id: PhoneId, reason: PhoneReason = "device_gone"): void {
    this.out.add(id);
    this.#emit({ type: "lost", phoneId: id, reason });
  }
  find(id: PhoneId): void {
    this.out.delete(id);
    this.#emit({ type: "found", phoneId: id });
  }

  /** Starts wait until the returned function is called. */
  holdStarts(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return () => {
      this.#held = undefined;
      resolve();
    };
  }
  /** Ends a running phone as its browser would. */
  end(id: PhoneId, reason: PhoneReason): void {
    this.out.delete(id);
    if (this.running.delete(id)) this.#emit({ type: "ended", phoneId: id, reason });
  }
  /** The address a phone shows. */
  shows(id: PhoneId): string {
    return this.#running(id).url;
  }
  save(id: PhoneId, name: string, text: string): void {
    this.#stored(id).files.set(name, Buffer.from(text));
  }

  async models(): Promise<readonly PhoneModel[]> {
    return this.offers;
  }
  async create(spec: PhoneSpec): Promise<void> {
    await this.#step("create");
    if (this.stored.has(spec.id)) return;
    this.stored.set(spec.id, { spec, url: "perch:home", clipboard: "", files: new Map(), apps: [] });
  }
  async start(spec: PhoneSpec, url?: string): Promise<void> {
    await this.#held;
    await this.#step("start");
    const phone = this.#stored(spec.id);
    this.#demandReach(spec.id);
    if (this.running.has(spec.id) && this.kind !== "web") return;
    if (this.running.has(spec.id)) throw new Error("A phone was started twice.");
    phone.spec = spec;
    if (url !== undefined) phone.url = url;
    this.running.add(spec.id);
    this.starts += 1;
  }
  async park(id: PhoneId): Promise<void> {
    await this.#step("park");
    this.#demandReach(id);
    this.running.delete(id);
  }
  async remove(id: PhoneId): Promise<WipeReceipt> {
    await this.#step("remove");
    this.#demandReach(id);
    this.running.delete(id);
    const files = this.stored.get(id)?.files.size ?? 0;
    if (!this.leavesTraces) this.stored.delete(id);
    return {
      phoneId: id,
      files,
      bytes: files,
      verifiedAbsent: !this.stored.has(id),
      wipedAt: "2026-01-01T00:00:00.000Z",
    };
  }
  async leave(id: PhoneId): Promise<void> {
    const { verifiedAbsent } = await this.remove(id);
    if (!verifiedAbsent) throw new PerchError("unavailable", "Something is left.");
  }
  async state(id: PhoneId): Promise<DriverState> {
    if (this.out.has(id)) return "unknown";
    if (this.running.has(id)) return "running";
    return this.stored.has(id) ? "parked" : "absent";
  }
  async openUrl(id: PhoneId, url: string): Promise<void> {
    this.#running(id).url = url;
  }
  async input(id: PhoneId, input: PhoneInput): Promise<void> {
    this.#running(id);
    this.inputs.push({ id, input });
  }
  async rotate(id: PhoneId): Promise<{ rotated: boolean; width: number; height: number }> {
    const phone = this.#running(id);
    const rotated = !phone.spec.rotated;
    phone.spec = { ...phone.spec, rotated };
    const { width, height } = phone.spec.profile;
    return { rotated, width: rotated ? height : width, height: rotated ? width : height };
  }
  async configure(spec: PhoneSpec): Promise<void> {
    await this.#step("configure");
    this.#running(spec.id).spec = spec;
  }
  screen(id: PhoneId): ScreenSource {
    const { spec } = this.#running(id);
    const listeners = new Set<(frame: ScreenFrame) => void>();
    const show = (crisp: boolean) => {
      const frame = {
        format: "jpeg",
        kind: "image",
        bytes: new Uint8Array([255, 216]),
        capturedAtMs: 0,
        crisp,
      } as const;
      for (const listener of listeners) listener(frame);
    };
    return {
      codec: "jpeg",
      size: () => ({ width: spec.profile.width, height: spec.profile.height }),
      listen(listener) {
        listeners.add(listener);
        show(false);
        return () => listeners.delete(listener);
      },
      setLevel: () => show(false),
      refresh: () => show(false),
      still: async () => show(true),
    };
  }
  async screenshot(id: PhoneId): Promise<{ png: Uint8Array; width: number; height: number }> {
    const { profile } = this.#running(id).spec;
    return { png: ONE_PIXEL, width: profile.width * profile.dpr, height: profile.height * profile.dpr };
  }
  /** The pictures' times and bytes, as text. */
  async encodeVideo(pictures: readonly TimedPicture[], durationMs: number): Promise<Uint8Array> {
    const shown = pictures.map(({ jpeg, atMs }) => `${atMs}:${Buffer.from(jpeg).toString()}`);
    return Buffer.from([...shown, durationMs].join("|"));
  }
  async tree(id: PhoneId): Promise<UiNode> {
    this.#running(id);
    return { role: "RootWebArea", name: "", bounds: { x: 0, y: 0, width: 1, height: 1 }, children: [] };
  }
  async installWebApp(id: PhoneId, url: string): Promise<{ name: string }> {
    const { hostname } = new URL(url);
    this.#running(id).apps.push(hostname);
    return { name: hostname };
  }
  /** An empty screen; tests of automations put something on it. */
  readonly automation: PhoneAutomation = {
    can: {
      apps: false,
      css: true,
      clearState: true,
      permissions: true,
      location: true,
      darkMode: true,
      airplaneMode: true,
      addMedia: false,
      recording: true,
    },
    opened: async () => {},
    elements: async (id) => {
      const { profile } = this.#running(id).spec;
      return { root: EMPTY_SCREEN, width: profile.width, height: profile.height };
    },
    findByCss: async () => [],
    target: async () => undefined,
    still: async () => true,
    hideKeyboard: async () => {},
    closeApp: async () => {},
    clearState: async () => {},
    setPermissions: async () => {},
    setAirplaneMode: async () => {},
  };
  readonly files: PhoneDriver["files"] = {
    write: async (id, file, done) => {
      const bytes = await this.#taken(id, file, done);
      const { files } = this.#stored(id);
      let name = file.name;
      for (let count = 2; files.has(name); count += 1) name = `${file.name} (${count})`;
      files.set(name, bytes);
      return name;
    },
    list: async (id) =>
      [...this.#stored(id).files].map(([name, { length }]) => ({
        name,
        bytes: length,
        savedAt: "2026-01-01T00:00:00.000Z",
      })),
    read: async (id, name) => {
      const bytes = this.#stored(id).files.get(name);
      if (bytes === undefined) throw new PerchError("not_found", "There is no such file on this phone.");
      return new Blob([Buffer.from(bytes)]).stream();
    },
    remove: async (id, name) => {
      if (!this.#stored(id).files.delete(name))
        throw new PerchError("not_found", "There is no such file on this phone.");
    },
  };
  readonly clipboard: PhoneDriver["clipboard"] = {
    write: async (id, value) => {
      this.#running(id).clipboard = value;
    },
    read: async (id) => this.#running(id).clipboard,
  };
  onEvent(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  async recover(): Promise<readonly { id: PhoneId; state: DriverState }[]> {
    await this.#step("recover");
    if (this.kind === "web") this.running.clear();
    return Promise.all([...this.stored.keys()].map(async (id) => ({ id, state: await this.state(id) })));
  }
  runningPhones(): ReadonlySet<PhoneId> {
    return new Set([...this.running].filter((id) => !this.out.has(id)));
  }
  movingPhones(): number {
    return this.moving;
  }
  async close(): Promise<void> {
    if (this.kind === "web") this.running.clear();
    this.#listeners.clear();
  }

  async #step(step: Step): Promise<void> {
    await later();
    const error = this.failing.get(step);
    if (error !== undefined) throw error;
  }
  #stored(id: PhoneId): StoredPhone {
    const phone = this.stored.get(id);
    if (phone === undefined) throw new Error("A phone was used before it was created.");
    return phone;
  }
  #running(id: PhoneId): StoredPhone {
    this.#demandReach(id);
    if (!this.running.has(id)) throw new PerchError("phone_not_running", "This phone is not running. Start it first.");
    return this.#stored(id);
  }
  #demandReach(id: PhoneId): void {
    if (this.out.has(id)) throw new PerchError("phone_unavailable", "The device does not answer.");
  }
  /** Reads it to its end, as a phone does; stops when the phone goes out of reach. */
  async #taken(id: PhoneId, file: FileToPut, done: (bytes: number) => void): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let taken = 0;
    for await (const part of file.content) {
      await this.onPut?.(id);
      this.#running(id);
      parts.push(part);
      taken += part.length;
      done(taken);
    }
    if (taken !== file.size) throw new Error(`${file.name} has ${taken} bytes instead of ${file.size}.`);
    return Buffer.concat(parts);
  }
  #apps(): NonNullable<PhoneDriver["apps"]> {
    const change = async (id: PhoneId) => void this.#running(id);
    return {
      list: async (id) => this.#running(id).apps.map((app) => ({ id: app, label: app, system: false })),
      ...{ launch: change, stop: change, clear: change },
      uninstall: async (id, app) => {
        const { apps } = this.#running(id);
        apps.splice(apps.indexOf(app), 1);
      },
      install: async (id, apk, done) => {
        await this.#taken(id, apk, done);
        this.#running(id).apps.push(apk.name);
      },
    };
  }
  #emit(event: DriverEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
