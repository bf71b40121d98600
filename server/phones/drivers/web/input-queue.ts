/** A person's input in the order it came: keys of the phone itself, and what the page in the foreground gets. */
import type { Clock } from "../../../clock.ts";
import type { PhoneInput } from "../../driver.ts";
import { CdpError } from "./cdp.ts";
import type { Foreground } from "./foreground.ts";
import type { Gestures } from "./gestures.ts";
import { InputSender, isAboutPage, isSystemKey, type SystemKey } from "./input.ts";
import type { Screencast } from "./screencast.ts";
import type { Tab } from "./tab.ts";

/** A page that has not handled a touch after this long is said not to respond. */
const HANG_MS = 5_000;
/** What is typed waits this long for a page to have handled the tap before it. */
const PATIENCE_MS = 1_000;

export interface InputQueueOptions {
  readonly clock: Clock;
  readonly gestures: Gestures;
  readonly foreground: Foreground;
  readonly screen: Screencast;
  /** Of the screen, in CSS pixels. */
  size(): { width: number; height: number };
  press(key: SystemKey): Promise<void>;
}

export class InputQueue {
  readonly #options: InputQueueOptions;
  readonly #sender: InputSender;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: InputQueueOptions) {
    this.#options = options;
    this.#sender = new InputSender(options.gestures);
  }

  /** Settles when the page has taken this one in. */
  take(input: PhoneInput): Promise<void> {
    const started = this.#turn.then(() => this.#dispatch(input));
    this.#turn = started.then(
      ({ barrier }) => barrier,
      () => undefined,
    );
    return started.then(({ done }) => done);
  }

  /** Lifts all fingers without a tap. */
  release(): void {
    this.#sender.release();
  }

  async #dispatch(input: PhoneInput): Promise<{ done: Promise<void>; barrier: Promise<void> | undefined }> {
    const { foreground, gestures, screen, clock } = this.#options;
    if (input.type === "key" && isSystemKey(input.name)) {
      if (isAboutPage(input.name)) {
        // What a tap before it opened (a list, a window) is what the key is for.
        await foreground.settled();
        if (!this.#sender.touching) {
          await foreground.unlessLeft(gestures.settled(foreground.session, PATIENCE_MS));
        }
      }
      const done = this.#options.press(input.name);
      return { done, barrier: done.catch(() => undefined) };
    }
    await foreground.settled();
    if (input.type === "touch" || input.type === "wheel") {
      for (let wait = gestures.capturing(foreground.session); wait !== undefined; ) {
        await wait;
        wait = gestures.capturing(foreground.session);
      }
    } else if (!this.#sender.touching) await gestures.settled(foreground.session, PATIENCE_MS);
    screen.letGo();
    const { session, tab } = foreground;
    if (tab !== undefined) tab.lastInputAt = clock.now();
    const sent = this.#sender.send(session, this.#options.size(), input).catch((error: unknown) => {
      // The page went away under the finger, or never answered: the latter is told on the screen.
      if (!(error instanceof CdpError) || error.kind === "refused") throw error;
    });
    return { done: this.#handled(sent, tab), barrier: undefined };
  }

  /** Settles when the page has handled it, or something else came to the foreground (a dialog, say). */
  #handled(sent: Promise<void>, tab: Tab | undefined): Promise<void> {
    const { foreground } = this.#options;
    const hang = setTimeout(() => {
      if (tab !== undefined && tab === foreground.tab) tab.setProblem({ kind: "hung" });
    }, HANG_MS);
    const settled = sent.finally(() => {
      clearTimeout(hang);
      if (tab?.problem?.kind === "hung") tab.setProblem(undefined);
    });
    return foreground.unlessLeft(settled).then(() => undefined);
  }
}
