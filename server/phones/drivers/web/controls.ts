/** What the person does with the phone itself: its keys, and what they answer on the phone's own page. */
import type { Clock } from "../../../clock.ts";
import { PerchError } from "../../../errors.ts";
import type { Foreground, Front } from "./foreground.ts";
import type { SystemKey } from "./input.ts";
import type { PhoneMemory } from "./memory.ts";
import type { Tab } from "./tab.ts";
import type { Tabs } from "./tabs.ts";
import type { SystemAction } from "./views.ts";

export interface ControlsOptions {
  readonly clock: Clock;
  readonly foreground: Foreground;
  readonly memory: PhoneMemory;
  readonly tabs: Tabs;
  /** @throws PerchError `address_not_allowed` */
  openUrl(address: string): Promise<void>;
  /** A page asleep went from recents. */
  forgotten(): void;
  /** Where a saved file is. @throws PerchError `not_found` */
  filePath(name: string): string;
  keyboard(open: boolean): void;
  copied(value: string): void;
}

export class Controls {
  /** A sentence for the home screen about what was tried last. */
  note = "";
  readonly #options: ControlsOptions;
  #beforeRecents: Front = "home";

  constructor(options: ControlsOptions) {
    this.#options = options;
  }

  /** What the person was at: while they look at recents, what they came from. */
  get place(): Tab | undefined {
    const { front } = this.#options.foreground;
    const place = front === "recents" ? this.#beforeRecents : front;
    return typeof place === "string" ? undefined : this.#options.tabs.find(place.id);
  }

  async press(key: SystemKey): Promise<void> {
    const { foreground, tabs, clock } = this.#options;
    await foreground.settled();
    const { front } = foreground;
    this.note = "";
    if (key === "Home") return foreground.show("home");
    if (key === "AppSwitch") {
      if (front === "recents") return this.answer({ type: "cancel" });
      this.#beforeRecents = front;
      await Promise.all(tabs.list.map((tab) => tab.refreshTitle()));
      return foreground.show("recents");
    }
    if (typeof front === "string") {
      if (key === "Back") await this.answer({ type: "cancel" });
      return;
    }
    front.lastInputAt = clock.now();
    if (key === "Reload") {
      if (front.sheet === undefined) front.reload();
    } else if (front.problem?.kind === "hung") await this.answer({ type: "problem", action: "wait" });
    else if (front.sheet !== undefined) front.cancelSheet();
    else if (!(await front.back())) tabs.close(front);
    await foreground.settled();
  }

  async answer(action: SystemAction): Promise<void> {
    const { foreground, memory, tabs } = this.#options;
    const { front } = foreground;
    switch (action.type) {
      case "keyboard":
        if (foreground.own) this.#options.keyboard(action.open);
        return;
      case "copied":
        if (action.value !== "") this.#options.copied(action.value);
        return;
      case "open":
        return this.#openTyped(action.text);
      case "app": {
        const app = memory.record.apps[action.index];
        return app === undefined ? undefined : this.#options.openUrl(app.url);
      }
      case "removeApp":
        await memory.save({
          ...memory.record,
          apps: memory.record.apps.filter((_, index) => index !== action.index),
        });
        return foreground.present();
      case "tab": {
        const tab = tabs.find(action.id) ?? (await tabs.wake(action.id));
        return tab === undefined ? foreground.present() : foreground.show(tab);
      }
      case "closeTab": {
        const tab = tabs.find(action.id);
        if (tab !== undefined) tabs.close(tab);
        else if (tabs.forget(action.id)) this.#options.forgotten();
        return;
      }
      case "cancel":
        if (front === "recents") return foreground.show(this.place ?? "home");
        if (typeof front !== "string") front.cancelSheet();
        return;
      default:
        if (typeof front !== "string") await this.#answerPage(front, action);
    }
  }

  async #answerPage(
    tab: Tab,
    action: Extract<SystemAction, { type: "problem" | "dialog" | "choose" | "value" | "files" }>,
  ): Promise<void> {
    switch (action.type) {
      case "problem":
        if (action.action === "reload") tab.reload();
        else if (action.action === "close") this.#options.tabs.close(tab);
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
        return tab.answerFiles(action.names.map((name) => this.#options.filePath(name)));
    }
  }

  async #openTyped(text: string): Promise<void> {
    try {
      await this.#options.openUrl(text);
      this.note = "";
    } catch (error) {
      if (!(error instanceof PerchError)) throw error;
      this.note = text.trim() === "" ? "Write an address to open." : error.message;
      await this.#options.foreground.present();
    }
  }
}
