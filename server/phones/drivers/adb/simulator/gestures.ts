/** Fingers on the screen, made into taps, long taps and scrolling. A fling stops where the finger leaves. */
import type { SeenView, View } from "./view.ts";
import { under } from "./view.ts";

export type TouchAction = "down" | "move" | "up" | "cancel";
export interface Touch {
  readonly action: TouchAction;
  readonly pointer: number;
  readonly x: number;
  readonly y: number;
  readonly pressure: number;
}
interface Finger {
  readonly path: readonly View[];
  readonly from: { readonly x: number; readonly y: number };
  readonly atMs: number;
  last: { readonly x: number; readonly y: number };
  moved: boolean;
}

/** `ViewConfiguration`: a touch slop of 8 dp, a long press of half a second. */
const SLOP_DP = 8;
export const LONG_PRESS_MS = 500;

export class Gestures {
  readonly #fingers = new Map<number, Finger>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get fingers(): number {
    return this.#fingers.size;
  }

  touch({ action, pointer, x, y }: Touch, tree: () => SeenView, scale: number): void {
    if (action === "down") {
      const at = { x, y };
      this.#fingers.set(pointer, {
        path: under(tree(), x, y),
        from: at,
        last: at,
        atMs: performance.now(),
        moved: false,
      });
      return;
    }
    const finger = this.#fingers.get(pointer);
    if (finger === undefined) return;
    if (action === "move") {
      this.#move(finger, x, y, SLOP_DP * scale);
      return;
    }
    this.#fingers.delete(pointer);
    if (action === "up" && !finger.moved) this.#tap(finger, x, y);
  }

  #move(finger: Finger, x: number, y: number, slop: number): void {
    const [dx, dy] = [x - finger.from.x, y - finger.from.y];
    if (!finger.moved && Math.hypot(dx, dy) < slop) return;
    finger.moved = true;
    const axis = Math.abs(dx) > Math.abs(dy) ? "x" : "y";
    const scroll = finger.path.findLast((view) => view.scroll?.axis === axis)?.scroll;
    const by = axis === "x" ? finger.last.x - x : finger.last.y - y;
    finger.last = { x, y };
    if (scroll !== undefined) this.scroll(scroll, by);
  }

  scroll(scroll: NonNullable<View["scroll"]>, by: number): void {
    const to = Math.min(scroll.max, Math.max(0, Math.round(scroll.offset + by)));
    if (to === scroll.offset) return;
    scroll.offset = to;
    this.#changed();
  }

  #tap(finger: Finger, x: number, y: number): void {
    const target = finger.path.findLast((view) => view.onTap !== undefined || view.onLongTap !== undefined);
    if (target === undefined || target.enabled === false) return;
    const long = performance.now() - finger.atMs >= LONG_PRESS_MS;
    if (long && target.onLongTap !== undefined) target.onLongTap();
    else target.onTap?.(x, y);
  }
}
