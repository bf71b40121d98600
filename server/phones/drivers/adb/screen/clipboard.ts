/**
 * The device's clipboard. While a session with `autosync` runs the device tells what was copied; it then answers no
 * question (scrcpy's `Controller.getClipboard`), so what is not known yet is asked by a short session without it.
 */
import { PerchError } from "../../../../errors.ts";
import type { ScreenParts } from "./parts.ts";
import type { DeviceMessages } from "./scrcpy-protocol.ts";
import type { ScrcpySession, SessionWish } from "./scrcpy-session.ts";

const SET_TIMEOUT_MS = 3_000;
/** An empty clipboard is not answered at all. */
const ASK_TIMEOUT_MS = 1_500;
/** What was set here and comes back within this time is an echo. */
const ECHO_MS = 3_000;

export interface DeviceClipboard {
  /** What sessions with `autosync` hear goes here. */
  readonly messages: DeviceMessages;
  /** Such a session began; to call what is returned when it is over. */
  joined(): () => void;
  read(): Promise<string>;
  write(value: string): Promise<void>;
  /** Puts text there and has the device paste it where the cursor is. */
  paste(value: string): Promise<void>;
}

export interface ClipboardOptions extends ScreenParts {
  readonly start: (wish: SessionWish, messages: DeviceMessages) => Promise<ScrcpySession>;
  /** The session that takes input now. */
  readonly session: () => Promise<ScrcpySession>;
}

export function createClipboard({ clock, events, start, session }: ClipboardOptions): DeviceClipboard {
  let listening = 0;
  let known: string | undefined;
  let reading: Promise<string> | undefined;
  let sequence = 0n;
  const acknowledgements = new Map<bigint, () => void>();
  const ours = new Map<string, number>();

  function heard(text: string): void {
    const now = clock.now();
    for (const [value, at] of ours) if (now - at > ECHO_MS) ours.delete(value);
    // Two sessions hear the same while one takes over from the other.
    if (text === known || ours.has(text)) {
      known = text;
      return;
    }
    known = text;
    events.clipboard(text);
  }

  async function set(value: string, paste: boolean): Promise<void> {
    const one = await session();
    sequence += 1n;
    const mine = sequence;
    const { promise, resolve } = Promise.withResolvers<void>();
    acknowledgements.set(mine, resolve);
    ours.set(value, clock.now());
    try {
      await one.control((writer) => writer.setClipboard({ content: value, paste, sequence: mine }));
      await Promise.race([promise, pause(SET_TIMEOUT_MS).then(() => Promise.reject(notTaken()))]);
      known = listening > 0 ? value : undefined;
    } finally {
      acknowledgements.delete(mine);
    }
  }

  async function ask(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const one = await start({ control: { autosync: false } }, { clipboard: resolve, clipboardSet() {} });
    try {
      await one.askClipboard();
      const text = await Promise.race([promise, pause(ASK_TIMEOUT_MS).then(() => "")]);
      if (listening > 0) known ??= text;
      return text;
    } finally {
      void one.close();
    }
  }

  return {
    messages: { clipboard: heard, clipboardSet: (number) => acknowledgements.get(number)?.() },
    joined() {
      listening += 1;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        listening -= 1;
        // What is copied from now on is not heard.
        if (listening === 0) known = undefined;
      };
    },
    async read() {
      if (known !== undefined) return known;
      reading ??= ask().finally(() => {
        reading = undefined;
      });
      return reading;
    },
    write: (value) => set(value, false),
    paste: (value) => set(value, true),
  };
}

function notTaken(): PerchError {
  return new PerchError("phone_unavailable", "The phone did not take the text. Try again.");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
