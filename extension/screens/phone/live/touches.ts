/** From places on the page to touches on the phone. Pure. */
import type { ViewerMessage } from "../../../../shared/screen-protocol.ts";

/** Fractions of the phone's screen, 0–1. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const MAX_TOUCHES = 10;
/** Pixels of one line and of one page of a wheel that counts in those. */
const LINE_PIXELS = 16;
const DELTA_LINE = 1;
const DELTA_PAGE = 2;
const MAX_WHEEL = 4;

/**
 * Where on the phone a point of the page is, with the screen fitted into `box` and centred. `inside` is false over the
 * bars beside the picture; the place is then the nearest one on the screen.
 */
export function toFraction(
  point: { readonly clientX: number; readonly clientY: number },
  box: Box,
  screen: { readonly width: number; readonly height: number },
): Place & { readonly inside: boolean } {
  const scale = Math.min(box.width / screen.width, box.height / screen.height);
  const width = screen.width * scale;
  const height = screen.height * scale;
  const x = (point.clientX - box.left - (box.width - width) / 2) / width;
  const y = (point.clientY - box.top - (box.height - height) / 2) / height;
  const inside = x >= 0 && x <= 1 && y >= 0 && y <= 1;
  return { x: clamp(x, 0, 1), y: clamp(y, 0, 1), inside };
}

/** A wheel's turn as fractions of the box, whatever unit it counts in. */
export function wheelFractions(
  wheel: { readonly deltaX: number; readonly deltaY: number; readonly deltaMode: number },
  box: Box,
): { readonly dx: number; readonly dy: number } {
  const { deltaX, deltaY, deltaMode } = wheel;
  if (deltaMode === DELTA_PAGE) return { dx: deltaX, dy: deltaY };
  const pixels = deltaMode === DELTA_LINE ? LINE_PIXELS : 1;
  return { dx: (deltaX * pixels) / box.width, dy: (deltaY * pixels) / box.height };
}

export interface Touches {
  /** A pointer went down; an eleventh is ignored. */
  down(pointer: number, at: Place): void;
  /** A pointer moved; sent with the next `flush`. False when it is not down. */
  move(pointer: number, at: Place): boolean;
  up(pointer: number, at: Place): void;
  cancel(pointer: number): void;
  cancelAll(): void;
  wheel(at: Place, by: { readonly dx: number; readonly dy: number }): void;
  /** Sends the newest place of each moved pointer and the sum of the wheel's turns. Once per animation frame. */
  flush(): void;
  /** Where pointers are down. */
  places(): readonly Place[];
}

export interface TouchesOptions {
  readonly send: (message: ViewerMessage) => void;
  readonly seq: () => number;
}

interface Down {
  readonly id: number;
  at: Place;
  moved: boolean;
}

export function createTouches({ send, seq }: TouchesOptions): Touches {
  const pointers = new Map<number, Down>();
  let wheel: { at: Place; dx: number; dy: number } | undefined;

  function touch(phase: "start" | "move" | "end" | "cancel", { id, at }: Down): void {
    send({ type: "touch", phase, id, x: at.x, y: at.y, seq: seq() });
  }
  function freeId(): number | undefined {
    const taken = new Set([...pointers.values()].map((one) => one.id));
    for (let id = 0; id < MAX_TOUCHES; id += 1) if (!taken.has(id)) return id;
    return undefined;
  }
  function flushPointer(one: Down): void {
    if (one.moved) touch("move", one);
    one.moved = false;
  }
  function cancel(pointer: number): void {
    const one = pointers.get(pointer);
    if (one === undefined) return;
    pointers.delete(pointer);
    touch("cancel", one);
  }

  return {
    down(pointer, at) {
      cancel(pointer);
      const id = freeId();
      if (id === undefined) return;
      const one = { id, at: { x: at.x, y: at.y }, moved: false };
      pointers.set(pointer, one);
      touch("start", one);
    },
    move(pointer, at) {
      const one = pointers.get(pointer);
      if (one === undefined) return false;
      if (one.at.x === at.x && one.at.y === at.y) return true;
      one.at = { x: at.x, y: at.y };
      one.moved = true;
      return true;
    },
    up(pointer, at) {
      const one = pointers.get(pointer);
      if (one === undefined) return;
      flushPointer(one);
      pointers.delete(pointer);
      one.at = { x: at.x, y: at.y };
      touch("end", one);
    },
    cancel,
    cancelAll() {
      for (const pointer of [...pointers.keys()]) cancel(pointer);
    },
    wheel(at, { dx, dy }) {
      wheel = { at: { x: at.x, y: at.y }, dx: (wheel?.dx ?? 0) + dx, dy: (wheel?.dy ?? 0) + dy };
    },
    flush() {
      for (const one of pointers.values()) flushPointer(one);
      if (wheel === undefined) return;
      const { at, dx, dy } = wheel;
      wheel = undefined;
      const limited = { dx: clamp(dx, -MAX_WHEEL, MAX_WHEEL), dy: clamp(dy, -MAX_WHEEL, MAX_WHEEL) };
      send({ type: "wheel", x: at.x, y: at.y, ...limited, seq: seq() });
    },
    places: () => [...pointers.values()].map((one) => one.at),
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
