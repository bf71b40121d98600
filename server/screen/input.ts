/**
 * What a viewer may do to a phone: messages become `PhoneInput`, at a bounded rate and in sequences that make sense.
 * Pure: every call says what time it is.
 */
import type { ViewerMessage } from "../../shared/screen-protocol.ts";
import type { PhoneInput } from "../phones/driver.ts";

/** Messages per second, which is also how many may come at once. */
const TOUCH_RATE = 240;
const OTHER_RATE = 60;

export type InputMessage = Extract<ViewerMessage, { type: "touch" | "wheel" | "text" | "compose" | "key" }>;

export interface InputGate {
  /** The input to pass on; `undefined` when it must not reach the phone. */
  accept(now: number, message: InputMessage): PhoneInput | undefined;
  /** Whether something that is not `PhoneInput` (clipboard, rotation) may pass now. */
  allow(now: number): boolean;
  /** Cancels the touches that are down, because their viewer is gone or lost control. */
  cancel(): readonly PhoneInput[];
}

export function createInputGate(now: number): InputGate {
  const touchBucket = createBucket(now, TOUCH_RATE);
  const otherBucket = createBucket(now, OTHER_RATE);
  /** Where each touch that is down was seen last. */
  const down = new Map<number, { readonly x: number; readonly y: number }>();

  function acceptTouch(at: number, touch: Extract<InputMessage, { type: "touch" }>): PhoneInput | undefined {
    const { phase, id, x, y } = touch;
    const isDown = down.has(id);
    if (phase === "start") {
      // A second start of a touch that is down is a broken sequence; a start over the rate takes its whole sequence along.
      if (isDown || !touchBucket.take(at)) return undefined;
      down.set(id, { x, y });
    } else {
      if (!isDown) return undefined;
      if (phase === "move") {
        // The next move, or the end, carries the newer place.
        if (!touchBucket.take(at)) return undefined;
        down.set(id, { x, y });
      } else {
        touchBucket.take(at);
        down.delete(id);
      }
    }
    return { type: "touch", phase, id, x, y };
  }

  return {
    accept(at, message) {
      switch (message.type) {
        case "touch":
          return acceptTouch(at, message);
        case "wheel": {
          if (!touchBucket.take(at)) return undefined;
          const { x, y, dx, dy } = message;
          return { type: "wheel", x, y, dx, dy };
        }
        case "text":
        case "compose":
          return otherBucket.take(at) ? { type: message.type, value: message.value } : undefined;
        case "key":
          return otherBucket.take(at) ? { type: "key", name: message.name } : undefined;
      }
    },
    allow: (at) => otherBucket.take(at),
    cancel() {
      const cancelled = [...down].map(([id, { x, y }]): PhoneInput => ({ type: "touch", phase: "cancel", id, x, y }));
      down.clear();
      return cancelled;
    },
  };
}

interface Bucket {
  take(now: number): boolean;
}

/** Token bucket: `perSecond` tokens a second, at most as many saved up. */
function createBucket(now: number, perSecond: number): Bucket {
  let tokens = perSecond;
  let filledAt = now;
  return {
    take(at) {
      tokens = Math.min(perSecond, tokens + (Math.max(0, at - filledAt) * perSecond) / 1_000);
      filledAt = at;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
