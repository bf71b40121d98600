/** The sound of one phone, for the viewers who asked to hear it. Runs only while one does. */
import { encodeFrameHeader } from "../../shared/screen-protocol.ts";
import type { AudioPacket, AudioSource } from "../phones/driver.ts";

export interface Listener {
  /** `config`: what follows makes no sense without it. */
  hear(message: Buffer, config: boolean): void;
}

export interface Sound {
  join(listener: Listener): void;
  leave(listener: Listener): void;
  /** Goes on with another source; `undefined`: there is nothing to hear any more. */
  replace(source: AudioSource | undefined): void;
  close(): void;
}

const SEQ_RANGE = 0x1_0000_0000;

export function createSound(first: AudioSource | undefined): Sound {
  const listeners = new Set<Listener>();
  let source = first;
  let config: Buffer | undefined;
  let stop: (() => void) | undefined;
  let seq = 0;

  function receive(packet: AudioPacket): void {
    seq = (seq + 1) % SEQ_RANGE;
    const message = toMessage(seq, packet);
    const isConfig = packet.kind === "config";
    if (isConfig) config = message;
    for (const listener of [...listeners]) listener.hear(message, isConfig);
  }
  function silence(): void {
    stop?.();
    stop = undefined;
    config = undefined;
  }

  return {
    join(listener) {
      if (listeners.has(listener)) return;
      listeners.add(listener);
      if (stop === undefined) stop = source?.listen(receive);
      else if (config !== undefined) listener.hear(config, true);
    },
    leave(listener) {
      if (listeners.delete(listener) && listeners.size === 0) silence();
    },
    replace(next) {
      silence();
      source = next;
      if (listeners.size > 0) stop = source?.listen(receive);
    },
    close() {
      listeners.clear();
      silence();
    },
  };
}

function toMessage(seq: number, { kind, bytes, capturedAtMs }: AudioPacket): Buffer {
  const header = encodeFrameHeader({
    kind: kind === "config" ? "audioConfig" : "audio",
    format: "opus",
    flags: 0,
    seq,
    capturedAtMs,
  });
  return Buffer.concat([header, bytes]);
}
