import { CdpError, type CdpSession } from "./cdp.ts";

/** A page that computes keeps its touches waiting too, and they come before whatever it does next. */
const CATCH_UP_MS = 500;

/**
 * Pointers and screenshots take turns. While Chromium captures an emulated phone in device pixels it draws the page at
 * another scale, and a touch handled meanwhile lands at a fraction of where it was aimed (headless shell 153 at two
 * device pixels per CSS pixel: at half; held by `driver.test.ts`).
 */
export class Captures {
  #capturing: Promise<void> | undefined;
  #pointers = 0;
  #gestures = 0;
  #waiting: (() => void)[] = [];

  /** The capture to wait for before a touch may be sent; it never rejects. Undefined: none is under way. */
  get underWay(): Promise<void> | undefined {
    return this.#capturing;
  }

  /** A finger is down, or the wheel turns, until the returned function is called; more calls of it do nothing. */
  hold(): () => void {
    this.#pointers += 1;
    this.#gestures += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#pointers -= 1;
      if (this.#pointers === 0) for (const go of this.#waiting.splice(0)) go();
    };
  }

  /** Captures the page once fingers are lifted, or after `patienceMs` in any case. One capture at a time. */
  async take<T>(session: CdpSession, capture: () => Promise<T>, patienceMs?: number): Promise<T> {
    let patient = true;
    for (;;) {
      if (this.#capturing !== undefined) await this.#capturing;
      else if (this.#pointers > 0 && patient) patient = await this.#lifted(patienceMs);
      else {
        const before = this.#gestures;
        // A finger is lifted before the page has made a click of it.
        await caughtUp(session);
        if (this.#capturing === undefined && (this.#gestures === before || !patient)) break;
      }
    }
    const taken = capture();
    const ended = async () => {
      // The browser answers before the page is back at its own scale.
      await caughtUp(session);
      this.#capturing = undefined;
    };
    this.#capturing = taken.then(ended, ended);
    return taken;
  }

  /** False when the time was over before. */
  #lifted(withinMs: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = withinMs === undefined ? undefined : setTimeout(() => resolve(false), withinMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve(true);
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
