/** Fingers as gestures: what went down, where it lifted and how long that took (research/automation.md §3). */
import type { Direction } from "../flows/model.ts";
import type { Spot } from "../recording-model.ts";

export const DOUBLE_TAP_MS = 300;
export const LONG_PRESS_MS = 500;
/** A finger that moved less, in CSS pixels, stood still. */
const SLOP = 12;
/** Part of a way that must lie along one axis for it to have a direction. */
const AXIAL = 0.7;

export interface TouchInput {
  readonly phase: "start" | "move" | "end" | "cancel";
  /** Number of the finger. */
  readonly id: number;
  readonly x: number;
  readonly y: number;
  /** The frame the person was looking at. */
  readonly seq: number;
}

/** Times are milliseconds of the clock that was passed in. `seq` is of the frame in which the finger went down. */
interface Finger {
  readonly seq: number;
  readonly startedAt: number;
  readonly endedAt: number;
}
export type Gesture =
  | (Finger & { readonly kind: "tap" | "longPress"; readonly at: Spot })
  | (Finger & {
      readonly kind: "swipe";
      readonly start: Spot;
      readonly end: Spot;
      readonly direction: Direction | undefined;
    })
  /** Two fingers or more: no command of flows can do that. */
  | { readonly kind: "many" };

export interface GestureReader {
  /** The gesture that ends with this touch, if one does. `size` is the screen's, in CSS pixels. */
  touch(now: number, touch: TouchInput, size: { width: number; height: number }): Gesture | undefined;
}

interface Down {
  readonly id: number;
  readonly start: Spot;
  readonly seq: number;
  readonly at: number;
  /** Furthest from the start, in CSS pixels. */
  reach: number;
}

export function createGestureReader(): GestureReader {
  const fingers = new Set<number>();
  let first: Down | undefined;
  let many = false;
  return {
    touch(now, { phase, id, x, y, seq }, size) {
      if (phase === "start") {
        // A finger that was down already was lifted without a word, with its viewer.
        if (fingers.has(id)) fingers.clear();
        if (fingers.size === 0) {
          first = { id, start: { x, y }, seq, at: now, reach: 0 };
          many = false;
        } else many = true;
        fingers.add(id);
        return undefined;
      }
      if (!fingers.has(id)) return undefined;
      const way = first && { x: (x - first.start.x) * size.width, y: (y - first.start.y) * size.height };
      if (first?.id === id && way !== undefined) first.reach = Math.max(first.reach, Math.hypot(way.x, way.y));
      if (phase === "move") return undefined;
      fingers.delete(id);
      if (fingers.size > 0) return undefined;
      const down = first;
      first = undefined;
      if (phase === "cancel" || down === undefined || way === undefined) return undefined;
      if (many) return { kind: "many" };
      const times = { seq: down.seq, startedAt: down.at, endedAt: now };
      if (down.reach < SLOP) {
        const kind = now - down.at >= LONG_PRESS_MS ? "longPress" : "tap";
        return { ...times, kind, at: down.start };
      }
      return { ...times, kind: "swipe", start: down.start, end: { x, y }, direction: directionOf(way.x, way.y) };
    },
  };
}

/** Where a way leads when most of it lies along one axis. */
export function directionOf(dx: number, dy: number): Direction | undefined {
  const whole = Math.abs(dx) + Math.abs(dy);
  if (whole === 0) return undefined;
  if (Math.abs(dx) / whole >= AXIAL) return dx > 0 ? "RIGHT" : "LEFT";
  if (Math.abs(dy) / whole >= AXIAL) return dy > 0 ? "DOWN" : "UP";
  return undefined;
}
