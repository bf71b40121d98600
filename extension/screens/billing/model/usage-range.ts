/** Which days a look at usage takes in. A day is `2026-11-26` in the team's time zone; days are counted by the calendar, never by hours. */

export const RANGE_KINDS = ["month", "last", "custom"] as const;
export type RangeKind = (typeof RANGE_KINDS)[number];

/** Both ends in. */
export interface DayRange {
  readonly from: string;
  readonly to: string;
}

/** As many as one look takes in: a leap year. */
export const MOST_DAYS = 366;
const DAY_MS = 86_400_000;

/** The day it is now in a time zone. */
export function dayIn(nowMs: number, timeZone: string): string {
  // Swedish writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short" }).format(nowMs);
}

export function monthSoFar(nowMs: number, timeZone: string): DayRange {
  const to = dayIn(nowMs, timeZone);
  return { from: `${to.slice(0, 7)}-01`, to };
}

export function lastMonth(nowMs: number, timeZone: string): DayRange {
  const to = moved(monthSoFar(nowMs, timeZone).from, -1);
  return { from: `${to.slice(0, 7)}-01`, to };
}

/** Every day of the range, oldest first. */
export function daysOf({ from, to }: DayRange): readonly string[] {
  const count = (utc(to) - utc(from)) / DAY_MS + 1;
  return Array.from({ length: Math.max(0, Math.min(count, MOST_DAYS)) }, (_, index) => moved(from, index));
}

/** What is wrong with a range a person wrote. */
export function rangeProblem({ from, to }: DayRange, today: string): string | undefined {
  if (!isDay(from) || !isDay(to)) return "Choose both days.";
  if (from > to) return "The first day is after the last one.";
  if (from > today) return "These days have not come yet.";
  return (utc(to) - utc(from)) / DAY_MS + 1 > MOST_DAYS ? "Choose a year at most." : undefined;
}

/** `Thu, 26 Nov`, in the person's locale. */
export function dayWords(day: string, form: "short" | "long" = "long"): string {
  const weekday = form === "long" ? ({ weekday: "short" } as const) : {};
  return new Date(utc(day)).toLocaleDateString(undefined, {
    ...weekday,
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
}

/** `November 2026`, or both ends where a range is no whole month. */
export function rangeWords({ from, to }: DayRange): string {
  const year = { year: "numeric", timeZone: "UTC" } as const;
  if (from.slice(0, 7) === to.slice(0, 7) && from.endsWith("-01")) {
    return new Date(utc(from)).toLocaleDateString(undefined, { month: "long", ...year });
  }
  const short = { day: "numeric", month: "short", ...year } as const;
  return `${new Date(utc(from)).toLocaleDateString(undefined, short)} to ${new Date(utc(to)).toLocaleDateString(undefined, short)}`;
}

export function moved(day: string, by: number): string {
  return new Date(utc(day) + by * DAY_MS).toISOString().slice(0, 10);
}

function utc(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(utc(text));
}
