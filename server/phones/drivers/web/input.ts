/** Fingers, wheel and keys of a person as the browser's own input events; positions come as fractions of the screen. */
import type { PhoneKey } from "../../../../shared/screen-protocol.ts";
import type { PhoneInput } from "../../driver.ts";
import type { CdpSession } from "./cdp.ts";
import type { Gestures } from "./gestures.ts";
import type { KeyEvent, TouchPoint } from "./protocol.ts";

/** Keys the phone handles itself. */
export type SystemKey = "Back" | "Home" | "AppSwitch" | "Reload";
/** Keys of hardware that a web phone does not have. */
type HardwareKey = "VolumeUp" | "VolumeDown" | "VolumeMute" | "Power";
const CONTROL = 2;

type Press = Omit<KeyEvent, "type">;
const KEYS: Readonly<Record<Exclude<PhoneKey, SystemKey | HardwareKey>, Press>> = {
  Enter: { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" },
  Backspace: { key: "Backspace", code: "Backspace", windowsVirtualKeyCode: 8 },
  Delete: { key: "Delete", code: "Delete", windowsVirtualKeyCode: 46 },
  Tab: { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 },
  Escape: { key: "Escape", code: "Escape", windowsVirtualKeyCode: 27 },
  ArrowUp: { key: "ArrowUp", code: "ArrowUp", windowsVirtualKeyCode: 38 },
  ArrowDown: { key: "ArrowDown", code: "ArrowDown", windowsVirtualKeyCode: 40 },
  ArrowLeft: { key: "ArrowLeft", code: "ArrowLeft", windowsVirtualKeyCode: 37 },
  ArrowRight: { key: "ArrowRight", code: "ArrowRight", windowsVirtualKeyCode: 39 },
  PageUp: { key: "PageUp", code: "PageUp", windowsVirtualKeyCode: 33 },
  PageDown: { key: "PageDown", code: "PageDown", windowsVirtualKeyCode: 34 },
  SelectAll: { key: "a", code: "KeyA", windowsVirtualKeyCode: 65, modifiers: CONTROL, commands: ["selectAll"] },
  Copy: { key: "c", code: "KeyC", windowsVirtualKeyCode: 67, modifiers: CONTROL, commands: ["copy"] },
  Cut: { key: "x", code: "KeyX", windowsVirtualKeyCode: 88, modifiers: CONTROL, commands: ["cut"] },
  Undo: { key: "z", code: "KeyZ", windowsVirtualKeyCode: 90, modifiers: CONTROL, commands: ["undo"] },
};

function isHardwareKey(name: PhoneKey): name is HardwareKey {
  return name === "Power" || name.startsWith("Volume");
}

export function isSystemKey(name: PhoneKey): name is SystemKey {
  return name === "Back" || name === "Home" || name === "AppSwitch" || name === "Reload";
}

/** What these do depends on what is in the foreground; the others do the same whatever a page is at. */
export function isAboutPage(name: SystemKey): boolean {
  return name === "Back" || name === "Reload";
}

/** Sends input to the page in the foreground in the order it comes, remembering which fingers are down where. */
export class InputSender {
  readonly #gestures: Gestures;
  #session: CdpSession | undefined;
  readonly #fingers = new Map<number, TouchPoint>();
  #lift: () => void = () => undefined;

  constructor(gestures: Gestures) {
    this.#gestures = gestures;
  }

  /** A finger is down. */
  get touching(): boolean {
    return this.#fingers.size > 0;
  }

  /**
   * Sends at once and settles when the page has handled it. A finger that went down on another page is not carried over.
   * @throws CdpError
   */
  async send(session: CdpSession, size: { width: number; height: number }, input: PhoneInput): Promise<void> {
    if (session !== this.#session) {
      this.release();
      this.#session = session;
    }
    switch (input.type) {
      case "touch":
        await this.#touch(session, size, input);
        return;
      case "wheel": {
        const letGo = this.#gestures.begin();
        await session
          .send("Input.dispatchMouseEvent", {
            type: "mouseWheel",
            x: input.x * size.width,
            y: input.y * size.height,
            deltaX: input.dx * size.width,
            deltaY: input.dy * size.height,
          })
          .finally(letGo);
        return;
      }
      case "text":
        await Promise.all(keystrokes(input.value).map((text) => session.send("Input.insertText", { text })));
        return;
      case "compose": {
        const end = input.value.length;
        await session.send("Input.imeSetComposition", { text: input.value, selectionStart: end, selectionEnd: end });
        return;
      }
      case "key": {
        if (isSystemKey(input.name) || isHardwareKey(input.name)) return;
        const press = KEYS[input.name];
        const { text: _, commands: __, ...release } = press;
        const type = press.text === undefined ? "rawKeyDown" : "keyDown";
        const down = session.send("Input.dispatchKeyEvent", { type, ...press });
        const up = session.send("Input.dispatchKeyEvent", { type: "keyUp", ...release });
        await Promise.all([down, up]);
      }
    }
  }

  /** Lifts all fingers without a tap: what was under them is no longer in the foreground. */
  release(): void {
    if (this.#fingers.size > 0)
      this.#session?.tell("Input.dispatchTouchEvent", { type: "touchCancel", touchPoints: [] });
    this.#fingers.clear();
    this.#lift();
    this.#session = undefined;
  }

  async #touch(
    session: CdpSession,
    size: { width: number; height: number },
    input: Extract<PhoneInput, { type: "touch" }>,
  ): Promise<void> {
    const { id, phase } = input;
    const point = { id, x: edge(input.x, size.width), y: edge(input.y, size.height) };
    if (phase === "start") {
      if (this.#fingers.size === 0) this.#lift = this.#gestures.begin();
      this.#fingers.set(id, point);
    }
    // A finger that is not down (it was lifted when the page changed) moves and lifts nothing.
    else if (!this.#fingers.has(id)) return;
    else if (phase === "move") this.#fingers.set(id, point);
    else this.#fingers.delete(id);
    const touchPoints = [...this.#fingers.values()];
    const type =
      touchPoints.length === 0
        ? phase === "cancel"
          ? "touchCancel"
          : "touchEnd"
        : phase === "start"
          ? "touchStart"
          : // A finger missing from a move is one lifted.
            "touchMove";
    const lift = touchPoints.length === 0 ? this.#lift : () => undefined;
    await session.send("Input.dispatchTouchEvent", { type, touchPoints }).finally(lift);
  }
}

const MOST_KEYSTROKES = 100;
const signs = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Text as fingers type it, sign by sign: pages that take one digit a field hand the caret on in between. What is longer
 * than people type comes as if pasted.
 */
function keystrokes(text: string): readonly string[] {
  if (text.length > MOST_KEYSTROKES) return [text];
  return Array.from(signs.segment(text), ({ segment }) => segment);
}

/** The last pixel is inside the screen, its far edge is not. */
function edge(fraction: number, length: number): number {
  return Math.min(Math.max(fraction, 0) * length, length - 0.5);
}
