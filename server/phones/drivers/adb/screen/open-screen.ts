/**
 * The screen of one Android: scrcpy where the operator gave its server, else pictures by `screencap` and hands by `input`.
 * Control runs beside the video in one session while somebody watches, and in a session of its own when somebody acts on a
 * phone that nobody watches. Nothing starts before it is needed.
 */

import type { Clock } from "../../../../clock.ts";
import { PerchError } from "../../../../errors.ts";
import { errorFields, type Log } from "../../../../log.ts";
import type { PhoneInput } from "../../../driver.ts";
import type { AndroidDevice, AndroidScreen, AndroidScreenEvents } from "../ports.ts";
import { createAppNames } from "./app-names.ts";
import { AUDIO_SDK, type Audio, createAudio } from "./audio.ts";
import { createClipboard } from "./clipboard.ts";
import { createDisplay, type Display } from "./display.ts";
import { createHands, type Target } from "./hands.ts";
import { createInputQueue } from "./input-queue.ts";
import { type KeyboardWatch, watchKeyboard } from "./keyboard.ts";
import { ANDROID_KEYS } from "./keys.ts";
import type { ScreenParts } from "./parts.ts";
import { createPictures, type Pictures } from "./pictures.ts";
import { createScrcpyFile, readChecked, type ScrcpyFile, type ScrcpyServerFile } from "./scrcpy-file.ts";
import type { DeviceMessages } from "./scrcpy-protocol.ts";
import { type ScrcpySession, type SessionWish, startSession } from "./scrcpy-session.ts";
import { createShellHands } from "./shell-hands.ts";
import { troubleUnless } from "./trouble.ts";
import { createTyping } from "./typing.ts";
import { createVideo, type Video } from "./video.ts";

export interface AndroidScreenOptions {
  /** Without it: pictures instead of video, plain letters, no clipboard. */
  readonly scrcpyServer?: ScrcpyServerFile;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: AndroidScreenEvents;
}

const TURN_MS = 4_000;
const TURN_LOOK_MS = 150;
/** How long a size of an unwatched phone is believed before a touch. */
const SIZE_MS = 1_000;

export async function openAndroidScreen(device: AndroidDevice, options: AndroidScreenOptions): Promise<AndroidScreen> {
  const { clock, log, events } = options;
  const parts: ScreenParts = { device, clock, log, events, trouble: troubleUnless(device.gone, log) };
  const display = await createDisplay(device, (size) => options.events.resized(size));
  const pictures = createPictures(parts, display);
  const file = await scrcpyFile(device, options);
  return file === undefined ? withoutScrcpy(parts, display, pictures) : withScrcpy(parts, display, pictures, file);
}

async function scrcpyFile(
  device: AndroidDevice,
  { scrcpyServer, log }: AndroidScreenOptions,
): Promise<ScrcpyFile | undefined> {
  if (scrcpyServer === undefined) return undefined;
  try {
    await readChecked(scrcpyServer);
    return createScrcpyFile(device, scrcpyServer);
  } catch (error) {
    log.warn("scrcpy cannot be used: phones show pictures", { ...errorFields(error) });
    return undefined;
  }
}

