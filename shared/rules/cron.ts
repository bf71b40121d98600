/**
 * Five-field cron (minute, hour, day of month, month, day of week) read on the clock of an IANA time zone. A local time
 * that a clock change leaves out does not come that day; one that comes twice matches twice and has one `localMinute`.
 */
import type { Parsed } from "./match-pattern.ts";

export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** When both day fields are restricted, one of the two is enough, as in cron. */
  readonly eitherDay: boolean;
}

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split(" ");
const FIELDS = [
  { key: "minutes", title: "minute", low: 0, high: 59, names: [] },
  { key: "hours", title: "hour", low: 0, high: 23, names: [] },
  { key: "days", title: "day of month", low: 1, high: 31, names: [] },
  { key: "months", title: "month", low: 1, high: 12, names: MONTHS },
  { key: "weekdays", title: "day of week", low: 0, high: 7, names: WEEKDAYS },
] as const;
type Field = (typeof FIELDS)[number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A day that exists comes within this time: 29 February can be eight years away. */
const HORIZON_MS = 9 * 366 * 24 * HOUR_MS;

/** Reads a cron text such as `0 9 * * 1-5`; a refusal names the field. */
export function parseCron(text: string): Parsed<Cron> {
  const parts = text.trim().split(/\s+/);
  if (text.length > 200) return { ok: false, message: "A schedule has at most 200 characters." };
  if (parts.length !== 5) {
    return {
      ok: false,
      message: `A schedule has 5 fields (minute hour day month weekday), as in 0 9 * * 1-5; this one has ${text.trim() === "" ? 0 : parts.length}.`,
    };
  }
  const sets: Record<Field["key"], Set<number>> = {
    minutes: new Set(),
    hours: new Set(),
    days: new Set(),
    months: new Set(),
    weekdays: new Set(),
  };
  for (const [index, field] of FIELDS.entries()) {
    for (const item of (parts[index] ?? "").split(",")) {
      const values = parseItem(item, field);
      if (values === undefined) {
        return {
          ok: false,
          message: `The ${field.title} field says ${JSON.stringify(item)}; write *, a number from ${field.low} to ${field.high}, a range such as ${field.low}-${field.low + 2}, or a step such as */5.`,
        };
      }
      for (const value of values) sets[field.key].add(value);
    }
  }
  if (sets.weekdays.delete(7)) sets.weekdays.add(0);
  const eitherDay = !parts[2]?.startsWith("*") && !parts[4]?.startsWith("*");
  const cron: Cron = { ...sets, eitherDay };
  const longest = Math.max(...[...sets.months].map((month) => new Date(2024, month, 0).getDate()));
  if (!eitherDay && Math.min(...sets.days) > longest) {
    return { ok: false, message: "No month of this schedule has such a day; it would never run." };
  }
  return { ok: true, value: cron };
}

function parseItem(item: string, { low, high, names }: Field): number[] | undefined {
  const [, range, stepText] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(item) ?? [];
  if (range === undefined) return undefined;
  const step = stepText === undefined ? 1 : Number(stepText);
  const number = (text: string): number => {
    const named = (names as readonly string[]).indexOf(text.toUpperCase());
    return named !== -1 ? named + low : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  };
  const [fromText = "", toText, more] = range.split("-");
  const from = range === "*" ? low : number(fromText);
  const open = range === "*" || (stepText !== undefined && toText === undefined);
  const to = open ? (high === 7 ? 6 : high) : toText === undefined ? from : number(toText);
  if (more !== undefined || step === 0 || !(from >= low && from <= to && to <= high)) return undefined;
  const values: number[] = [];
  for (let value = from; value <= to; value += step) values.push(value);
  return values;
}

interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function localTime(atMs: number, timeZone: string): LocalTime {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
    });
  formats.set(timeZone, format);
  const found: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(atMs)) found[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = found;
  return { year, month, day, hour, minute, weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay() };
}

function isDay(cron: Cron, { month, day, weekday }: LocalTime): boolean {
  if (!cron.months.has(month)) return false;
  const [byDay, byWeekday] = [cron.days.has(day), cron.weekdays.has(weekday)];
  return cron.eitherDay ? byDay || byWeekday : byDay && byWeekday;
}

/** Whether the minute a time (Unix ms) falls in is one of the schedule. `timeZone` must exist. */
export function cronMatches(cron: Cron, timeZone: string, atMs: number): boolean {
  const local = localTime(atMs, timeZone);
  return isDay(cron, local) && cron.hours.has(local.hour) && cron.minutes.has(local.minute);
}

/** The start (Unix ms) of the first minute of the schedule after a time; undefined when none comes within nine years. */
export function nextCron(cron: Cron, timeZone: string, afterMs: number): number | undefined {
  let at = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  while (at < afterMs + HORIZON_MS) {
    const local = localTime(at, timeZone);
    // An hour short of midnight, because the day may be one that a clock change makes shorter.
    if (!isDay(cron, local))
      at += local.hour < 22 ? (23 - local.hour) * HOUR_MS - local.minute * MINUTE_MS : toHour(local);
    else if (!cron.hours.has(local.hour)) at += toHour(local);
    else if (!cron.minutes.has(local.minute)) at += MINUTE_MS;
    else return at;
  }
  return undefined;
}

function toHour({ minute }: LocalTime): number {
  return (60 - minute) * MINUTE_MS;
}

/** The minute on the local clock, as `2026-03-29T09:00`: the name of a slot of a schedule. */
export function localMinute(atMs: number, timeZone: string): string {
  const { year, month, day, hour, minute } = localTime(atMs, timeZone);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}
