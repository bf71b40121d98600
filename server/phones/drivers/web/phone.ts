/** One running web phone: its parts put together, what the driver asks of it, and what its pages tell. */
import { randomBytes } from "node:crypto";
import type { PhoneId } from "../../../../shared/ids.ts";
import { MAX_CLIPBOARD_LENGTH } from "../../../../shared/screen-protocol.ts";
import type { Clock } from "../../../clock.ts";
import { PerchError } from "../../../errors.ts";
import type { DriverEvent, FileToPut, PhoneInput, PhoneSpec } from "../../driver.ts";
import { WebAutomation } from "./automation.ts";
import { CdpError, type CdpSession } from "./cdp.ts";
import { Controls } from "./controls.ts";
import { checkedUrl, lastingUrl } from "./documents.ts";
import { Downloads, filePath, listFiles } from "./downloads.ts";
import { applyNetwork, applyPhone, applySize, emulateFocus, screenSize } from "./emulation.ts";
import { Foreground } from "./foreground.ts";
import { Gestures } from "./gestures.ts";
import { InputQueue } from "./input-queue.ts";
import { PhoneMemory } from "./memory.ts";
import { Permissions } from "./permissions.ts";
import { Rest } from "./rest.ts";
import { Screencast } from "./screencast.ts";
import type { PhoneRecord, WebPhoneStorage } from "./storage.ts";
import type { Tab } from "./tab.ts";
import type { TabsHost } from "./tabs.ts";
import type { SystemView } from "./views.ts";
import type { WarmBrowser } from "./warm.ts";
import { readWebApp } from "./web-apps.ts";

/** A screenshot waits this long for a finger to be lifted. */
const SCREENSHOT_PATIENCE_MS = 1_000;
const SCREENSHOT_TIMEOUT_MS = 5_000;
/** A page that is left for another refuses to be captured for a moment. */
const PICTURE_TRIES = 5;
const MAX_APPS = 60;
const MAX_LISTED_FILES = 50;

export interface WebPhoneOptions {
  readonly warm: WarmBrowser;
  readonly spec: PhoneSpec;
  readonly record: PhoneRecord;
  readonly storage: WebPhoneStorage;
  readonly clock: Clock;
  readonly diskBytes: number;
  /** From leaving the foreground to rest, in milliseconds. */
  readonly restAfterMs: number;
  emit(event: DriverEvent): void;
}

export class WebPhone implements TabsHost {
  readonly id: PhoneId;
  readonly warm: WarmBrowser;
  readonly screen: Screencast;
  readonly automation: WebAutomation;
  readonly clock: Clock;
  readonly version: string;
  /** Name of the event by which pages' scripts tell the agent what they copied. */
  readonly channel = randomBytes(12).toString("hex");
  offline = false;
  /** Bytes on disk when last looked. */
  usedBytes = 0;
  clipboard = "";
  readonly #storage: WebPhoneStorage;
  readonly #emit: (event: DriverEvent) => void;
  readonly #gestures = new Gestures();
  readonly #input: InputQueue;
  readonly #controls: Controls;
  readonly #rest: Rest;
  readonly #permissions: Permissions;
  readonly #downloads: Downloads;
  readonly #diskBytes: number;
  readonly #quotaSet = new Set<string>();
  #spec: PhoneSpec;
  readonly #memory: PhoneMemory;
  readonly #foreground: Foreground;
  #keyboard = false;
  #started = false;
  #closing = false;

