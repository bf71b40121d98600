/** The `web` driver: each phone is a mobile-emulated Chromium on this server, with a process and profile of its own. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { PhoneId } from "../../../../shared/ids.ts";
import { WEB_PHONE } from "../../../../shared/phone-model.ts";
import { PHONE_REASON_WORDS, type PhoneFile, type PhoneReason, type WipeReceipt } from "../../../../shared/phones.ts";
import { MAX_CLIPBOARD_LENGTH } from "../../../../shared/screen-protocol.ts";
import { PerchError } from "../../../errors.ts";
import type { PhoneAutomation } from "../../automation-port.ts";
import type {
  DriverEvent,
  DriverState,
  FileToPut,
  PhoneDriver,
  PhoneInput,
  PhoneSpec,
  ScreenSource,
  TimedPicture,
  UiNode,
} from "../../driver.ts";
import type { ArchiveKeeper } from "../../profile-archive.ts";
import { automationOf } from "./automation.ts";
import { type Browser, findBrowser } from "./browser.ts";
import { listFiles, readFileOf, removeFileOf } from "./downloads.ts";
import type { WebDriverOptions } from "./driver-options.ts";
import { parkedPhones } from "./packed-phone.ts";
import { WebPhone } from "./phone.ts";
import { endOrphan } from "./process.ts";
import { REST_AFTER_MS } from "./rest.ts";
import { Spares } from "./spares.ts";
import { browserUser, CACHES, chooseRoot, folderSize, type PhoneRecord, WebPhoneStorage } from "./storage.ts";
import { VideoEncoder } from "./video-encoder.ts";
import { type WarmBrowser, warmUp } from "./warm.ts";
import { watchUse } from "./watch.ts";

/** Prepares the storage; the browser itself is looked for in the background, and a phone's start tells when there is none. */
export async function createWebDriver(options: WebDriverOptions): Promise<PhoneDriver> {
  const user = browserUser() === undefined ? undefined : (options.user ?? browserUser());
  const root = await chooseRoot(options.dataDir, user);
  const storage = new WebPhoneStorage(root, user, options.key);
  await storage.prepare();
  if (!root.startsWith(options.dataDir)) {
    options.log.info("Web phones are kept outside the data folder, which their browser's user cannot reach", { root });
  }
  if (options.sandbox === false) options.log.warn("Web phones run without Chromium's sandbox, as configured");
  return new WebDriver(options, storage);
}

class WebDriver implements PhoneDriver {
  readonly kind = "web";
  readonly capabilities = WEB_PHONE;
  readonly #options: WebDriverOptions;
  readonly #storage: WebPhoneStorage;
  readonly #archive: ArchiveKeeper | undefined;
  readonly #running = new Map<PhoneId, WebPhone>();
  readonly #turns = new Map<PhoneId, Promise<unknown>>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #profilesInUse = new Set<string>();
  readonly #spares: Spares;
  readonly #encoder: VideoEncoder;
  readonly #stopWatching: () => void;
  #browser: Promise<Browser> | undefined;
  #closed = false;

