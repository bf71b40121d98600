/**
 * The screen of a phone beyond one connection: when a device was lost and found, whoever looked goes on looking, at the new
 * picture, without having to know.
 */
import type { AudioPacket, AudioSource, ScreenFrame, ScreenLevel, ScreenSource } from "../../driver.ts";

/** Keeps the listeners of one source and hands them to the next. */
class Lasting<Args extends readonly unknown[], Inner extends { listen(...args: Args): () => void }> {
  inner: Inner;
  readonly #listening = new Map<symbol, { readonly args: Args; stop: () => void }>();
  constructor(inner: Inner) {
    this.inner = inner;
  }
  listen(...args: Args): () => void {
    const key = Symbol("listener");
    this.#listening.set(key, { args, stop: this.inner.listen(...args) });
    return () => {
      this.#listening.get(key)?.stop();
      this.#listening.delete(key);
    };
  }
  follow(inner: Inner): void {
    this.inner = inner;
    for (const one of this.#listening.values()) {
      one.stop();
      one.stop = inner.listen(...one.args);
    }
  }
}

class LastingAudio implements AudioSource {
  readonly #lasting: Lasting<[(packet: AudioPacket) => void], AudioSource>;
  constructor(inner: AudioSource) {
    this.#lasting = new Lasting(inner);
  }
  listen(listener: (packet: AudioPacket) => void): () => void {
    return this.#lasting.listen(listener);
  }
  follow(inner: AudioSource | undefined): void {
    this.#lasting.follow(inner ?? SILENT);
  }
}

const SILENT: AudioSource = { listen: () => () => {} };

export class LastingScreen implements ScreenSource {
  readonly #lasting: Lasting<[(frame: ScreenFrame) => void, ScreenLevel?], ScreenSource>;
  readonly pictures?: LastingScreen;
  readonly audio?: LastingAudio;
  #level: ScreenLevel | undefined;

  constructor(inner: ScreenSource) {
    this.#lasting = new Lasting(inner);
    if (inner.pictures !== undefined) this.pictures = new LastingScreen(inner.pictures);
    if (inner.audio !== undefined) this.audio = new LastingAudio(inner.audio);
  }
  get codec(): ScreenSource["codec"] {
    return this.#lasting.inner.codec;
  }
  size(): { width: number; height: number } {
    return this.#lasting.inner.size();
  }
  listen(listener: (frame: ScreenFrame) => void, level?: ScreenLevel): () => void {
    return this.#lasting.listen(listener, level);
  }
  setLevel(level: ScreenLevel): void {
    this.#level = level;
    this.#lasting.inner.setLevel(level);
  }
  refresh(): void {
    this.#lasting.inner.refresh();
  }
  still(): Promise<void> {
    return this.#lasting.inner.still();
  }

  /** From now on the picture comes from here; `this` stays what viewers hold. */
  follow(inner: ScreenSource): void {
    this.#lasting.follow(inner);
    this.audio?.follow(inner.audio);
    // Where the new source has none, its own pictures are pictures already, or there is nothing better.
    this.pictures?.follow(inner.pictures ?? inner);
    if (this.#level !== undefined) inner.setLevel(this.#level);
  }
}
