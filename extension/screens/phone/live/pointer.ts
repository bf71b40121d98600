/** Fingers, mouse and wheel over the picture become touches on the phone. */
import type { ViewerMessage } from "../../../../shared/screen-protocol.ts";
import { createTouches, type Place, toFraction, wheelFractions } from "./touches.ts";

/** How long a click with the right button holds the finger down: longer than a phone's own long press. */
const LONG_PRESS_MS = 700;
const RIGHT_BUTTON = 2;

export interface PointerOptions {
  readonly send: (message: ViewerMessage) => void;
  /** Size of the phone's screen; only its proportions matter. */
  readonly size: () => { readonly width: number; readonly height: number } | undefined;
  /** Number of the frame being looked at. */
  readonly seq: () => number;
  /** Where fingers are, as fractions of the screen, for the dots drawn at once. */
  readonly onTouches?: (places: readonly Place[]) => void;
}

/** Listens on the element that holds the picture (fitted like `object-fit: contain`). Returns what stops it. */
export function attachPointer(element: HTMLElement, { send, size, seq, onTouches }: PointerOptions): () => void {
  const touches = createTouches({ send, seq });
  const stop = new AbortController();
  const { signal } = stop;
  let frame: number | undefined;
  const longPresses = new Set<ReturnType<typeof setTimeout>>();

  function place(event: MouseEvent): (Place & { readonly inside: boolean }) | undefined {
    const screen = size();
    return screen === undefined ? undefined : toFraction(event, element.getBoundingClientRect(), screen);
  }
  function flushSoon(): void {
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      touches.flush();
    });
  }
  const changed = () => onTouches?.(touches.places());

  function longPress(at: Place): void {
    // Its own pointer number: the mouse may go on meanwhile.
    const pointer = -1 - longPresses.size;
    touches.down(pointer, at);
    changed();
    const timer = setTimeout(() => {
      longPresses.delete(timer);
      touches.up(pointer, at);
      changed();
    }, LONG_PRESS_MS);
    longPresses.add(timer);
  }

  element.addEventListener(
    "pointerdown",
    (event) => {
      const at = place(event);
      if (at === undefined || !at.inside) return;
      if (event.pointerType === "mouse" && event.button === RIGHT_BUTTON) {
        longPress(at);
        return;
      }
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      touches.down(event.pointerId, at);
      changed();
    },
    { signal },
  );
  element.addEventListener(
    "pointermove",
    (event) => {
      const at = place(event);
      if (at === undefined || !touches.move(event.pointerId, at)) return;
      flushSoon();
      changed();
    },
    { signal },
  );
  element.addEventListener(
    "pointerup",
    (event) => {
      const at = place(event);
      if (at === undefined) touches.cancel(event.pointerId);
      else if (event.button === 0) touches.up(event.pointerId, at);
      changed();
    },
    { signal },
  );
  for (const name of ["pointercancel", "lostpointercapture"] as const) {
    element.addEventListener(
      name,
      (event) => {
        touches.cancel(event.pointerId);
        changed();
      },
      { signal },
    );
  }
  element.addEventListener(
    "wheel",
    (event) => {
      const at = place(event);
      if (at === undefined || !at.inside) return;
      // The picture scrolls, not the panel around it.
      event.preventDefault();
      const rect = element.getBoundingClientRect();
      touches.wheel(at, wheelFractions(event, rect));
      flushSoon();
    },
    { signal, passive: false },
  );
  // A long press belongs to the phone.
  element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  // Without focus no `pointerup` may ever come.
  window.addEventListener(
    "blur",
    () => {
      touches.cancelAll();
      changed();
    },
    { signal },
  );
  element.style.touchAction = "none";

  return () => {
    stop.abort();
    for (const timer of longPresses) clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
    touches.cancelAll();
  };
}
