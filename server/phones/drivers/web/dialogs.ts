/** A page's dialogs in our words, and how the person stops a page that asks too often. */
import type { Clock } from "../../../clock.ts";
import { hostOf, originOf } from "./documents.ts";
import type { Events } from "./protocol.ts";
import type { SheetView } from "./views.ts";

/** More dialogs than this in the window, and the person is offered to stop them. */
const DIALOGS_BEFORE_OFFER = 3;
const DIALOG_WINDOW_MS = 10_000;

export class Dialogs {
  readonly #clock: Clock;
  #times: number[] = [];
  #silencedOrigin: string | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What to ask the person; undefined: they want no more from there. */
  opened(event: Events["Page.javascriptDialogOpening"]): Extract<SheetView, { kind: "dialog" }> | undefined {
    if (this.#silencedOrigin !== undefined && this.#silencedOrigin === originOf(event.url)) return undefined;
    const now = this.#clock.now();
    this.#times = [...this.#times.filter((at) => now - at < DIALOG_WINDOW_MS), now];
    return {
      kind: "dialog",
      type: event.type,
      host: hostOf(event.url) || "This page",
      message: event.message.slice(0, 2_000),
      defaultText: (event.defaultPrompt ?? "").slice(0, 2_000),
      storm: this.#times.length > DIALOGS_BEFORE_OFFER,
    };
  }

  silence(origin: string): void {
    this.#silencedOrigin = origin;
  }

  /** Another site may ask again. */
  navigated(url: string): void {
    if (this.#silencedOrigin !== undefined && originOf(url) !== this.#silencedOrigin) this.#silencedOrigin = undefined;
  }
}
