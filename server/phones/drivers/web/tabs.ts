/**
 * The phone's pages, most recently used first, and how windows come into being: ours, and pages' own. Pages of before the
 * phone was parked are asleep: they are listed behind the open ones and have no window until the person chooses them.
 */
import type { CdpConnection, CdpSession } from "./cdp.ts";
import { mayShow } from "./documents.ts";
import type { TargetInfo } from "./protocol.ts";
import type { RememberedPage } from "./storage.ts";
import { Tab, type TabHost } from "./tab.ts";

/** Open and asleep. */
const MAX_TABS = 20;
const MAX_TITLE_LENGTH = 200;
const PAGES_ONLY = [{ type: "page" }, { exclude: true }] as const;

interface Attached {
  readonly session: CdpSession;
  readonly info: TargetInfo;
}

/** A page as recents list it. */
export interface RecentPage extends RememberedPage {
  readonly id: string;
}

export interface TabsHost extends TabHost {
  /** A page opened a window of its own. */
  opened(tab: Tab): void;
  closed(tab: Tab): void;
}

export class Tabs {
  readonly #cdp: CdpConnection;
  #host: TabsHost | undefined;
  #list: Tab[] = [];
  #asleep: readonly RecentPage[] = [];
  readonly #attached = new Map<string, Attached>();
  readonly #waiting = new Map<string, (attached: Attached) => void>();
  readonly #creating = new Set<Promise<unknown>>();
  readonly #ours = new Set<string>();

  constructor(cdp: CdpConnection) {
    this.#cdp = cdp;
    const { browser } = cdp;
    browser.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      this.#arrived({ session: cdp.session(sessionId), info: targetInfo }).catch(() => undefined);
    });
    browser.on("Target.detachedFromTarget", ({ sessionId }) => cdp.forget(sessionId));
    browser.on("Target.targetInfoChanged", ({ targetInfo }) => this.#informed(targetInfo));
    browser.on("Target.targetDestroyed", ({ targetId }) => this.#destroyed(targetId));
    browser.on("Target.targetCrashed", ({ targetId }) => this.find(targetId)?.setProblem({ kind: "crashed" }));
  }

  /** Begins to take in windows. */
  async start(): Promise<void> {
    await Promise.all([
      this.#cdp.browser.send("Target.setDiscoverTargets", { discover: true, filter: PAGES_ONLY }),
      this.#cdp.browser.send("Target.setAutoAttach", {
        autoAttach: true,
        waitForDebuggerOnStart: true,
        flatten: true,
        filter: PAGES_ONLY,
      }),
    ]);
  }

  /** From here on windows belong to this phone, which had these pages, most recently used first. */
  adopt(host: TabsHost, pages: readonly RememberedPage[]): void {
    this.#host = host;
    this.#asleep = pages.slice(0, MAX_TABS).map((page, index) => ({ ...page, id: `asleep-${index}` }));
  }

  get list(): readonly Tab[] {
    return this.#list;
  }

  /** Open pages and those asleep. */
  get recents(): readonly RecentPage[] {
    const open = this.#list.map((tab) => ({
      id: tab.id,
      url: tab.address,
      title: tab.title.slice(0, MAX_TITLE_LENGTH),
    }));
    return [...open, ...this.#asleep];
  }

  find(id: string): Tab | undefined {
    return this.#list.find((tab) => tab.id === id);
  }

  /** A paused empty window that is none of the person's tabs. */
  async createWindow(): Promise<Attached> {
    const created = this.#cdp.browser.send("Target.createTarget", { url: "about:blank" }).then(async ({ targetId }) => {
      this.#ours.add(targetId);
      const here = this.#attached.get(targetId);
      if (here !== undefined) return here;
      return new Promise<Attached>((resolve) => this.#waiting.set(targetId, resolve));
    });
    this.#creating.add(created);
    try {
      return await created;
    } finally {
      this.#creating.delete(created);
    }
  }

  /** A new empty tab in front of the others; the least recently used one goes when there are too many. */
  async create(): Promise<Tab> {
    const { session, info } = await this.createWindow();
    return this.#add(session, info);
  }

  /** Opens a page that is asleep; undefined when there is none of this id. */
  async wake(id: string): Promise<Tab | undefined> {
    const page = this.#asleep.find((one) => one.id === id);
    if (page === undefined) return undefined;
    this.forget(id);
    const tab = await this.create();
    tab.title = page.title;
    tab.navigate(page.url);
    return tab;
  }

  /** Drops a page that is asleep; false when there is none of this id. */
  forget(id: string): boolean {
    const before = this.#asleep.length;
    this.#asleep = this.#asleep.filter((page) => page.id !== id);
    return this.#asleep.length < before;
  }

  touch(tab: Tab): void {
    this.#list = [tab, ...this.#list.filter((other) => other !== tab)];
  }

  close(tab: Tab): void {
    this.#cdp.browser.tell("Target.closeTarget", { targetId: tab.id });
    this.#destroyed(tab.id);
  }

  async #add(session: CdpSession, info: TargetInfo, opener?: Tab): Promise<Tab> {
    if (this.#host === undefined) throw new Error("No phone has adopted these tabs");
    const tab = new Tab(session, info, this.#host, opener);
    if (this.#list.length + this.#asleep.length >= MAX_TABS) {
      const oldest = this.#list.at(-1);
      if (this.#asleep.length > 0) this.#asleep = this.#asleep.slice(0, -1);
      else if (oldest !== undefined) this.close(oldest);
    }
    this.#list = [tab, ...this.#list];
    await tab.prepare();
    return tab;
  }

  async #arrived(attached: Attached): Promise<void> {
    const { session, info } = attached;
    this.#attached.set(info.targetId, attached);
    this.#waiting.get(info.targetId)?.(attached);
    this.#waiting.delete(info.targetId);
    // Until our own requests are answered, a window without an opener may be ours.
    if (info.openerId === undefined) await Promise.allSettled([...this.#creating]);
    if (this.#ours.has(info.targetId)) return;
    const opener = info.openerId === undefined ? this.#list[0] : this.find(info.openerId);
    // Windows nobody asked for stay shut: no pop-ups without a touch or key press just before.
    if (this.#host === undefined || opener === undefined || !opener.personWasHere || !mayShow(info.url)) {
      this.#cdp.browser.tell("Target.closeTarget", { targetId: info.targetId });
      // A paused window closes only when it runs.
      session.tell("Runtime.runIfWaitingForDebugger", {});
      return;
    }
    // One press, one window.
    opener.lastInputAt = Number.NEGATIVE_INFINITY;
    const tab = await this.#add(session, info, opener);
    this.#host.opened(tab);
  }

  #informed(info: TargetInfo): void {
    const tab = this.find(info.targetId);
    // What Chromium makes of a window for an address no page may open.
    if (tab?.openerId !== undefined && info.url === "about:blank#blocked") this.close(tab);
  }

  #destroyed(targetId: string): void {
    this.#attached.delete(targetId);
    this.#ours.delete(targetId);
    const tab = this.find(targetId);
    if (tab === undefined) return;
    this.#list = this.#list.filter((other) => other !== tab);
    this.#host?.closed(tab);
  }
}
