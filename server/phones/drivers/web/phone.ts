/** One running web phone: what is in the foreground, where input goes, what the person answers, what is remembered. */
import { randomBytes } from "node:crypto";
import type { PhoneId } from "../../../../shared/ids.ts";
import { MAX_CLIPBOARD_LENGTH } from "../../../../shared/screen-protocol.ts";
import type { Clock } from "../../../clock.ts";
import { PerchError } from "../../../errors.ts";
import type { DriverEvent, PhoneInput, PhoneSpec, UiNode } from "../../driver.ts";
import { CdpError, type CdpSession } from "./cdp.ts";
import { checkedUrl } from "./documents.ts";
import { Downloads, filePath, listFiles } from "./downloads.ts";
import { applyPhone, applySize, grantedPermissions, screenSize } from "./emulation.ts";
import { Foreground, type Front } from "./foreground.ts";
import { Gestures } from "./gestures.ts";
import { InputSender, isSystemKey, type SystemKey } from "./input.ts";
import { PhoneMemory } from "./memory.ts";
import { Screencast } from "./screencast.ts";
import type { PhoneRecord, WebPhoneStorage } from "./storage.ts";
import type { Tab } from "./tab.ts";
import type { TabsHost } from "./tabs.ts";
import { screenTree } from "./ui-tree.ts";
import type { SystemAction, SystemView } from "./views.ts";
import type { WarmBrowser } from "./warm.ts";
import { readWebApp } from "./web-apps.ts";

/** A page that has not handled a touch after this long is said not to respond. */
const HANG_MS = 5_000;
/** Typing and screenshots wait this long for a finger to be lifted. */
const PATIENCE_MS = 1_000;
const MAX_APPS = 60;
const MAX_LISTED_FILES = 50;

export interface WebPhoneOptions {
  readonly warm: WarmBrowser;
  readonly spec: PhoneSpec;
  readonly record: PhoneRecord;
  readonly storage: WebPhoneStorage;
  readonly clock: Clock;
  readonly diskBytes: number;
  emit(event: DriverEvent): void;
}

export class WebPhone implements TabsHost {
  readonly id: PhoneId;
  readonly warm: WarmBrowser;
  readonly screen: Screencast;
  readonly clock: Clock;
  readonly version: string;
  /** Name of the event by which pages' scripts tell the agent what they copied. */
  readonly channel = randomBytes(12).toString("hex");
  /** Bytes on disk when last looked. */
  usedBytes = 0;
  clipboard = "";
  readonly #storage: WebPhoneStorage;
  readonly #emit: (event: DriverEvent) => void;
  readonly #gestures = new Gestures();
  readonly #input = new InputSender(this.#gestures);
  readonly #downloads: Downloads;
  readonly #diskBytes: number;
  readonly #quotaSet = new Set<string>();
  #spec: PhoneSpec;
  readonly #memory: PhoneMemory;
  readonly #foreground: Foreground;
  #beforeRecents: Front = "home";
  #note = "";
  #keyboard = false;
  #turn: Promise<void> = Promise.resolve();
  #left: (() => void)[] = [];
  #closing = false;

