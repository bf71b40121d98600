/** An ADB connection whose calls end: every socket is opened in time or not at all, and closing closes for good. */
import type { AdbBanner, AdbFeature, AdbIncomingSocketHandler, AdbSocket, AdbTransport } from "@yume-chan/adb";
import { within } from "./bounded.ts";

const SOCKET_MS = 10_000;
const CLOSE_MS = 500;

/**
 * Features this side uses. Sending files by version 2 of the sync protocol is left out: it brings only compression, and
 * devices that announce it without its second header never answer.
 */
export const CLIENT_FEATURES = [
  ...["shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir", "apex", "abb", "abb_exec"],
  "fixed_push_symlink_timestamp",
] as readonly string[] as readonly AdbFeature[];

interface Inner {
  readonly serial: string;
  readonly maxPayloadSize: number;
  readonly banner: AdbBanner;
  readonly clientFeatures: readonly AdbFeature[];
  readonly disconnected: Promise<unknown>;
  connect(service: string): PromiseLike<AdbSocket> | AdbSocket;
  close(): PromiseLike<void> | void;
}

export class BoundedTransport implements AdbTransport {
  readonly disconnected: Promise<void>;
  readonly #inner: Inner;
  readonly #words: string;
  readonly #destroy: () => void;

  /** `destroy` ends the connection below at once. */
  constructor(inner: Inner, words: string, destroy: () => void) {
    this.#inner = inner;
    this.#words = words;
    this.#destroy = destroy;
    this.disconnected = inner.disconnected.then(
      () => undefined,
      () => undefined,
    );
    void this.disconnected.then(destroy);
  }
  get serial(): string {
    return this.#inner.serial;
  }
  get maxPayloadSize(): number {
    return this.#inner.maxPayloadSize;
  }
  get banner(): AdbBanner {
    return this.#inner.banner;
  }
  get clientFeatures(): readonly AdbFeature[] {
    return this.#inner.clientFeatures;
  }
  connect(service: string): Promise<AdbSocket> {
    const opening = Promise.resolve(this.#inner.connect(service));
    const over = this.disconnected.then(() => {
      throw new Error("The connection is closed.");
    });
    const opened = within(SOCKET_MS, this.#words, Promise.race([opening, over]));
    opened.catch(() => opening.then((socket) => socket.close()).catch(() => undefined));
    return opened;
  }
  async close(): Promise<void> {
    const closing = Promise.resolve(this.#inner.close()).catch(() => undefined);
    await within(CLOSE_MS, this.#words, closing).catch(() => undefined);
    this.#destroy();
    await within(CLOSE_MS, this.#words, this.disconnected).catch(() => undefined);
  }

  // Nothing here listens for devices: scrcpy and WebViews are reached by sockets this side opens.
  addReverseTunnel(_handler: AdbIncomingSocketHandler): string {
    throw new Error("Reverse tunnels are not used.");
  }
  removeReverseTunnel(): void {}
  clearReverseTunnels(): void {}
}
