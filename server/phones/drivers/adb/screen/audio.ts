/**
 * The sound: Opus from a scrcpy run of its own that lives only while somebody listens, so that silence costs nothing.
 * Android gives its sound to others from version 11 (API 30) on (scrcpy doc/audio.md).
 */
import type { AudioPacket, AudioSource } from "../../../driver.ts";
import type { ScreenParts } from "./parts.ts";
import type { ScrcpySession, SessionWish } from "./scrcpy-session.ts";

export const AUDIO_SDK = 30;
const BIT_RATE = 96_000;
const LINGER_MS = 1_500;
const RETRY_MS = [500, 2_000, 5_000] as const;
const RETRY_LATER_MS = 30_000;

export interface Audio extends AudioSource {
  close(): Promise<void>;
}

export interface AudioOptions extends ScreenParts {
  readonly start: (wish: SessionWish) => Promise<ScrcpySession>;
}

export function createAudio({ clock, trouble, device, start }: AudioOptions): Audio {
  const listeners = new Set<(packet: AudioPacket) => void>();
  let config: Uint8Array | undefined;
  let session: ScrcpySession | undefined;
  let working = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  void device.gone.then(() => {
    closed = true;
    clearTimeout(timer);
  });

  function emit(packet: AudioPacket): void {
    for (const listener of [...listeners]) listener(packet);
  }

  async function run(): Promise<void> {
    if (working || closed || listeners.size === 0) return;
    working = true;
    let silent = false;
    try {
      session = await start({ audio: { bitRate: BIT_RATE } });
      silent = session.silent;
      for await (const { type, data: bytes } of session.packets()) {
        failures = 0;
        if (type === "configuration") config = bytes;
        emit({ kind: type === "configuration" ? "config" : "packet", bytes, capturedAtMs: clock.now() });
      }
    } catch (error) {
      trouble("the sound of a phone ended", error);
    }
    const ended = session;
    session = undefined;
    config = undefined;
    await ended?.close();
    working = false;
    // A device that says it has no sound to give is not asked again until somebody else wants to hear it.
    if (closed || silent || listeners.size === 0) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      void run();
    }, RETRY_MS[failures] ?? RETRY_LATER_MS);
    failures += 1;
  }

  return {
    listen(listener) {
      listeners.add(listener);
      clearTimeout(timer);
      timer = undefined;
      if (config !== undefined) listener({ kind: "config", bytes: config, capturedAtMs: clock.now() });
      void run();
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0 || closed) return;
        clearTimeout(timer);
        timer = setTimeout(() => {
          timer = undefined;
          if (listeners.size === 0) void session?.close();
        }, LINGER_MS);
      };
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      listeners.clear();
      await session?.close();
    },
  };
}
