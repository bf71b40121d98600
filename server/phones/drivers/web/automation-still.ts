/** Whether the picture stands still. The browser sends a frame for every change it draws, so a quiet screencast tells. */
import { createHash } from "node:crypto";
import type { Screencast } from "./screencast.ts";

/** Longer than between two frames of anything that moves, shorter than a caret is on or off (500 ms). */
const QUIET_MS = 300;

/** True as soon as nothing changed for a while, false after `withinMs`. `busy`: more is about to come. */
export function stoodStill(screen: Screencast, withinMs: number, busy: () => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    let shown = "";
    let quiet: NodeJS.Timeout | undefined;
    let stop: () => void = () => undefined;
    const end = (still: boolean) => {
      clearTimeout(quiet);
      clearTimeout(late);
      stop();
      resolve(still);
    };
    const wait = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => (busy() ? wait() : end(true)), QUIET_MS);
    };
    const late = setTimeout(() => end(false), withinMs);
    // A screencast that runs has shown the picture of now; one that starts shows it first.
    if (screen.watched) wait();
    stop = screen.watch(({ bytes, crisp }) => {
      const seen = createHash("sha256").update(bytes).digest("base64");
      if (crisp || seen === shown) return;
      shown = seen;
      wait();
    });
  });
}
