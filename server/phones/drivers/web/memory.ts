/** What a running phone remembers on disk, written one record after the other. */
import type { PhoneId } from "../../../../shared/ids.ts";
import type { PhoneRecord, WebPhoneStorage } from "./storage.ts";

export class PhoneMemory {
  readonly #id: PhoneId;
  readonly #storage: WebPhoneStorage;
  #record: PhoneRecord;
  #saving: Promise<void> = Promise.resolve();

  constructor(id: PhoneId, storage: WebPhoneStorage, record: PhoneRecord) {
    this.#id = id;
    this.#storage = storage;
    this.#record = record;
  }

  get record(): PhoneRecord {
    return this.#record;
  }

  /** The address in the foreground; undefined: the home screen. A failed write is made good by the next. */
  remember(open: string | undefined): void {
    const remembered = open === "about:blank" ? undefined : open;
    if (remembered === this.#record.open) return;
    const { open: _, ...rest } = this.#record;
    this.save(remembered === undefined ? rest : { ...rest, open: remembered }).catch(() => undefined);
  }

  /** Settles when this or a newer record is on disk. */
  save(record: PhoneRecord): Promise<void> {
    this.#record = record;
    this.#saving = this.#saving
      .catch(() => undefined)
      .then(() => (record === this.#record ? this.#storage.writeRecord(this.#id, record) : undefined));
    return this.#saving;
  }

  settled(): Promise<void> {
    return this.#saving.catch(() => undefined);
  }
}
