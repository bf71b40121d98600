/**
 * Pointers and screenshots take turns. While Chromium captures an emulated phone in device pixels it draws the page at
 * another scale, and a touch handled meanwhile lands at a fraction of where it was aimed (headless shell 153 at two
 * device pixels per CSS pixel: at half; held by `driver.test.ts`).
 */
export class Captures {
  #capturing: Promise<void> | undefined;
  #pointers = 0;
  #waiting: (() => void)[] = [];

  /** The capture to wait for before a touch may be sent; it never rejects. Undefined: none is under way. */
  get underWay(): Promise<void> | undefined {
    return this.#capturing;
  }

  /** A finger is down, or the wheel turns, until the returned function is called; more calls of it do nothing. */
  hold(): () => void {
    this.#pointers += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#pointers -= 1;
      if (this.#pointers === 0) for (const go of this.#waiting.splice(0)) go();
    };
  }

  /** Captures once fingers are lifted, or after `patienceMs` in any case. One capture at a time. */
  async take<T>(capture: () => Promise<T>, patienceMs?: number): Promise<T> {
    let patient = true;
    for (;;) {
      if (this.#capturing !== undefined) await this.#capturing;
      else if (this.#pointers > 0 && patient) patient = await this.#lifted(patienceMs);
      else break;
    }
    const taken = capture();
    const ended = () => {
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