  constructor(options: WebDriverOptions, storage: WebPhoneStorage) {
    this.#options = options;
    this.#storage = storage;
    this.#archive = options.archive?.(parkedPhones(storage, (id, work) => this.#inTurn(id, work)));
    this.#stopWatching = watchUse(options.limits, () =>
      [...this.#running.values()].map((phone) => ({
        pid: phone.warm.process.pid,
        folders: [storage.phoneFolder(phone.id), storage.profileFolder(phone.warm.process.profile)],
        usedDisk: (bytes) => {
          phone.usedBytes = bytes;
        },
        over: (what) => {
          this.#end(phone, what).catch((error: unknown) => this.#failed("A phone over its limits did not end", error));
        },
      })),
    );
    const nobodys = {
      warmUp: async () => this.#warmUp(await storage.createProfile()),
      discard: async (warm: WarmBrowser) => {
        await warm.process.kill();
        await warm.egress.close();
        this.#profilesInUse.delete(warm.process.profile);
        await storage.removeProfile(warm.process.profile);
      },
    };
    this.#encoder = new VideoEncoder(nobodys);
    this.#spares = new Spares(options.spares ?? 0, {
      ...nobodys,
      failed: (error) => this.#failed("No spare browser could be started", error),
    });
    // Unpacked while nobody waits for it; a failure is told to whoever starts a phone.
    this.#findBrowser().then(
      () => this.#spares.refill(0),
      (error: unknown) => this.#failed("There is no browser for web phones", error),
    );
  }

  async models(): Promise<readonly []> {
    return [];
  }

  async create(spec: PhoneSpec): Promise<void> {
    await this.#inTurn(spec.id, () => this.#storage.createPhone(spec.id));
  }

  async start(spec: PhoneSpec, url?: string): Promise<void> {
    await this.#inTurn(spec.id, async () => {
      if (this.#closed) throw new PerchError("unavailable", "The server is stopping. Try again in a moment.");
      const running = this.#running.get(spec.id);
      if (running !== undefined && !running.closing) {
        if (url !== undefined) await running.openUrl(url);
        return;
      }
      await this.#archive?.starting(spec.id);
      await this.#startNow(spec, url);
    });
  }

  async park(id: PhoneId): Promise<void> {
    await this.#inTurn(id, async () => {
      const phone = this.#running.get(id);
      if (phone === undefined) return;
      await phone.close();
      this.#forget(phone);
      await this.#seal(id);
    });
  }

  async remove(id: PhoneId): Promise<WipeReceipt> {
    return this.#inTurn(id, async () => {
      const phone = this.#running.get(id);
      if (phone !== undefined) {
        await phone.kill();
        this.#forget(phone);
      }
      const wiped = await this.#storage.wipe(id);
      wiped.files += (await this.#archive?.remove(id))?.files ?? 0;
      return { phoneId: id, ...wiped, wipedAt: new Date(this.#options.clock.now()).toISOString() };
    });
  }

  async leave(id: PhoneId): Promise<void> {
    await this.#inTurn(id, async () => {
      const phone = this.#running.get(id);
      if (phone !== undefined) {
        await phone.kill();
        this.#forget(phone);
      }
      if (!(await this.#storage.wipe(id)).verifiedAbsent) {
        throw new PerchError("unavailable", "What is left of a phone here could not be wiped completely. Try again.");
      }
    });
  }

  async state(id: PhoneId): Promise<DriverState> {
    const phone = this.#running.get(id);
    if (phone !== undefined && !phone.closing) return "running";
    const isKept = (await this.#storage.hasPhone(id)) || (await this.#archive?.has(id)) === true;
    return isKept ? "parked" : "absent";
  }

  async openUrl(id: PhoneId, url: string): Promise<void> {
    return this.#phone(id).openUrl(url);
  }
  async input(id: PhoneId, input: PhoneInput): Promise<void> {
    await this.#phone(id).input(input);
  }
  async rotate(id: PhoneId): Promise<{ rotated: boolean; width: number; height: number }> {
    return this.#phone(id).rotate();
  }
  async configure(spec: PhoneSpec): Promise<void> {
    await this.#running.get(spec.id)?.configure(spec);
  }
  screen(id: PhoneId): ScreenSource {
    return this.#phone(id).screen;
  }
  encodeVideo(pictures: readonly TimedPicture[], durationMs: number): Promise<Uint8Array> {
    return this.#encoder.encode(pictures, durationMs);
  }
  async screenshot(id: PhoneId): Promise<{ png: Uint8Array; width: number; height: number }> {
    return this.#phone(id).screenshot();
  }
  async tree(id: PhoneId): Promise<UiNode> {
    return this.#phone(id).automation.tree();
  }
  async installWebApp(id: PhoneId, url: string): Promise<{ name: string }> {
    return this.#phone(id).installWebApp(url);
  }

  readonly automation: PhoneAutomation = automationOf((id) => this.#phone(id).automation);

  readonly files = {
    write: (id: PhoneId, file: FileToPut, done: (bytes: number) => void): Promise<string> =>
      this.#phone(id).putFile(file, done),
    list: async (id: PhoneId): Promise<readonly PhoneFile[]> => {
      await this.#bringHere(id);
      return listFiles(this.#storage, id);
    },
    read: async (id: PhoneId, name: string): Promise<ReadableStream<Uint8Array>> => {
      await this.#bringHere(id);
      return readFileOf(this.#storage, id, name);
    },
    remove: (id: PhoneId, name: string): Promise<void> =>
      this.#inTurn(id, async () => {
        if (this.#running.has(id)) return removeFileOf(this.#storage, id, name);
        await this.#archive?.starting(id);
        await this.#storage.openFiles(id);
        try {
          await removeFileOf(this.#storage, id, name);
        } finally {
          await this.#storage.seal(id);
          this.#archive?.parked(id);
        }
      }),
  };

  readonly clipboard = {
    write: async (id: PhoneId, value: string): Promise<void> => {
      this.#phone(id).clipboard = value.slice(0, MAX_CLIPBOARD_LENGTH);
    },
    read: async (id: PhoneId): Promise<string> => this.#phone(id).clipboard,
  };

  onEvent(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async recover(): Promise<readonly { id: PhoneId; state: DriverState }[]> {
    await this.#storage.removeLeftovers();
    const phones = await this.#storage.phones();
    const kept = new Set<string>();
    for (const id of phones) {
      const record = await this.#storage.readRecord(id).catch(() => undefined);
      if (record?.profile !== undefined) kept.add(record.profile);
    }
    for (const profile of await this.#storage.profiles()) {
      if (this.#profilesInUse.has(profile)) continue;
      if (await endOrphan(this.#storage, profile))
        this.#options.log.warn("Ended a browser of an earlier run", { profile });
      if (!kept.has(profile)) await this.#storage.removeProfile(profile);
    }
    // What a crash left plain is sealed before anything else happens to the phone.
    for (const id of phones) {
      if (this.#running.has(id)) continue;
      this.#inTurn(id, async () => {
        if (!this.#running.has(id)) await this.#seal(id);
      }).catch((error: unknown) => this.#failed("A parked phone was not encrypted", error));
    }
    return Promise.all(phones.map(async (id) => ({ id, state: await this.state(id) })));
  }

  runningPhones(): ReadonlySet<PhoneId> {
    return new Set([...this.#running.values()].filter(({ closing }) => !closing).map(({ id }) => id));
  }
  movingPhones(): number {
    return [...this.#running.values()].filter((phone) => phone.screen.moving).length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    await Promise.all([
      this.#encoder.close(),
      this.#spares.close(),
      ...[...this.#running.keys()].map((id) => this.park(id)),
    ]);
    await Promise.allSettled([...this.#turns.values(), this.#browser]);
    await this.#archive?.close();
    this.#listeners.clear();
  }

  async #startNow(spec: PhoneSpec, url: string | undefined): Promise<void> {
    const record = await this.#storage.readRecord(spec.id);
    const { warm, remembered } = await this.#seat(spec.id, record);
    const phone = new WebPhone({
      warm,
      spec,
      record: remembered,
      storage: this.#storage,
      clock: this.#options.clock,
      diskBytes: this.#options.limits.diskBytes,
      restAfterMs: this.#options.restAfterMs ?? REST_AFTER_MS,
      emit: (event) => this.#emit(event),
    });
    this.#running.set(spec.id, phone);
    warm.process.exited
      .then(async () => {
        if (phone.closing || this.#running.get(spec.id) !== phone) return;
        await this.#end(phone, "browser_crashed");
      })
      .catch((error: unknown) => this.#failed("A phone's end was not cleaned up", error));
    try {
      await phone.start(url);
    } catch (error) {
      await phone.kill();
      this.#forget(phone);
      await this.#seal(spec.id);
      throw error instanceof PerchError
        ? error
        : new PerchError("phone_unavailable", PHONE_REASON_WORDS.start_failed, { cause: error });
    }
  }

  /** A started browser for the phone: its own profile's, or for a fresh phone the spare. */
  async #seat(id: PhoneId, record: PhoneRecord): Promise<{ warm: WarmBrowser; remembered: PhoneRecord }> {
    await this.#storage.open(id, record.profile);
    if (record.profile !== undefined) {
      await this.#makeRoom(id, record.profile);
      return { warm: await this.#warmUp(record.profile), remembered: record };
    }
    const spare = this.#spares.take();
    const profile = spare?.process.profile ?? (await this.#storage.createProfile());
    const remembered = { ...record, profile };
    await this.#storage.writeRecord(id, remembered);
    return { warm: spare ?? (await this.#warmUp(profile)), remembered };
  }

  async #makeRoom(id: PhoneId, profile: string): Promise<void> {
    const folder = this.#storage.profileFolder(profile);
    const full = async () => {
      const sizes = await Promise.all([folderSize(folder), folderSize(this.#storage.phoneFolder(id))]);
      return sizes.reduce((sum, size) => sum + size.bytes, 0) > this.#options.limits.diskBytes;
    };
    if (!(await full())) return;
    for (const cache of ["Default/Cache", ...CACHES]) await rm(join(folder, cache), { recursive: true, force: true });
    if (await full()) throw new PerchError("limit_reached", PHONE_REASON_WORDS.disk_full);
  }

  async #warmUp(profile: string): Promise<WarmBrowser> {
    const browser = await this.#findBrowser();
    this.#profilesInUse.add(profile);
    try {
      return await warmUp(
        {
          browser,
          storage: this.#storage,
          sandbox: this.#options.sandbox !== false,
          egress: this.#options.egress,
        },
        profile,
      );
    } catch (error) {
      this.#profilesInUse.delete(profile);
      throw error;
    }
  }

  /** Looks again after a failure: the operator may have installed one meanwhile. */
  #findBrowser(): Promise<Browser> {
    this.#browser ??= findBrowser(this.#storage.root, this.#options.chromePath, this.#storage.user).catch(
      (error: unknown) => {
        this.#browser = undefined;
        throw error;
      },
    );
    return this.#browser;
  }

  async #end(phone: WebPhone, reason: PhoneReason): Promise<void> {
    if (this.#running.get(phone.id) !== phone || phone.closing) return;
    this.#options.log.warn("A web phone ended by itself", { phoneId: phone.id, reason });
    await phone.kill();
    this.#forget(phone);
    this.#emit({ type: "ended", phoneId: phone.id, reason });
    await this.#inTurn(phone.id, async () => {
      if (!this.#running.has(phone.id)) await this.#seal(phone.id);
    });
  }

  /** A phone that cannot be encrypted is parked all the same; the next parking or start of the server tries again. */
  async #seal(id: PhoneId): Promise<void> {
    if (!(await this.#storage.hasPhone(id))) return;
    await this.#storage.seal(id).then(
      () => this.#archive?.parked(id),
      (error: unknown) => this.#failed("A parked phone was not encrypted", error),
    );
  }

  /** What is kept of a phone that is parked, also where another node parked it. */
  async #bringHere(id: PhoneId): Promise<void> {
    if (this.#archive === undefined || this.#running.has(id)) return;
    await this.#inTurn(id, async () => {
      if (!this.#running.has(id)) await this.#archive?.restore(id);
    });
  }

  #forget(phone: WebPhone): void {
    if (this.#running.get(phone.id) === phone) this.#running.delete(phone.id);
    this.#profilesInUse.delete(phone.warm.process.profile);
  }

  #phone(id: PhoneId): WebPhone {
    const phone = this.#running.get(id);
    if (phone !== undefined && !phone.closing) return phone;
    throw new PerchError("phone_not_running", "This phone is not running. Start it first.");
  }

  #emit(event: DriverEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #failed(message: string, error: unknown): void {
    this.#options.log.error(message, { error: error instanceof Error ? error.message : String(error) });
  }

  /** One thing at a time per phone, in the order asked. */
  #inTurn<T>(id: PhoneId, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const now = before.then(work, work);
    const settled = now.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(id, settled);
    settled.then(() => {
      if (this.#turns.get(id) === settled) this.#turns.delete(id);
    });
    return now;
  }
}
