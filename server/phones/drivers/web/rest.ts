/**
 * Pages that left the foreground rest. Every page is a window of its own to the browser, which draws it whether or not
 * anybody sees it; a page at rest is hidden and frozen (Page Lifecycle API) and costs no processor time.
 *
 * The rule: what a page can notice of another page at rest is only that it answers later.
 * - Pages that reach each other (windows opened by one another, or pages of one origin with its channels, locks and
 *   databases) stay awake while one of them is in the foreground. So an opener hears its child, and no page waits for
 *   a lock that a page at rest holds.
 * - Messages to a page at rest wait in it and are handled, in order, when it wakes; so do its timers and loads.
 * - A page that opens, or that something is asked of, is awake. While a download runs nothing new goes to rest: a page
 *   may be feeding it. A page with a dialog open is stopped anyway, and its dialog is there when it comes back.
 */
import type { Tab } from "./tab.ts";
import type { Tabs } from "./tabs.ts";

/** Long enough to look something up on another page and come back. */
export const REST_AFTER_MS = 10_000;

export interface RestOptions {
  readonly tabs: Tabs;
  /** From leaving the foreground to rest, in milliseconds. */
  readonly afterMs: number;
  /** The page in the foreground, if one is. */
  front(): Tab | undefined;
  downloading(): boolean;
}

export class Rest {
  readonly #options: RestOptions;
  readonly #due = new Map<Tab, NodeJS.Timeout>();
  readonly #asked = new Map<Tab, number>();

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /** To be called after anything changed that decides which pages may rest: wakes at once, lets rest in a while. */
  review(): void {
    const { list } = this.#options.tabs;
    for (const tab of this.#due.keys()) if (!list.includes(tab)) this.#cancel(tab);
    for (const tab of list) {
      if (this.#needed(tab)) {
        this.#cancel(tab);
        tab.wake();
      } else if (!tab.resting && !this.#due.has(tab)) this.#letRest(tab);
    }
  }

  /** Something is asked of the page until the returned function is called, once. */
  hold(tab: Tab): () => void {
    this.#asked.set(tab, (this.#asked.get(tab) ?? 0) + 1);
    this.review();
    return () => {
      const others = (this.#asked.get(tab) ?? 1) - 1;
      if (others > 0) this.#asked.set(tab, others);
      else this.#asked.delete(tab);
      this.review();
    };
  }

  /** Ends for good. */
  close(): void {
    for (const tab of [...this.#due.keys()]) this.#cancel(tab);
  }

  #needed(tab: Tab): boolean {
    if (this.#asked.has(tab) || tab.opening !== undefined) return true;
    const front = this.#options.front();
    return front !== undefined && (front === tab || front.group === tab.group || front.origin === tab.origin);
  }

  #letRest(tab: Tab): void {
    const timer = setTimeout(() => {
      this.#due.delete(tab);
      if (this.#options.downloading()) this.#letRest(tab);
      else tab.rest();
    }, this.#options.afterMs);
    timer.unref();
    this.#due.set(tab, timer);
  }

  #cancel(tab: Tab): void {
    clearTimeout(this.#due.get(tab));
    this.#due.delete(tab);
  }
}
