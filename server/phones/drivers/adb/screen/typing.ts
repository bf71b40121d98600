/**
 * Text on its way into the field that has the cursor. Android's key map knows few letters (scrcpy doc/keyboard.md), so only
 * short plain text goes as keys; everything else is pasted, and what was on the clipboard comes back afterwards.
 */
import { PerchError } from "../../../../errors.ts";
import type { DeviceClipboard } from "./clipboard.ts";
import type { ScreenParts } from "./parts.ts";

/** scrcpy's server takes at most 300 bytes as keys; longer text is quicker pasted. */
const MOST_AS_KEYS = 60;
const PLAIN = /^[\x20-\x7e]+$/;
/** Characters of one paste. */
const CHUNK = 4_000;
/** An app reads the clipboard when it gets round to the paste key; the next text must not be there before. */
const BETWEEN_PASTES_MS = 120;
const RESTORE_AFTER_MS = 800;
/** Pasting takes Android 7: there is no key for it before. */
const PASTE_SDK = 24;

export interface Typing {
  type(value: string): Promise<void>;
  /** What is on the clipboard from now on was put there by somebody: it stays. */
  keep(): void;
  /** Brings back what was there before, now. */
  settle(): Promise<void>;
}

export interface TypingOptions extends ScreenParts {
  readonly clipboard: DeviceClipboard;
  readonly keys: (text: string) => Promise<void>;
  readonly enter: () => Promise<void>;
}

export function createTyping({ device, clock, clipboard, keys, enter }: TypingOptions): Typing {
  /** What was on the clipboard before text was pasted. */
  let before: string | undefined;
  let lastPasted: string | undefined;
  let pastedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  async function restore(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const [old, pasted] = [before, lastPasted];
    before = undefined;
    lastPasted = undefined;
    if (old === undefined || pasted === undefined) return;
    // Somebody copied something else meanwhile.
    if ((await clipboard.read()) === pasted) await clipboard.write(old);
  }

  async function paste(value: string): Promise<void> {
    if (device.facts.sdk < PASTE_SDK) {
      throw new PerchError("capability_missing", "Android 6 and older take only plain letters. Type those.");
    }
    clearTimeout(timer);
    timer = undefined;
    before ??= await clipboard.read();
    for (const chunk of chunks(value, CHUNK)) {
      const wait = pastedAt + BETWEEN_PASTES_MS - clock.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(wait, BETWEEN_PASTES_MS)));
      lastPasted = chunk;
      await clipboard.paste(chunk);
      pastedAt = clock.now();
    }
    timer = setTimeout(() => void restore().catch(() => {}), RESTORE_AFTER_MS);
    timer.unref();
  }

  return {
    async type(value) {
      if (value === "\n" || value === "\r\n") await enter();
      else if (value.length <= MOST_AS_KEYS && PLAIN.test(value)) await keys(value);
      else await paste(value);
    },
    keep() {
      before = undefined;
      lastPasted = undefined;
      clearTimeout(timer);
      timer = undefined;
    },
    settle: restore,
  };
}

/** Pieces of at most `most` UTF-16 units that split no character. */
export function chunks(text: string, most: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + most);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last < 0xdc00 && end - at > 1) end -= 1;
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}
