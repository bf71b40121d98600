/** What is on the phone's screen: a page, or the phone's own page with the home screen, recents, a question or a problem. */
import { CdpError, type CdpSession } from "./cdp.ts";
import { hostOf } from "./documents.ts";
import type { Gestures } from "./gestures.ts";
import { problemView } from "./problem-words.ts";
import type { Screencast } from "./screencast.ts";
import type { SystemScreen } from "./system-screen.ts";
import type { Tab } from "./tab.ts";
import type { Tabs } from "./tabs.ts";
import type { SystemView } from "./views.ts";

const BACKDROP_TIMEOUT_MS = 400;
/** The finger whose touch brought up the question is being lifted; one that stays down is not waited for. */
const BACKDROP_PATIENCE_MS = 100;

export type Front = "home" | "recents" | Tab;

export interface ForegroundOptions {
  readonly system: SystemScreen;
  readonly screen: Screencast;
  readonly gestures: Gestures;
  readonly tabs: Tabs;
  home(): Promise<SystemView>;
  fileNames(): Promise<readonly string[]>;
  /** Something else is to be on the screen; it is not there yet. */
  chosen(): void;
  /** Another page (or the phone's own) is on the screen now. */
  switched(): void;
}

export class Foreground {
  readonly #options: ForegroundOptions;
  #front: Front = "home";
  #session: CdpSession;
  #working: Promise<void> | undefined;
  #again = false;
  #left: (() => void)[] = [];
  /** The page as it was before its questions: the first one's picture serves those that follow. */
  #backdrop: { tab: Tab; picture: string } | undefined;

  constructor(options: ForegroundOptions) {
    this.#options = options;
    this.#session = options.system.session;
  }

  get front(): Front {
    return this.#front;
  }

  /** Where input goes. */
  get session(): CdpSession {
    return this.#session;
  }

  /** The phone's own page is on the screen now. */
  get own(): boolean {
    return this.#session === this.#options.system.session;
  }

  /** The tab whose own picture is on the screen now. */
  get tab(): Tab | undefined {
    const front = this.#front;
    return typeof front === "string" || front.session !== this.#session ? undefined : front;
  }

  show(front: Front): Promise<void> {
    this.#front = front;
    if (typeof front !== "string") this.#options.tabs.touch(front);
    this.#options.chosen();
    return this.present();
  }

  /** Settles when what should be on the screen is there. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** The work's result, or undefined as soon as something else comes to the foreground. */
  unlessLeft<T>(work: Promise<T>): Promise<T | undefined> {
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

  /** Pictures behind questions are of another size now. */
  turned(): Promise<void> {
    this.#backdrop = undefined;
    return this.present();
  }

  /** Looks what should be on the screen and brings it there; asked while at it, it looks again. */
  present(): Promise<void> {
    this.#again = true;
    this.#working ??= this.#work();
    return this.#working;
  }

  async #work(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await this.#bring();
      }
    } catch (error) {
      // The browser went away; its end is told elsewhere.
      if (!(error instanceof CdpError)) throw error;
    } finally {
      // In the same breath as the last look, so that nothing asked for in between is lost.
      this.#working = undefined;
    }
  }

  async #bring(): Promise<void> {
    const view = await this.#view();
    const { system, screen } = this.#options;
    if (view === undefined) system.leave();
    else await system.show(view);
    if (view?.screen !== "sheet") this.#backdrop = undefined;
    const front = this.#front;
    const session = view === undefined && typeof front !== "string" ? front.session : system.session;
    if (session !== this.#session) {
      this.#session = session;
      session.tell("Page.bringToFront", {});
      for (const leave of this.#left.splice(0)) leave();
      this.#options.switched();
    }
    screen.follow(session);
  }

  /** What the phone itself has to show; undefined: the page. */
  async #view(): Promise<SystemView | undefined> {
    const front = this.#front;
    if (front === "home") return this.#options.home();
    if (front === "recents") {
      const tabs = this.#options.tabs.recents.map(({ id, url, title }) => ({
        id,
        title: title || hostOf(url) || "Empty page",
        host: hostOf(url),
      }));
      return { screen: "recents", tabs };
    }
    if (front.problem !== undefined) return problemView(front.problem, front.url);
    if (front.sheet !== undefined) {
      const { view } = front.sheet;
      const backdrop = await this.#backdropOf(front);
      if (view.kind !== "files") return { screen: "sheet", sheet: view, backdrop };
      return { screen: "sheet", sheet: { ...view, names: await this.#options.fileNames() }, backdrop };
    }
    const nothingYet = front.url === "" || front.url === "about:blank";
    return front.opening !== undefined && nothingYet ? { screen: "opening", host: hostOf(front.opening) } : undefined;
  }

  async #backdropOf(tab: Tab): Promise<string> {
    if (this.#backdrop?.tab === tab) return this.#backdrop.picture;
    const { sheet } = tab;
    const seen = this.#options.screen.lastPicture(tab.session)?.toString("base64");
    // A page waiting for a dialog's answer draws nothing.
    const data = seen ?? (sheet?.view.kind === "dialog" ? undefined : await this.#capture(tab.session));
    const picture = data === undefined ? "" : `data:image/jpeg;base64,${data}`;
    this.#backdrop = { tab, picture };
    return picture;
  }

  #capture(session: CdpSession): Promise<string | undefined> {
    const wanted = { format: "jpeg", quality: 40, optimizeForSpeed: true } as const;
    const work = () =>
      session.send("Page.captureScreenshot", wanted, BACKDROP_TIMEOUT_MS).then(
        (answer) => answer.data,
        () => undefined,
      );
    return this.#options.gestures.capture(session, work, BACKDROP_PATIENCE_MS);
  }
}
