/** The phone's sound, from when it is asked for until it is not. The player itself is loaded with the first packet. */
import type { SoundPlayer } from "./sound-player.ts";

/** `no_decoder`: this browser cannot play it. `failed`: it could, and did not. */
export type SoundTrouble = "no_decoder" | "failed";

export interface Sound {
  take(kind: "config" | "packet", bytes: Uint8Array): void;
  close(): void;
}

/** Packets that may wait while the player is loaded; sound older than that is past. */
const MOST_WAITING = 10;

export function createSound(onTrouble: (trouble: SoundTrouble) => void): Sound {
  let closed = false;
  let player: SoundPlayer | undefined;
  let loading = false;
  let config: Uint8Array | undefined;
  let waiting: Uint8Array[] = [];

  if (typeof AudioDecoder === "undefined") {
    queueMicrotask(() => {
      if (!closed) onTrouble("no_decoder");
    });
    closed = true;
  }
  function trouble(): void {
    if (closed) return;
    closed = true;
    onTrouble("failed");
  }
  function load(): void {
    loading = true;
    import("./sound-player.ts")
      .then(({ createSoundPlayer }) => createSoundPlayer(trouble))
      .then((made) => {
        if (closed) return made.close();
        player = made;
        if (config !== undefined) made.config(config);
        for (const packet of waiting) made.packet(packet);
        waiting = [];
      })
      .catch(trouble);
  }

  return {
    take(kind, bytes) {
      if (closed) return;
      if (kind === "config") {
        config = bytes.slice();
        player?.config(config);
      } else if (player !== undefined) player.packet(bytes);
      else waiting = [...waiting, bytes.slice()].slice(-MOST_WAITING);
      if (!loading) load();
    },
    close() {
      closed = true;
      player?.close();
      player = undefined;
    },
  };
}
