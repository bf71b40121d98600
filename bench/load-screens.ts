/** Phones without a phone: they keep to what the driver promises, and their pictures come as they are told. */

import type { ScreenFrame, ScreenSource } from "../server/phones/driver.ts";
import { FakeDriver } from "../server/phones/testing/fake-driver.ts";
import type { PhoneId } from "../shared/ids.ts";

export interface Pictures {
  readonly everyMs: number;
  readonly bytes: number;
}

export class LoadDriver extends FakeDriver {
  #pictures: Pictures | undefined;
  readonly #screens = new Map<PhoneId, ReturnType<typeof screenOf>>();

  /** Undefined: nothing moves on any phone. */
  show(pictures: Pictures | undefined): void {
    this.#pictures = pictures;
    for (const screen of this.#screens.values()) screen.move(pictures);
  }

  override screen(id: PhoneId): ScreenSource {
    const known = this.#screens.get(id);
    if (known !== undefined) return known.source;
    const size = super.screen(id).size;
    const screen = screenOf(size);
    screen.move(this.#pictures);
    this.#screens.set(id, screen);
    return screen.source;
  }
}

const RESTING = Buffer.alloc(12_000, 0x5a);

function screenOf(size: ScreenSource["size"]) {
  const listeners = new Set<(frame: ScreenFrame) => void>();
  let timer: NodeJS.Timeout | undefined;
  let bytes = RESTING;
  const frame = (crisp: boolean): ScreenFrame => ({
    ...{ format: "jpeg", kind: "image", bytes, capturedAtMs: Date.now(), crisp },
  });
  const showAll = (crisp: boolean) => {
    const now = frame(crisp);
    for (const listener of listeners) listener(now);
  };
  const source: ScreenSource = {
    codec: "jpeg",
    size,
    listen(listener) {
      listeners.add(listener);
      listener(frame(false));
      return () => listeners.delete(listener);
    },
    setLevel: () => showAll(false),
    refresh: () => showAll(false),
    still: async () => showAll(true),
  };
  return {
    source,
    move(pictures: Pictures | undefined) {
      clearInterval(timer);
      bytes = pictures === undefined ? RESTING : Buffer.alloc(pictures.bytes, 0x5a);
      if (pictures === undefined) return;
      timer = setInterval(() => {
        if (listeners.size > 0) showAll(false);
      }, pictures.everyMs);
    },
  };
}
