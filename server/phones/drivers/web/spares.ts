/** Keeps one started browser ready, so that a new phone is there at once. */
import { PerchError } from "../../../errors.ts";
import type { WarmBrowser } from "./warm.ts";

/** A new spare is started only when the launch that took the last one is surely over. */
const REFILL_AFTER_MS = 1_500;
const RETRY_AFTER_MS = 60_000;

export interface SparesOptions {
  readonly warmUp: () => Promise<WarmBrowser>;
  /** Ends a spare and deletes its profile. */
  readonly discard: (warm: WarmBrowser) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

export class Spares {
  readonly #options: SparesOptions;
  readonly #wanted: boolean;
  #ready: WarmBrowser | undefined;
  #making: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(wanted: number, options: SparesOptions) {
    this.#wanted = wanted > 0;
    this.#options = options;
  }

  get ready(): boolean {
    return this.#ready !== undefined;
  }

  /** The spare, if one is ready; another is made a little later. */
  take(): WarmBrowser | undefined {
    const taken = this.#ready?.process.gone === true ? undefined : this.#ready;
    this.#ready = undefined;
    this.refill(REFILL_AFTER_MS);
    return taken;
  }

  /** Makes a spare after a while, if none is there. */
  refill(afterMs: number): void {
    if (!this.#wanted || this.#closed || this.#ready !== undefined || this.#making !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#making = this.#make().finally(() => {
        this.#making = undefined;
      });
    }, afterMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#making;
    const last = this.#ready;
    this.#ready = undefined;
    if (last !== undefined) await this.#options.discard(last);
  }

  async #make(): Promise<void> {
    try {
      const warm = await this.#options.warmUp();
      if (this.#closed) {
        await this.#options.discard(warm);
        return;
      }
      this.#ready = warm;
      warm.process.exited
        .then(async () => {
          if (this.#ready !== warm) return;
          this.#ready = undefined;
          await this.#options.discard(warm);
          this.refill(REFILL_AFTER_MS);
        })
        .catch(this.#options.failed);
    } catch (error) {
      this.#options.failed(error);
      // A missing browser does not come by itself; a busy machine gets another chance.
      if (!(error instanceof PerchError)) return;
      this.#timer = setTimeout(() => this.refill(0), RETRY_AFTER_MS);
      this.#timer.unref();
    }
  }
}
