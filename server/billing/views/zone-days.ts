/** Days that usage is read for, and times in words. Days are texts like `2026-11-26`, of a time zone. */
import { localDay } from "../../../shared/billing/local-days.ts";
import { PerchError } from "../../errors.ts";

const DAY_MS = 24 * 3_600_000;
const MOST_DAYS = 366;

/** Whether there is such a zone; only names of places and `UTC`, no offsets. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export interface DayRange {
  readonly from: string;
  /** The last day, which is in. */
  readonly to: string;
  readonly timeZone: string;
}

/** The days that are asked for; without any, those of the month so far. */
export function rangeOf(
  asked: { readonly from?: string | undefined; readonly to?: string | undefined },
  timeZone: string,
  now: number,
): DayRange {
  const today = localDay(now, timeZone).day;
  const to = asked.to ?? (asked.from !== undefined && asked.from > today ? asked.from : today);
  const from = asked.from ?? `${to.slice(0, 8)}01`;
  if (from > to) throw new PerchError("bad_input", "The first day comes after the last one. Turn them round.");
  if (Date.parse(to) - Date.parse(from) >= MOST_DAYS * DAY_MS) {
    throw new PerchError("bad_input", `Ask for at most ${MOST_DAYS} days at once.`);
  }
  return { from, to, timeZone };
}

/** `29 min 29 s`, `3 h 12 min 5 s`: all of it, so that lines add up. */
export function exactDuration(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1_000);
  const parts = [
    [Math.floor(seconds / 3_600), "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const said = parts.flatMap(([count, unit]) => (count > 0 ? [`${count} ${unit}`] : []));
  return `${ms < 0 ? "-" : ""}${said.length === 0 ? "0 s" : said.join(" ")}`;
}

const times = new Map<string, Intl.DateTimeFormat>();
/** `09:02:11`. */
export function timeOfDay(at: number, timeZone: string): string {
  const known = times.get(timeZone);
  const format =
    known ?? new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit" });
  times.set(timeZone, format);
  return format.format(at);
}

/** `26 November 2026`. */
export function dateWords(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone, day: "numeric", month: "long", year: "numeric" }).format(at);
}
