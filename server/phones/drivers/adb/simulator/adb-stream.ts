/** One stream of an ADB connection from the device's side: a WRTE waits for its OKAY (protocol.txt, "READY"). */
import { CLSE, OKAY, WRTE } from "./adb-packet.ts";

export interface StreamPipe {
  send(command: number, arg0: number, arg1: number, payload?: Uint8Array): void;
  readonly maxPayload: number;
  forget(localId: number): void;
}

export class AdbStream {
  readonly localId: number;
  remoteId: number;
  readonly #pipe: StreamPipe;
  #onData: ((bytes: Buffer) => void | Promise<void>) | undefined;
  #early: Buffer | undefined;
  #acknowledged: (() => void) | undefined;
  #sending: Promise<void> = Promise.resolve();
  #open = true;
  readonly #closed = Promise.withResolvers<void>();

  constructor(pipe: StreamPipe, localId: number, remoteId: number) {
    this.#pipe = pipe;
    this.localId = localId;
    this.remoteId = remoteId;
  }

  /** Settles when either side closed it. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }
  get open(): boolean {
    return this.#open;
  }

  /** Takes what the host sends, from now on; the host is told to go on when the returned promise settles. */
  onData(listener: (bytes: Buffer) => void | Promise<void>): void {
    this.#onData = listener;
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) this.received(early);
  }

  /** Resolves when the host took all of it, or nobody is there any more. */
  write(bytes: Uint8Array): Promise<void> {
    const sent = this.#sending.then(async () => {
      for (let from = 0; from < bytes.length && this.#open; from += this.#pipe.maxPayload) {
        const acknowledged = Promise.withResolvers<void>();
        this.#acknowledged = acknowledged.resolve;
        this.#pipe.send(WRTE, this.localId, this.remoteId, bytes.subarray(from, from + this.#pipe.maxPayload));
        await acknowledged.promise;
      }
    });
    this.#sending = sent;
    return sent;
  }

  /** Closes it when all that was written is taken. */
  end(): void {
    this.#sending = this.#sending.then(() => this.close());
  }

  close(): void {
    if (!this.#open) return;
    this.#pipe.send(CLSE, this.localId, this.remoteId);
    this.over();
  }

  /** The host's WRTE. */
  received(bytes: Buffer): void {
    const listener = this.#onData;
    if (listener === undefined) {
      this.#early = bytes;
      return;
    }
    void Promise.resolve(listener(bytes)).then(
      () => {
        if (this.#open) this.#pipe.send(OKAY, this.localId, this.remoteId);
      },
      () => this.close(),
    );
  }

  /** The host's OKAY. */
  ready(): void {
    const go = this.#acknowledged;
    this.#acknowledged = undefined;
    go?.();
  }

  /** The host's CLSE, or the end of the connection. */
  over(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#pipe.forget(this.localId);
    this.ready();
    this.#closed.resolve();
  }
}
