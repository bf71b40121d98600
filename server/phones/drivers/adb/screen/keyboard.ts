/**
 * Whether the device's keyboard is up. Nothing tells of it, and asking takes a program on the device: so it is asked a
 * moment after what may change it, and at most about once a second. Source: `mInputShown` of `dumpsys input_method`
 * (AOSP `InputMethodManagerService.dump`).
 */
import type { ScreenParts } from "./parts.ts";

const AFTER_MS = [350, 1_200] as const;
const MAX_BYTES = 512 * 1024;

export interface KeyboardWatch {
  /** Something happened that may have opened or closed it. */
  maybe(): void;
  close(): void;
}

/** @param watched nobody sees the keyboard of a phone that nobody watches. */
export function watchKeyboard({ device, events }: ScreenParts, watched: () => boolean): KeyboardWatch {
  let open = false;
  let timer: NodeJS.Timeout | undefined;
  let asking = false;
  let closed = false;

  async function ask(): Promise<void> {
    if (asking || !watched()) return;
    asking = true;
    try {
      const { stdout } = await device.run(["dumpsys", "input_method"], { maxBytes: MAX_BYTES, timeoutMs: 5_000 });
      const shown = parseKeyboard(new TextDecoder().decode(stdout));
      if (closed || shown === undefined || shown === open) return;
      open = shown;
      events.keyboard(open);
    } catch {
      // It is asked again after the next touch.
    } finally {
      asking = false;
    }
  }
  function look(step: number): void {
    const ms = AFTER_MS[step];
    if (ms === undefined || closed) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      void ask().then(() => look(step + 1));
    }, ms);
  }

  return {
    maybe: () => look(0),
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

export function parseKeyboard(dump: string): boolean | undefined {
  const found = /\bmInputShown=(true|false)\b/.exec(dump)?.[1];
  return found === undefined ? undefined : found === "true";
}
