/**
 * Touches take their turn with what else happens to a page. The browser answers a touch before the page has made a
 * click of it, and takes other commands meanwhile, so:
 *
 * - Text typed right after a tap would go where the caret was before it. It waits for the tap.
 * - While Chromium captures an emulated phone in device pixels it draws the page at another scale, and a touch handled
 *   meanwhile lands at a fraction of where it was aimed (headless shell 153 at two device pixels per CSS pixel: at
 *   half). Captures wait for fingers to be lifted, fingers for captures to end.
 */
import { CdpError, type CdpSession } from "./cdp.ts";

/** A page that computes keeps its touches waiting too, and they come before whatever it does next. */
const CATCH_UP_MS = 500;

export class Gestures {
  /** Of each page, the capture under way: one that is left behind by a dialog may hang and concerns no other page. */
  readonly #capturing = new Map<CdpSession, Promise<void>>();
  #down = 0;
  #begun = 0;
  /** How many had begun when the page was last known to have handled all. */
  #handled = 0;
  #waiting: (() => void)[] = [];

  /** The page's capture to wait for before a touch may be sent to it; never rejects. Undefined: none is under way. */
  capturing(session: CdpSession): Promise<void> | undefined {
    return this.#capturing.get(session);
  }

  /** A finger is down, or the wheel turns, until the returned function is called; more calls of it do nothing. */
  begin(): () => void {
    this.#down += 1;
    this.#begun += 1;
    let down = true;
    return () => {
      if (!down) return;
      down = false;
      this.#down -= 1;
      if (this.#down === 0) for (const go of this.#waiting.splice(0)) go();
    };
  }

  /**
   * Settles when the page has handled every touch so far; at once when there was none since the last time, and after
   * `patienceMs` when a finger is not lifted before.
   */
  async settled(session: CdpSession, patienceMs?: number): Promise<void> {
    const begun = this.#begun;
    if (begun === this.#handled) return;
    if (this.#down > 0) await this.#lifted(patienceMs);
    if (this.#down > 0) return;
    await caughtUp(session);
    this.#handled = Math.max(this.#handled, begun);
  }

  /** Captures the page once fingers are lifted, or after `patienceMs` in any case. One capture of a page at a time. */
  async capture<T>(session: CdpSession, work: () => Promise<T>, patienceMs?: number): Promise<T> {
    let late = false;
    const giveUp = () => {
      late = true;
    };
    const timer = patienceMs === undefined ? undefined : setTimeout(giveUp, patienceMs);
    while (this.#capturing.has(session) || (this.#handled !== this.#begun && !late)) {
      await (this.#capturing.get(session) ?? this.settled(session, patienceMs));
    }
    clearTimeout(timer);
    const taken = work();
    const ended = async () => {
      // The browser answers before the page is back at its own scale.
      await caughtUp(session);
      this.#capturing.delete(session);
    };
    this.#capturing.set(session, taken.then(ended, ended));
    return taken;
  }

  /** Changes the page's size or settings with no capture under way: a capture ends by putting back what it found. */
  async alone<T>(change: () => Promise<T>): Promise<T> {
    while (this.#capturing.size > 0) await Promise.all(this.#capturing.values());
    const end = this.begin();
    return change().finally(end);
  }

  #lifted(withinMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Settles when the page has done what it was told before. */
async function caughtUp(session: CdpSession): Promise<void> {
  await session.send("Runtime.evaluate", { expression: "0" }, CATCH_UP_MS).catch((error: unknown) => {
    if (!(error instanceof CdpError)) throw error;
  });
}