function withScrcpy(parts: ScreenParts, display: Display, pictures: Pictures, file: ScrcpyFile): AndroidScreen {
  const { device, clock, log, trouble } = parts;
  let closed = false;
  let idle: Promise<ScrcpySession> | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  /** A session that hears the clipboard, if it has control. */
  async function start(wish: SessionWish, messages: DeviceMessages = clipboard.messages): Promise<ScrcpySession> {
    if (closed) throw new PerchError("phone_unavailable", "The phone was closed.");
    const session = await startSession({ device, file, log, trouble, wish, messages });
    if (closed) void session.close();
    if (wish.control?.autosync === true) void session.ended.then(clipboard.joined());
    return session;
  }
  async function session(): Promise<ScrcpySession> {
    const watched = hands.holding() ?? video.current();
    if (watched !== undefined && !watched.over) {
      await hands.settled(watched);
      void retireIdle(watched);
      return watched;
    }
    const running = await idle?.catch(() => undefined);
    if (running !== undefined && !running.over) return running;
    idle = start({ control: { autosync: true } });
    return idle;
  }
  /** Control of its own is not needed beside the video's. */
  async function retireIdle(instead: ScrcpySession): Promise<void> {
    const running = await idle?.catch(() => undefined);
    if (running === undefined || running === instead) return;
    idle = undefined;
    await hands.released(running);
    await running.close();
  }
  async function target(): Promise<Target> {
    const one = await session();
    const size = one.size();
    if (size !== undefined) return { session: one, size };
    // Nobody watches, so nobody would have told that it was turned.
    if (clock.now() - lookedAt > SIZE_MS) {
      await display.look();
      lookedAt = clock.now();
    }
    return { session: one, size: display.pixels() };
  }

  const hands = createHands(target, () => display.css(), clock);
  const audio: Audio | undefined = device.facts.sdk >= AUDIO_SDK ? createAudio({ ...parts, start }) : undefined;
  const video: Video = createVideo({
    ...parts,
    display,
    pictures,
    audio,
    start,
    released: (one) => hands.released(one),
  });
  const clipboard = createClipboard({ ...parts, start, session });
  const typing = createTyping({
    ...parts,
    clipboard,
    keys: (text) => hands.text(text),
    enter: () => hands.key(ANDROID_KEYS.Enter),
  });
  const keyboard = watchKeyboard(parts, () => video.current() !== undefined);
  const queue = createInputQueue(async (input) => {
    switch (input.type) {
      case "touch":
        return hands.touch(input);
      case "wheel":
        return hands.wheel(input);
      case "text":
        return typing.type(input.value);
      case "key":
        return hands.key(ANDROID_KEYS[input.name]);
      case "compose":
        // Android's keyboards compose on the device; what is composed here comes as text when it is done.
        return;
    }
  });

  return {
    source: video,
    size: () => display.css(),
    async input(input) {
      await queue.input(input);
      mayMoveKeyboard(input, keyboard);
    },
    clipboard: {
      read: () => queue.run(() => typing.settle().then(() => clipboard.read())),
      write: (value) =>
        queue.run(async () => {
          typing.keep();
          await clipboard.write(value);
        }),
    },
    rotate: () => turn(display, () => session().then((one) => one.control((writer) => writer.rotateDevice()))),
    get moving() {
      return video.moving || pictures.moving;
    },
    appNames: createAppNames(device, file, trouble),
    async close() {
      closed = true;
      keyboard.close();
      pictures.close();
      // One that is only starting ends by itself when it is there.
      void idle?.then((running) => running.close()).catch(() => {});
      await Promise.allSettled([video.close(), audio?.close()]);
      await file.remove().catch(() => {});
    },
  };
}

function withoutScrcpy(parts: ScreenParts, display: Display, pictures: Pictures): AndroidScreen {
  const { device } = parts;
  const act = createShellHands(parts, display);
  const keyboard = watchKeyboard(parts, () => pictures.watched);
  const queue = createInputQueue(async (input) => {
    await act(input);
    pictures.soon();
  });
  const noClipboard = () =>
    new PerchError("capability_missing", "The clipboard of this phone takes scrcpy. Set scrcpy up on the server.");
  return {
    source: pictures,
    size: () => display.css(),
    async input(input) {
      await queue.input(input);
      mayMoveKeyboard(input, keyboard);
    },
    clipboard: {
      read: () => Promise.reject(noClipboard()),
      write: () => Promise.reject(noClipboard()),
    },
    rotate: () =>
      turn(display, async () => {
        // Of the four ways to hold it, the next (AOSP `Settings.System.USER_ROTATION`).
        await device.text(["settings", "put", "system", "accelerometer_rotation", "0"]);
        await device.text(["settings", "put", "system", "user_rotation", display.rotated() ? "0" : "1"]);
      }),
    get moving() {
      return pictures.moving;
    },
    appNames: async () => new Map(),
    async close() {
      keyboard.close();
      pictures.close();
    },
  };
}

function mayMoveKeyboard(input: PhoneInput, keyboard: KeyboardWatch): void {
  if ((input.type === "touch" && input.phase === "end") || input.type === "key") keyboard.maybe();
}

/** An app may hold its way up: what is so afterwards is the answer. */
async function turn(display: Display, ask: () => Promise<unknown>) {
  const before = await display.look();
  await ask();
  for (let waited = 0; waited < TURN_MS; waited += TURN_LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, TURN_LOOK_MS));
    if ((await display.look()).width !== before.width) break;
  }
  return { rotated: display.rotated(), ...display.css() };
}
