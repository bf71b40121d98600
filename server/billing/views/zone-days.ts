/** Days of a time zone: which one a moment is in, and when one begins. Days are texts like `2026-11-26`. */
import { PerchError } from "../../errors.ts";

const formats = new Map<string, Intl.DateTimeFormat>();
const HOUR_MS = 3_600_000;
const MOST_DAYS = 366;

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  formats.set(timeZone, made);
  return made;
}

/** Whether there is such a zone; only names of places and `UTC`, no offsets. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export function dayOf(at: number, timeZone: string): string {
  return formatOf(timeZone).format(at);
}

/** The first moment of a day, also where midnight is skipped or comes twice. */
export function startOfDay(day: string, timeZone: string): number {
  const utc = Date.parse(`${day}T00:00:00Z`);
  let [before, from] = [utc - 16 * HOUR_MS, utc + 16 * HOUR_MS];
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2);
    if (dayOf(middle, timeZone) < day) before = middle;
    else from = middle;
  }
  return from;
}

export function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 24 * HOUR_MS).toISOString().slice(0, 10);
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
  const today = dayOf(now, timeZone);
  const to = asked.to ?? (asked.from !== undefined && asked.from > today ? asked.from : today);
  const from = asked.from ?? `${to.slice(0, 8)}01`;
  if (from > to) throw new PerchError("bad_input", "The first day comes after the last one. Turn them round.");
  if (Date.parse(to) - Date.parse(from) >= MOST_DAYS * 24 * HOUR_MS) {
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