  constructor(options: WebPhoneOptions) {
    const { warm, spec } = options;
    this.id = spec.id;
    this.warm = warm;
    this.version = warm.browser.version;
    this.clock = options.clock;
    this.#spec = spec;
    this.#memory = new PhoneMemory(spec.id, options.storage, options.record);
    this.#storage = options.storage;
    this.#emit = options.emit;
    this.#diskBytes = options.diskBytes;
    this.screen = new Screencast(options.clock, this.#gestures, () => screenSize(this.#spec));
    this.#foreground = new Foreground({
      system: warm.system,
      screen: this.screen,
      tabs: warm.tabs,
      home: () => this.#home(),
      fileNames: async () => (await listFiles(this.#storage, this.id)).map((file) => file.name),
      switched: () => this.#switched(),
    });
    this.#downloads = new Downloads(warm.process.cdp.browser, {
      folder: options.storage.filesFolder(spec.id),
      room: () => this.#diskBytes - this.usedBytes,
      changed: (note, frame) => {
        this.#note = note;
        this.#downloaded(frame);
      },
    });
    warm.tabs.adopt(this);
    warm.system.onAction((action) => {
      this.#act(action).catch(() => undefined);
    });
  }

  /** Resolves when the phone shows something and takes input. */
  async start(url: string | undefined): Promise<void> {
    const { browser } = this.warm.process.cdp;
    await Promise.all([
      applyPhone(this.warm.system.session, this.#spec, this.version, true),
      browser.send("Browser.grantPermissions", { permissions: grantedPermissions(this.#spec) }),
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
    const open = url ?? this.#memory.record.open;
    if (open === undefined) await this.#goHome();
    else await this.openUrl(open);
  }

  spec(): PhoneSpec {
    return this.#spec;
  }

  /** @throws PerchError `address_not_allowed` */
  async openUrl(address: string): Promise<void> {
    const url = checkedUrl(address);
    const tab = await this.#gone(() => this.warm.tabs.create());
    if (url !== "about:blank") tab.navigate(url);
    await this.#foreground.show(tab);
    this.#remember(url);
  }

  /** Input is handled in the order of the calls; settles when the page has taken this one in. */
  input(input: PhoneInput): Promise<void> {
    const started = this.#turn.then(() => this.#dispatch(input));
    this.#turn = started.then(
      ({ barrier }) => barrier,
      () => undefined,
    );
    return started.then(({ done }) => done);
  }

  async rotate(): Promise<{ rotated: boolean; width: number; height: number }> {
    this.#spec = { ...this.#spec, rotated: !this.#spec.rotated };
    this.#input.release();
    await this.#gone(() =>
      Promise.all([
        applySize(this.warm.system.session, this.#spec),
        ...this.warm.tabs.list.map((tab) => applySize(tab.session, this.#spec)),
      ]),
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
    await this.#gone(async () => {
      await this.warm.process.cdp.browser.send("Browser.grantPermissions", { permissions: grantedPermissions(spec) });
      await applyPhone(this.warm.system.session, spec, this.version, true);
      for (const tab of this.warm.tabs.list) await tab.configure();
    });
    this.screen.refresh();
    if (turned) this.#emit({ type: "resized", phoneId: this.id, ...screenSize(spec) });
  }

  async screenshot(): Promise<{ png: Uint8Array; width: number; height: number }> {
    await this.#foreground.settled();
    const { session } = this.#foreground;
    const { data } = await this.#gone(() =>
      this.#gestures.capture(session, () => session.send("Page.captureScreenshot", { format: "png" }), PATIENCE_MS),
    );
    const png = Buffer.from(data, "base64");
    // IHDR is the first chunk of every PNG: width and height are its first eight bytes.
    return { png, width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
  }

  async tree(): Promise<UiNode> {
    for (;;) {
      await this.#foreground.settled();
      const tree = this.#gone(() => screenTree(this.#foreground.tab, this.warm.system.session, this.channel));
      // A page that opens a dialog or hangs meanwhile never answers; what covers it then does.
      const seen = await this.#unlessLeft(tree);
      if (seen !== undefined) return seen;
    }
  }

  async installWebApp(address: string): Promise<{ name: string }> {
    const url = checkedUrl(address);
    const open = this.warm.tabs.list.find((tab) => tab.url === url && tab.problem === undefined);
    const tab = open ?? (await this.#gone(() => this.warm.tabs.create()));
    try {
      if (open === undefined) tab.navigate(url);
      const app = await this.#gone(() => readWebApp(tab));
      const others = this.#memory.record.apps.filter((other) => other.url !== app.url);
      await this.#memory.save({ ...this.#memory.record, apps: [...others, app].slice(-MAX_APPS) });
      this.#foreground.present();
      return { name: app.name };
    } finally {
      if (open === undefined) this.warm.tabs.close(tab);
    }
  }

  /** Writes down what the browser would forget, and closes it. */
  async close(): Promise<void> {
    this.#closing = true;
    const { process, egress } = this.warm;
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
    if (tab === this.#foreground.front || this.#foreground.front === "recents") this.#foreground.present();
  }
  navigated(tab: Tab): void {
    if (tab === this.#foreground.front && tab.problem?.kind !== "refused") this.#remember(tab.url);
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
  }
  closed(tab: Tab): void {
    if (tab !== this.#foreground.front) {
      this.changed(tab);
      return;
    }
    const opener = tab.openerId === undefined ? undefined : this.warm.tabs.find(tab.openerId);
    const next = opener === undefined ? this.#goHome() : this.#foreground.show(opener);
    next.catch(() => undefined);
  }

  // The foreground.

  async #goHome(): Promise<void> {
    this.#remember(undefined);
    await this.#foreground.show("home");
  }

  async #home(): Promise<SystemView> {
    const files = await listFiles(this.#storage, this.id);
    return {
      screen: "home",
      apps: this.#memory.record.apps.map(({ name, icon }) => ({ name, icon })),
      files: files.slice(0, MAX_LISTED_FILES).map(({ name, bytes }) => ({ name, bytes })),
      note: this.#note,
    };
  }

  #switched(): void {
    this.#input.release();
    for (const leave of this.#left.splice(0)) leave();
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

  // Input.

  async #dispatch(input: PhoneInput): Promise<{ done: Promise<void>; barrier: Promise<void> | undefined }> {
    if (input.type === "key" && isSystemKey(input.name)) {
      const done = this.#systemKey(input.name);
      return { done, barrier: done.catch(() => undefined) };
    }
    await this.#foreground.settled();
    if (input.type === "touch" || input.type === "wheel") {
      while (this.#gestures.capturing !== undefined) await this.#gestures.capturing;
    } else if (!this.#input.touching) await this.#gestures.settled(this.#foreground.session, PATIENCE_MS);
    this.screen.letGo();
    const session = this.#foreground.session;
    const tab = this.#foreground.tab;
    if (tab !== undefined) tab.lastInputAt = this.clock.now();
    const sent = this.#input.send(session, screenSize(this.#spec), input).catch((error: unknown) => {
      // The page went away under the finger, or never answered: the latter is told on the screen.
      if (!(error instanceof CdpError) || error.kind === "refused") throw error;
    });
    return { done: this.#handled(sent, tab), barrier: undefined };
  }

  /** Settles when the page has handled it, or something else came to the foreground (a dialog, say). */
  #handled(sent: Promise<void>, tab: Tab | undefined): Promise<void> {
    const hang = setTimeout(() => {
      if (tab !== undefined && tab === this.#foreground.tab) tab.setProblem({ kind: "hung" });
    }, HANG_MS);
    const settled = sent.finally(() => {
      clearTimeout(hang);
      if (tab?.problem?.kind === "hung") tab.setProblem(undefined);
    });
    return this.#unlessLeft(settled).then(() => undefined);
  }

  /** The work's result, or undefined as soon as something else comes to the foreground. */
  #unlessLeft<T>(work: Promise<T>): Promise<T | undefined> {
    let leave: () => void = () => undefined;
    const left = new Promise<undefined>((resolve) => {
      leave = () => resolve(undefined);
      this.#left.push(leave);
    });
    return Promise.race([work, left]).finally(() => {
      work.catch(() => undefined);
      this.#left = this.#left.filter((other) => other !== leave);
    });
  }

  async #systemKey(key: SystemKey): Promise<void> {
    await this.#foreground.settled();
    const front = this.#foreground.front;
    this.#note = "";
    if (key === "Home") return this.#goHome();
    if (key === "AppSwitch") {
      if (front === "recents") return this.#act({ type: "cancel" });
      this.#beforeRecents = front;
      await Promise.all(this.warm.tabs.list.map((tab) => tab.refreshTitle()));
      return this.#foreground.show("recents");
    }
    if (typeof front === "string") {
      if (key === "Back") await this.#act({ type: "cancel" });
      return;
    }
    front.lastInputAt = this.clock.now();
    if (key === "Reload") {
      if (front.sheet === undefined) front.reload();
    } else if (front.problem?.kind === "hung") await this.#act({ type: "problem", action: "wait" });
    else if (front.sheet !== undefined) front.cancelSheet();
    else if (!(await front.back())) this.warm.tabs.close(front);
    await this.#foreground.settled();
  }

  // Answers given on the phone's own page.

  async #act(action: SystemAction): Promise<void> {
    const front = this.#foreground.front;
    switch (action.type) {
      case "keyboard":
        if (this.#foreground.session === this.warm.system.session) this.#keyboardIs(action.open);
        return;
      case "copied":
        if (action.value !== "") this.#toClipboard(action.value);
        return;
      case "open":
        return this.#openTyped(action.text);
      case "app": {
        const app = this.#memory.record.apps[action.index];
        return app === undefined ? undefined : this.openUrl(app.url);
      }
      case "removeApp":
        await this.#memory.save({
          ...this.#memory.record,
          apps: this.#memory.record.apps.filter((_, index) => index !== action.index),
        });
        return this.#foreground.present();
      case "tab": {
        const tab = this.warm.tabs.find(action.id);
        return tab === undefined ? this.#foreground.present() : this.#foreground.show(tab);
      }
      case "closeTab": {
        const tab = this.warm.tabs.find(action.id);
        if (tab !== undefined) this.warm.tabs.close(tab);
        return;
      }
      case "cancel":
        if (front === "recents") {
          const before = this.#beforeRecents;
          const gone = typeof before === "string" || this.warm.tabs.find(before.id) === undefined;
          return this.#foreground.show(gone ? "home" : before);
        }
        if (typeof front !== "string") front.cancelSheet();
        return;
      default:
        if (typeof front !== "string") await this.#answer(front, action);
    }
  }

  async #answer(
    tab: Tab,
    action: Extract<SystemAction, { type: "problem" | "dialog" | "choose" | "value" | "files" }>,
  ): Promise<void> {
    switch (action.type) {
      case "problem":
        if (action.action === "reload") tab.reload();
        else if (action.action === "close") this.warm.tabs.close(tab);
        else tab.setProblem(undefined);
        return;
      case "dialog":
        tab.answerDialog(action.accept, action.text, action.silence);
        return;
      case "choose":
        return tab.answerControl({ index: action.index });
      case "value":
        return tab.answerControl({ value: action.value });
      case "files":
        return tab.answerFiles(action.names.map((name) => filePath(this.#storage, this.id, name)));
    }
  }

  async #openTyped(text: string): Promise<void> {
    try {
      await this.openUrl(text);
      this.#note = "";
    } catch (error) {
      if (!(error instanceof PerchError)) throw error;
      this.#note = text.trim() === "" ? "Write an address to open." : error.message;
      await this.#foreground.present();
    }
  }

  #toClipboard(value: string): void {
    this.clipboard = value.slice(0, MAX_CLIPBOARD_LENGTH);
    this.#emit({ type: "clipboard", phoneId: this.id, value: this.clipboard });
  }

  #remember(open: string | undefined): void {
    if (!this.#closing) this.#memory.remember(open);
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
