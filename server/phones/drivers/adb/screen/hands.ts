/**
 * Fingers and keys through scrcpy's control socket: in order, one after the other. Places are in the coordinates of the
 * video somebody looks at, with its size beside them, so the device leaves out what was aimed at a picture from before it
 * turned. Without a video they are the display's own. Source: scrcpy's `Controller`, `PositionMapper`, `PointersState`.
 */
import { AndroidKeyEventAction, AndroidMotionEventAction, type ScrcpyControlMessageWriter } from "@yume-chan/scrcpy";
import type { Clock } from "../../../../clock.ts";
import type { PhoneInput } from "../../../driver.ts";
import type { AndroidKey } from "./keys.ts";
import type { ScrcpySession, Size } from "./scrcpy-session.ts";

/** A wheel's notch moves a list this far, in CSS pixels (`config_verticalScrollFactor`: 64dp). */
const NOTCH_PX = 64;
const MOST_NOTCHES = 16;
/** Sessions have sockets of their own, and nothing orders what comes out of two of them on the device. */
const APART_MS = 150;
/** A session whose touch does not end is not waited for longer. */
const HOLD_MS = 5_000;

export interface Target {
  readonly session: ScrcpySession;
  /** What places are measured in. */
  readonly size: Size;
}

export interface Hands {
  touch(input: Extract<PhoneInput, { type: "touch" }>): Promise<void>;
  wheel(input: Extract<PhoneInput, { type: "wheel" }>): Promise<void>;
  key(key: AndroidKey): Promise<void>;
  text(value: string): Promise<void>;
  /** Settles when no touch is down in this session any more. */
  released(session: ScrcpySession): Promise<void>;
  /** Settles when what went to any other session has had the time to arrive. */
  settled(session: ScrcpySession): Promise<void>;
  /** The session in which touches are down now. */
  holding(): ScrcpySession | undefined;
}

interface Down {
  readonly target: Target;
  x: number;
  y: number;
}

/** @param target where input goes now; starts a session when none runs. */
export function createHands(target: () => Promise<Target>, css: () => Size, clock: Clock): Hands {
  let last: { readonly session: ScrcpySession; readonly atMs: number } | undefined;
  const down = new Map<number, Down>();
  const releases = new Map<ScrcpySession, Set<() => void>>();

  function free(session: ScrcpySession): void {
    if ([...down.values()].some((one) => one.target.session === session)) return;
    for (const release of releases.get(session) ?? []) release();
    releases.delete(session);
  }
  function holding(): Target | undefined {
    for (const [id, one] of down) {
      if (one.target.session.over) down.delete(id);
      else return one.target;
    }
    return undefined;
  }

  async function to(session: ScrcpySession, write: Parameters<ScrcpySession["control"]>[0]): Promise<void> {
    try {
      await session.control(write);
    } finally {
      last = { session, atMs: clock.now() };
    }
  }
  function send({ session, size }: Target, id: number, action: AndroidMotionEventAction, x: number, y: number) {
    const lifted = action === AndroidMotionEventAction.Up || action === AndroidMotionEventAction.Cancel;
    return to(session, (writer) =>
      writer.injectTouch({
        ...place(x, y, size),
        action,
        pointerId: BigInt(id),
        pressure: lifted ? 0 : 1,
        actionButton: 0,
        buttons: 0,
      }),
    );
  }

  async function start(id: number, x: number, y: number): Promise<void> {
    // All fingers of one gesture belong to one session.
    const where = holding() ?? (await target());
    down.set(id, { target: where, x, y });
    await send(where, id, AndroidMotionEventAction.Down, x, y);
  }

  async function lift(id: number, one: Down, cancel: boolean): Promise<void> {
    down.delete(id);
    try {
      // A cancelled pointer stays in scrcpy's list of pointers until it goes up.
      if (cancel) await send(one.target, id, AndroidMotionEventAction.Cancel, one.x, one.y);
      await send(one.target, id, AndroidMotionEventAction.Up, one.x, one.y);
    } finally {
      free(one.target.session);
    }
  }

  return {
    async touch({ phase, id, x, y }) {
      if (phase === "start") {
        await start(id, x, y);
        return;
      }
      const one = down.get(id);
      if (one === undefined) return;
      // Its session is gone, and the touch with it.
      if (one.target.session.over) {
        down.delete(id);
        return;
      }
      if (phase === "move") {
        [one.x, one.y] = [x, y];
        await send(one.target, id, AndroidMotionEventAction.Move, x, y);
        return;
      }
      if (phase === "end") [one.x, one.y] = [x, y];
      await lift(id, one, phase === "cancel");
    },
    async wheel({ x, y, dx, dy }) {
      const { session, size } = holding() ?? (await target());
      const notches = (part: number, side: number) =>
        Math.max(-MOST_NOTCHES, Math.min(MOST_NOTCHES, (-part * side) / NOTCH_PX));
      const { width, height } = css();
      await to(session, (writer) =>
        writer.injectScroll({
          ...place(x, y, size),
          scrollX: notches(dx, width),
          scrollY: notches(dy, height),
          buttons: 0,
        }),
      );
    },
    async key(key) {
      const { session } = holding() ?? (await target());
      await to(session, (writer) => press(writer, key));
    },
    async text(value) {
      const { session } = holding() ?? (await target());
      await to(session, (writer) => writer.injectText(value));
    },
    async released(session) {
      if (![...down.values()].some((one) => one.target.session === session)) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, HOLD_MS);
        const waiting = releases.get(session) ?? new Set();
        releases.set(session, waiting);
        waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    async settled(session) {
      if (last === undefined || last.session === session) return;
      const left = last.atMs + APART_MS - clock.now();
      if (left > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(left, APART_MS)));
    },
    holding: () => holding()?.session,
  };
}

/** Fractions as pixels of a picture of this size; always inside it. */
function place(x: number, y: number, { width, height }: Size) {
  const inside = (part: number, side: number) => Math.max(0, Math.min(side - 1, Math.round(part * side)));
  return { pointerX: inside(x, width), pointerY: inside(y, height), videoWidth: width, videoHeight: height };
}

async function press(writer: ScrcpyControlMessageWriter, { code, meta }: AndroidKey): Promise<void> {
  const key = { keyCode: code, metaState: meta, repeat: 0 };
  await writer.injectKeyCode({ ...key, action: AndroidKeyEventAction.Down });
  await writer.injectKeyCode({ ...key, action: AndroidKeyEventAction.Up });
}
