/** When to warn that a phone will park itself. */
import type { Phone } from "../../../../shared/phones.ts";
import type { ScreenState } from "./screen-state.ts";

/** The server warns at the same distance (`server/phones/phone-lifecycle.ts`). */
export const IDLE_WARNING_MS = 2 * 60_000;

/**
 * The moment to count down to, ISO 8601, or undefined while there is nothing to warn of. The socket's warning is this
 * viewer's; the list's time also reaches those who joined after it. Using the phone moves the list's time on.
 */
export function shownParksAt(phone: Phone, screen: ScreenState, nowMs: number): string | undefined {
  if (phone.state !== "running") return undefined;
  const times = [phone.parksAt, screen.parksAt].filter((time) => time !== undefined);
  // The later one is newer: a phone's time to park only ever moves on.
  const newest = times.sort((a, b) => Date.parse(b) - Date.parse(a))[0];
  if (newest === undefined) return undefined;
  return Date.parse(newest) - nowMs <= IDLE_WARNING_MS ? newest : undefined;
}