  constructor(options: WebPhoneOptions) {
    const { warm, spec, record } = options;
    this.id = spec.id;
    this.warm = warm;
    this.version = warm.browser.version;
    this.clock = options.clock;
    this.#spec = spec;
    this.#memory = new PhoneMemory(spec.id, options.storage, record);
    this.#storage = options.storage;
    this.#emit = options.emit;
    this.#diskBytes = options.diskBytes;
    this.screen = new Screencast(options.clock, this.#gestures, () => screenSize(this.#spec));
    this.#foreground = new Foreground({
      system: warm.system,
      screen: this.screen,
      gestures: this.#gestures,
      tabs: warm.tabs,
      home: () => this.#home(),
      fileNames: async () => (await listFiles(this.#storage, this.id)).map((file) => file.name),
      chosen: () => this.#pagesChanged(),
      switched: () => this.#switched(),
    });
    this.#permissions = new Permissions(warm.process.cdp.browser);
    this.automation = new WebAutomation({
      foreground: this.#foreground,
      system: warm.system,
      screen: this.screen,
      tabs: warm.tabs,
      permissions: this.#permissions,
      spec: () => this.#spec,
      setOffline: (on) => this.#setOffline(on),
      addFile: (name, bytes) => this.#downloads.add(name, bytes),
    });
    this.#controls = new Controls({
      clock: options.clock,
      foreground: this.#foreground,
      memory: this.#memory,
      tabs: warm.tabs,
      openUrl: (address) => this.openUrl(address),
      forgotten: () => this.#recentsChanged(),
      filePath: (name) => filePath(this.#storage, this.id, name),
      keyboard: (open) => this.#keyboardIs(open),
      copied: (value) => this.#toClipboard(value),
    });
    this.#input = new InputQueue({
      clock: options.clock,
      gestures: this.#gestures,
      foreground: this.#foreground,
      screen: this.screen,
      size: () => screenSize(this.#spec),
      press: (key) => this.#controls.press(key),
    });
    this.#downloads = new Downloads(warm.process.cdp.browser, {
      folder: options.storage.filesFolder(spec.id),
      user: options.storage.user,
      room: () => this.#diskBytes - this.usedBytes,
      changed: (note, frame) => {
        this.#controls.note = note;
        this.#downloaded(frame);
      },
    });
    this.#rest = new Rest({
      tabs: warm.tabs,
      afterMs: options.restAfterMs,
      front: () => {
        const { front } = this.#foreground;
        return typeof front === "string" ? undefined : front;
      },
      downloading: () => this.#downloads.running,
    });
    warm.tabs.adopt(this, record.pages);
    warm.system.onAction((action) => {
      this.#controls.answer(action).catch(() => undefined);
    });
  }

  /** Resolves when the phone shows something and takes input. */
  async start(url: string | undefined): Promise<void> {
    const { browser } = this.warm.process.cdp;
    await Promise.all([
      applyPhone(this.warm.system.session, this.#spec, this.version, true),
      emulateFocus(this.warm.system.session, true),
      this.#permissions.apply(this.#spec),
      this.#downloads.start(),
      this.#memory.record.sessionCookies.length === 0
        ? undefined
        : browser
            .send("Storage.setCookies", {
              cookies: this.#memory.record.sessionCookies.map(({ sameSite, ...cookie }) =>
                sameSite === undefined ? cookie : { ...cookie, sameSite },
              ),
            })
            .catch(() => undefined),
    ]);
    if (url !== undefined) await this.openUrl(url);
    else await this.#reopen(this.#memory.record.open);
    this.#started = true;
    this.#remember();
  }

  /** The other pages stay asleep: a start costs the same however many there are. */
  async #reopen(open: string | undefined): Promise<void> {
    const lasting = open === undefined ? undefined : lastingUrl(open);
    if (lasting === undefined) return this.#foreground.show("home");
    const page = this.warm.tabs.recents.find(({ url }) => url === lasting);
    const tab = page === undefined ? undefined : await this.warm.tabs.wake(page.id);
    if (tab === undefined) await this.openUrl(lasting);
    else await this.#foreground.show(tab);
  }

  spec(): PhoneSpec {
    return this.#spec;
  }

  /** @throws PerchError `address_not_allowed` */
  async openUrl(address: string): Promise<void> {
    const url = checkedUrl(address);
    const tab = await this.#gone(() => this.warm.tabs.create());
    tab.openedFor = new URL(url).origin;
    if (url !== "about:blank") tab.navigate(url);
    await this.#foreground.show(tab);
  }

  /** Input is handled in the order of the calls; settles when the page has taken this one in. */
  input(input: PhoneInput): Promise<void> {
    return this.#input.take(input);
  }

  async rotate(): Promise<{ rotated: boolean; width: number; height: number }> {
    this.#spec = { ...this.#spec, rotated: !this.#spec.rotated };
    this.#input.release();
    await this.#gone(() =>
      this.#gestures.alone(() =>
        Promise.all([
          applySize(this.warm.system.session, this.#spec),
          ...this.warm.tabs.list.map((tab) => applySize(tab.session, this.#spec)),
        ]),
      ),
    );
    await this.#foreground.turned();
    this.screen.refresh();
    const size = screenSize(this.#spec);
    this.#emit({ type: "resized", phoneId: this.id, ...size });
    return { rotated: this.#spec.rotated, ...size };
  }

  async configure(spec: PhoneSpec): Promise<void> {
    const turned = spec.rotated !== this.#spec.rotated;
    this.#spec = spec;
    await this.#gone(() =>
      this.#gestures.alone(async () => {
        await this.#permissions.apply(spec);
        await applyPhone(this.warm.system.session, spec, this.version, true);
        for (const tab of this.warm.tabs.list) await tab.configure();
      }),
    );
    this.screen.refresh();
    if (turned) this.#emit({ type: "resized", phoneId: this.id, ...screenSize(spec) });
  }

  async screenshot(): Promise<{ png: Uint8Array; width: number; height: number }> {
    const data = await this.#picture();
    const png = Buffer.from(data, "base64");
    // IHDR is the first chunk of every PNG: width and height are its first eight bytes.
    return { png, width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
  }

  /** PNG in base64 of what is on the screen. */
  async #picture(): Promise<string> {
    for (let left = PICTURE_TRIES; ; left -= 1) {
      await this.#foreground.settled();
      const { session } = this.#foreground;
      const shot = () =>
        session.send("Page.captureScreenshot", { format: "png" }, SCREENSHOT_TIMEOUT_MS).then(({ data }) => data);
      const taken = this.#gone(() => this.#gestures.capture(session, shot, SCREENSHOT_PATIENCE_MS));
      // A page that opens a dialog meanwhile draws nothing until it is answered; what covers it then does.
      const seen = await this.#foreground.unlessLeft(taken).catch((error: unknown) => {
        // Its document was being replaced by the next one.
        const refused = error instanceof Error && error.cause instanceof CdpError && error.cause.kind === "refused";
        if (!refused || left === 0) throw error;
      });
      if (seen !== undefined) return seen;
    }
  }

  /** Where pages' file choosers find it. */
  async putFile(file: FileToPut, done: (bytes: number) => void): Promise<string> {
    return this.#downloads.write(file, done);
  }

  async installWebApp(address: string): Promise<{ name: string }> {
    const url = checkedUrl(address);
    const open = this.warm.tabs.list.find((tab) => tab.url === url && tab.problem === undefined);
    const tab = open ?? (await this.#gone(() => this.warm.tabs.create()));
    const release = this.#rest.hold(tab);
    try {
      if (open === undefined) tab.navigate(url);
      const app = await this.#gone(() => readWebApp(tab));
      const others = this.#memory.record.apps.filter((other) => other.url !== app.url);
      await this.#memory.save({ ...this.#memory.record, apps: [...others, app].slice(-MAX_APPS) });
      this.#foreground.present();
      return { name: app.name };
    } finally {
      release();
      if (open === undefined) this.warm.tabs.close(tab);
    }
  }

  /** Writes down what the browser would forget, and closes it. */
  async close(): Promise<void> {
    const { process, egress, tabs } = this.warm;
    this.#closing = true;
    this.#rest.close();
    await Promise.all(tabs.list.map((tab) => tab.refreshTitle()));
    this.#remember();
    const stored = await process.cdp.browser.send("Storage.getCookies", {}, 2_000).catch(() => undefined);
    this.screen.close();
    await process.close();
    await this.#downloads.settled();
    if (stored !== undefined) {
      const sessionCookies = stored.cookies.filter((cookie) => cookie.session);
      await this.#memory.save({ ...this.#memory.record, sessionCookies });
    } else await this.#memory.settled();
    await egress.close();
  }

  /** Ends the browser at once, keeping what it has written. */
  async kill(): Promise<void> {
    this.#closing = true;
    this.#rest.close();
    this.screen.close();
    await this.warm.process.kill();
    await this.#memory.settled();
    await this.warm.egress.close();
  }

  get closing(): boolean {
    return this.#closing;
  }

  // What tabs tell (TabsHost).

  frameSession(id: string): CdpSession {
    return this.warm.process.cdp.session(id);
  }
  changed(tab: Tab): void {
    this.#pagesChanged();
    if (tab === this.#foreground.front || this.#foreground.front === "recents") this.#foreground.present();
  }
  navigated(tab: Tab): void {
    const origin = URL.canParse(tab.url) ? new URL(tab.url).origin : "null";
    if (origin !== "null" && !this.#quotaSet.has(origin)) {
      this.#quotaSet.add(origin);
      tab.session.tell("Storage.overrideQuotaForOrigin", { origin, quotaSize: Math.floor(this.#diskBytes / 2) });
    }
    this.changed(tab);
    // A page of another site comes from another process, which the screencast may not have followed.
    if (tab === this.#foreground.tab) this.screen.refresh();
  }
  keyboard(tab: Tab, open: boolean): void {
    if (tab === this.#foreground.tab) this.#keyboardIs(open);
  }
  copied(_tab: Tab, value: string): void {
    this.#toClipboard(value);
  }
  opened(tab: Tab): void {
    const { front } = this.#foreground;
    // Whoever went home, or to another page, meanwhile stays there.
    if (typeof front !== "string" && front.id === tab.openerId) this.#foreground.show(tab).catch(() => undefined);
    else this.changed(tab);
  }
  closed(tab: Tab): void {
    if (tab !== this.#foreground.front) {
      this.changed(tab);
      return;
    }
    const opener = tab.openerId === undefined ? undefined : this.warm.tabs.find(tab.openerId);
    this.#foreground.show(opener ?? "home").catch(() => undefined);
  }

  async #setOffline(on: boolean): Promise<void> {
    this.offline = on;
    // Pages' workers and downloads are cut off here; pages themselves also have to know.
    this.warm.egress.cutOff(on);
    // A frame or page that goes meanwhile needs no network.
    const pages = this.warm.tabs.list.flatMap((tab) => [tab, ...tab.framesApart]);
    await Promise.allSettled(pages.map(({ session }) => applyNetwork(session, on)));
  }

  // The foreground.

  #recentsChanged(): void {
    this.#pagesChanged();
    if (this.#foreground.front === "recents") this.#foreground.present();
  }

  async #home(): Promise<SystemView> {
    const files = await listFiles(this.#storage, this.id);
    return {
      screen: "home",
      apps: this.#memory.record.apps.map(({ name, icon }) => ({ name, icon })),
      files: files.slice(0, MAX_LISTED_FILES).map(({ name, bytes }) => ({ name, bytes })),
      note: this.#controls.note,
    };
  }

  #switched(): void {
    this.#input.release();
    this.#keyboardIs(this.#foreground.tab?.keyboardOpen === true);
  }

  #keyboardIs(open: boolean): void {
    if (open === this.#keyboard) return;
    this.#keyboard = open;
    this.#emit({ type: "keyboard", phoneId: this.id, open });
  }

  #downloaded(frame: string): void {
    // A window that was opened only to download has nothing to show; one that another page's download finds opening has.
    const front = this.#foreground.front;
    if (
      typeof front !== "string" &&
      front.frameId === frame &&
      front.openerId === undefined &&
      (front.url === "" || front.url === "about:blank")
    ) {
      this.warm.tabs.close(front);
    } else this.#foreground.present();
  }

  #toClipboard(value: string): void {
    this.clipboard = value.slice(0, MAX_CLIPBOARD_LENGTH);
    this.#emit({ type: "clipboard", phoneId: this.id, value: this.clipboard });
  }

  /** Something changed that recents list, or that decides which pages may rest. */
  #pagesChanged(): void {
    if (this.#closing) return;
    this.#rest.review();
    // A start that fails half-way leaves what the phone had.
    if (this.#started) this.#remember();
  }

  #remember(): void {
    const pages = this.warm.tabs.recents.flatMap(({ url, title }) => {
      const lasting = lastingUrl(url);
      return lasting === undefined ? [] : [{ url: lasting, title }];
    });
    const place = this.#controls.place;
    this.#memory.remember(place === undefined ? undefined : lastingUrl(place.address), pages);
  }

  /** Turns the browser's going away into words. */
  async #gone<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CdpError)) throw error;
      throw new PerchError("phone_unavailable", "The phone did not answer. Try again.", { cause: error });
    }
  }
}
