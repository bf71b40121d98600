/** What a running phone remembers on disk, written one record after the other. */
import { isDeepStrictEqual } from "node:util";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { PhoneRecord, RememberedPage, WebPhoneStorage } from "./storage.ts";

/** A page that loads or closes changes several things at once, and one that rewrites its address never stops. */
const BETWEEN_WRITES_MS = 1_000;

export class PhoneMemory {
  readonly #id: PhoneId;
  readonly #storage: WebPhoneStorage;
  #record: PhoneRecord;
  #written: PhoneRecord;
  /** While it runs, what changes waits for its end. */
  #pause: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(id: PhoneId, storage: WebPhoneStorage, record: PhoneRecord) {
    this.#id = id;
    this.#storage = storage;
    this.#record = record;
    this.#written = record;
  }

  get record(): PhoneRecord {
    return this.#record;
  }

  /**
   * The address in the foreground (undefined: the home screen) and the pages in recents. Written at once, then at most
   * once a second; a failed write is made good by the next.
   */
  remember(open: string | undefined, pages: readonly RememberedPage[]): void {
    const { open: _, ...rest } = this.#record;
    const record = { ...rest, pages: [...pages], ...(open === undefined ? {} : { open }) };
    if (isDeepStrictEqual(record, this.#record)) return;
    this.#record = record;
    if (this.#pause === undefined) this.#writeAndPause();
  }

  /** Settles when this or a newer record is on disk. */
  save(record: PhoneRecord): Promise<void> {
    this.#record = record;
    return this.#write();
  }

  /** Settles when everything remembered is on disk, or could not be written. */
  async settled(): Promise<void> {
    await this.#write().catch(() => undefined);
  }

  #writeAndPause(): void {
    this.#write().catch(() => undefined);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#record !== this.#written) this.#writeAndPause();
    }, BETWEEN_WRITES_MS).unref();
  }

  #write(): Promise<void> {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#saving = this.#saving
      .catch(() => undefined)
      .then(async () => {
        const record = this.#record;
        if (record === this.#written) return;
        await this.#storage.writeRecord(this.#id, record);
        this.#written = record;
      });
    return this.#saving;
  }
}
